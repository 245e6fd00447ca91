/** The built agent against the local hub: what arrives, and how the twin steers it. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { after, describe, it } from "node:test";
import { isJsonObject } from "../../src/contract/json.ts";
import { until } from "../support/bundle.ts";
import { NO_PUBLISHED_SCHEMAS, publishedMessageValidator } from "../support/published-schema.ts";
import { agentRig } from "./agent-rig.ts";

const QUICK = {
  highPriorityMessageFrequency: "PT1S",
  lowPriorityMessageFrequency: "PT1S",
  snapshotFrequency: "PT1H",
};

const EXPECTED = [
  "ConfigurationError",
  "ConnectedHardware",
  "Diagnostic",
  "DroppedEventsStatistics",
  "ListeningPorts",
  "LocalUsers",
  "MessageStatistics",
  "SystemInformation",
];

for (const transport of ["iothub", "iothub-sdk"] as const) {
  describe(`the agent over ${transport}`, async () => {
    const rig = await agentRig(transport, { ...QUICK, maxMessageSizeInBytes: 10_000 });
    after(() => rig.close());
    const agent = rig.start();

    it("sends every event it collects, in valid messages", async (test) => {
      const wanted = EXPECTED.filter((name) => name !== "Diagnostic");
      await until(
        () => wanted.every((name) => rig.events(name).length > 0),
        `all of ${wanted.join(", ")}`,
      );
      assert.equal(rig.events("ConfigurationError")[0]?.Payload[0]?.["ErrorType"], "NotOptimal");
      if (NO_PUBLISHED_SCHEMAS !== undefined) return test.skip(NO_PUBLISHED_SCHEMAS);
      const faultsIn = publishedMessageValidator();
      assert.deepEqual(rig.messages.flatMap(faultsIn), []);
    });

    it("reports the value in force of every property", async () => {
      await until(() => rig.reported("eventPriorityLogin") !== undefined, "reported properties");
      assert.equal(rig.reported("highPriorityMessageFrequency"), "PT1S");
      assert.equal(rig.reported("maxLocalCacheSizeInBytes"), 2_560_000);
      assert.equal(rig.reported("aggregationEnabledProcessCreate"), true);
    });

    it("obeys a change within two seconds, and reports it", async () => {
      const before = rig.events("SystemInformation").length;
      const startedMs = performance.now();
      rig.desire({ snapshotFrequency: "PT1S" });
      await until(() => rig.reported("snapshotFrequency") === "PT1S", "the report");
      assert.ok(performance.now() - startedMs < 2_000, "the report follows within two seconds");
      await until(() => rig.events("SystemInformation").length > before + 1, "more snapshots");
      rig.desire({ snapshotFrequency: "PT1H" });
      await until(() => rig.reported("snapshotFrequency") === "PT1H", "the report");
    });

    it("rejects a wrong value, keeps the one in force, and applies the rest", async () => {
      const errorsBefore = rig.events("ConfigurationError").length;
      rig.desire({ lowPriorityMessageFrequency: "whenever", eventPriorityDiagnostic: "High" });
      await until(() => rig.reported("eventPriorityDiagnostic") === "High", "the good half");
      assert.equal(rig.reported("lowPriorityMessageFrequency"), "PT1S");
      await until(() => rig.events("ConfigurationError").length > errorsBefore, "the error event");
      const error = rig.events("ConfigurationError").at(-1)?.Payload[0];
      assert.equal(error?.["ErrorType"], "TypeMismatch");
      assert.equal(error?.["ConfigurationName"], "lowPriorityMessageFrequency");
      assert.equal(error?.["UsedConfiguration"], "PT1S");
    });

    it("returns to the default when a property is deleted", async () => {
      rig.desire({ lowPriorityMessageFrequency: null, maxMessageSizeInBytes: null });
      await until(() => rig.reported("lowPriorityMessageFrequency") === "PT5H", "the default");
      assert.equal(rig.reported("maxMessageSizeInBytes"), 204_800);
      rig.desire({ lowPriorityMessageFrequency: "PT1S" });
    });

    it("answers direct methods", async () => {
      const status = await rig.hub.invokeMethod("status", null);
      assert.equal(status.status, 200);
      assert.ok(isJsonObject(status.payload) && status.payload["connection"] === "connected");
      const collect = await rig.hub.invokeMethod("collect", { collectors: ["LocalUsers"] });
      assert.equal(collect.status, 200);
      assert.match(JSON.stringify(collect.payload), /"name":"local-users","outcome":"done"/);
      assert.equal((await rig.hub.invokeMethod("flush", null)).status, 200);
      assert.equal((await rig.hub.invokeMethod("reboot", null)).status, 404);
    });

    it("survives hostile twins and goes on", async () => {
      for (const hostile of ["{", "[]", `{"a":${"[".repeat(5_000)}`, '{"__proto__":{"x":1}}', ""]) {
        rig.hub.faults.pushRawDesired(hostile);
      }
      const { status } = await rig.hub.invokeMethod("status", null);
      assert.equal(status, 200);
      assert.equal(agent.child.exitCode, null);
    });

    it("catches up with what changed while the hub was away", async () => {
      await rig.hub.faults.goDown();
      rig.desire({ snapshotFrequency: "PT3H" });
      await rig.hub.faults.resume();
      await until(() => rig.reported("snapshotFrequency") === "PT3H", "the new value", 30_000);
    });

    it("starts no child process, and logs neither key nor token", () => {
      const { pid } = agent.child;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
      assert.equal(children, "");
      const key = /SharedAccessKey=([^;]+)/.exec(rig.hub.connectionString())?.[1] ?? "";
      assert.ok(key.length > 20);
      assert.equal((agent.output() + agent.errors()).includes(key), false);
      assert.doesNotMatch(agent.output() + agent.errors(), /SharedAccessSignature|sig=/);
    });

    it("keeps its identity and its settings over a kill, and ends cleanly when asked", async () => {
      const agentId = rig.messages[0]?.AgentId;
      agent.child.kill("SIGKILL");
      await agent.exit;
      const second = rig.start();
      const seen = rig.messages.length;
      await until(() => rig.messages.length > seen, "a message of the second run");
      assert.equal(rig.messages.at(-1)?.AgentId, agentId);
      second.child.kill("SIGTERM");
      assert.equal(await second.exit, 0);
      assert.match(second.errors(), /agent stopped/);
    });
  });
}

describe("listening ports at the hub", () => {
  it("equal what ss shows at the same moment, with the owner when root", async (test) => {
    if (spawnSync("ss", ["-V"]).error !== undefined) return test.skip("ss is not installed");
    const rig = await agentRig("iothub", QUICK);
    test.after(() => rig.close());
    const server = createServer().listen(0, "127.0.0.1");
    test.after(() => server.close());
    rig.start();
    await until(() => rig.events("ListeningPorts").length > 0, "a first snapshot");
    for (let attempt = 0; ; attempt += 1) {
      const before = socketsOfSs();
      const seen = rig.events("ListeningPorts").length;
      await rig.hub.invokeMethod("collect", ["listening-ports"]);
      await rig.hub.invokeMethod("flush", null);
      const isUnchanged = JSON.stringify(socketsOfSs()) === JSON.stringify(before);
      await until(() => rig.events("ListeningPorts").length > seen, "the snapshot asked for");
      const payload = rig.events("ListeningPorts").at(-1)?.Payload ?? [];
      const sent = payload.map(
        (item) => `${item["Protocol"]} ${item["LocalAddress"]} ${item["LocalPort"]}`,
      );
      if (!isUnchanged && attempt < 5) continue;
      assert.deepEqual([...new Set(sent)].sort(), before);
      const address = server.address();
      const port = typeof address === "object" ? String(address?.port) : "";
      const own = payload.find((item) => item["LocalPort"] === port);
      const details = own?.["ExtraDetails"];
      if (process.getuid?.() === 0) {
        assert.equal(isJsonObject(details) ? details["Pid"] : "", String(process.pid));
      }
      return;
    }
  });
});

/** `tcp 127.0.0.1 22`, sorted, without duplicates. */
function socketsOfSs(): readonly string[] {
  const text = execFileSync("ss", ["-lntuH"], { encoding: "utf8" });
  const rows = text.trim().split("\n").filter(Boolean);
  const names = rows.map((row) => {
    const [netid = "", , , , local = ""] = row.split(/\s+/);
    const at = local.lastIndexOf(":");
    const shown = local
      .slice(0, at)
      .replace(/%.*$/, "")
      .replace(/^\[|\]$/g, "");
    const address = shown === "*" ? "::" : shown;
    const isV6 = address.includes(":");
    return `${netid}${isV6 ? "6" : ""} ${address} ${local.slice(at + 1)}`;
  });
  return [...new Set(names)].sort();
}
