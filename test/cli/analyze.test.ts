import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { analyzeCommand } from "../../src/cli/analyze.ts";
import { type RemoteServer, startRemoteServer } from "../eventhubs/remote-server.ts";
import { message } from "../posture/fleet/records.ts";
import { runBundle, startBundle, until } from "../support/bundle.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

/** Tomorrow: the time of the machine judges nothing. */
const START_MS = Math.ceil(Date.now() / 86_400_000 + 1) * 86_400_000;

function groupsOf(maxThreshold: number | string): object {
  return {
    id: "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/fleet-hub/providers/Microsoft.Security/deviceSecurityGroups/default",
    name: "default",
    type: "Microsoft.Security/deviceSecurityGroups",
    properties: {
      timeWindowRules: [
        {
          ruleType: "MqttD2CMessagesNotInAllowedRange",
          isEnabled: true,
          minThreshold: 0,
          maxThreshold,
          timeWindowSize: "PT5M",
        },
      ],
    },
  };
}

describe("gatewarden analyze", { timeout: 60_000, concurrency: 4 }, () => {
  const scratch = scratchFolder("cli-analyze");
  let server: RemoteServer;
  let serial = 0;

  before(async () => {
    server = await startRemoteServer(
      ["one", "two", "three"].map((name) => ({
        name,
        partitions: 2,
        consumerGroups: ["gatewarden"],
      })),
    );
  });
  after(() => server.stop());

  function place(hub: string, changes: object = {}) {
    serial += 1;
    const name = `${hub}${serial}`;
    const alerts = join(scratch.path, `${name}-alerts`);
    const groups = scratch.file(`${name}-groups.json`, groupsOf(2));
    const config = scratch.file(`${name}.json`, {
      $schema: "ignored",
      hub: "fleet-hub",
      endpoint: {
        connectionStringFile: scratch.file(`${name}.secret`, server.connectionString(hub)),
      },
      groupsFile: groups,
      protocolProperty: "Protocol",
      stateFolder: join(scratch.path, `${name}-state`),
      statisticsSeconds: 1,
      outputs: { jsonLines: { folder: alerts } },
      ...changes,
    });
    return { name, config, groups, alerts };
  }

  async function send(hub: string, device: string, minute: number, count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, at) => {
      const record = message(device, START_MS + minute * 60_000 + at, { Protocol: "MQTT" });
      return {
        body: record.body,
        annotations: record.systemProperties as Record<string, string>,
        properties: { Protocol: "MQTT" },
        enqueuedAtMs: record.enqueuedAtMs,
      };
    });
    await server.append(hub, 0, events);
  }

  function alertsIn(folder: string): readonly string[] {
    return readdirSync(folder)
      .filter((name) => name.includes("alerts-"))
      .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
      .filter((line) => line !== "");
  }

  it("says that Node 18 is too old for it", async () => {
    const context = { terminal: undefined, environment: { nodeVersion: "18.20.8" } } as never;
    await assert.rejects(() => analyzeCommand.run(["--config", "x"], context), /18\.20\.8/);
  });

  it("says every fault of its configuration at once and ends with 3", async () => {
    const { config } = place("one", {
      hub: "a/b",
      outputs: { webhook: { url: "http://plain.example" } },
      surplus: 1,
    });
    const { code, errors } = await runBundle(["analyze", "--config", config]);
    assert.equal(code, 3);
    for (const key of ["hub:", "outputs.webhook.url", "surplus"])
      assert.match(errors, new RegExp(key));
  });

  it("refuses a secret that others may read, and one that lacks what it needs, without showing it", async () => {
    const { name, config } = place("one");
    scratch.file(`${name}.secret`, "Endpoint=sb://x.example/;SharedAccessKey=c2VjcmV0", 0o644);
    const open = await runBundle(["analyze", "--config", config, "--once"]);
    assert.equal(open.code, 3);
    scratch.file(`${name}.secret`, "Endpoint=sb://x.example/;SharedAccessKey=c2VjcmV0");
    const lacking = await runBundle(["analyze", "--config", config, "--once"]);
    assert.equal(lacking.code, 3);
    assert.doesNotMatch(open.errors + lacking.errors, /c2VjcmV0/);
  });

  it("refuses to begin with groups that have a fault, naming the field", async () => {
    const { name, config } = place("one");
    scratch.file(`${name}-groups.json`, groupsOf("many"));
    const { code, errors } = await runBundle(["analyze", "--config", config, "--once"]);
    assert.equal(code, 3);
    assert.match(errors, /maxThreshold/);
  });

  it("ends --once with 1 when the key is refused", async () => {
    const { name, config } = place("one");
    scratch.file(`${name}.secret`, server.connectionString("one", { key: "d3Jvbmc=" }));
    const { code, errors } = await runBundle(["analyze", "--config", config, "--once"]);
    assert.equal(code, 1, errors);
    assert.match(errors, /refused/);
    assert.doesNotMatch(errors, /d3Jvbmc=/);
  });

  it("takes changed groups up while it runs, keeps those in force when the change has a fault, and stops cleanly", async (test) => {
    const { config, groups, alerts } = place("two", { checkpointSeconds: 1, idleSeconds: 1 });
    const running = startBundle(["analyze", "--config", config]);
    test.after(() => running.child.kill("SIGKILL"));
    const has = (text: string) => until(() => running.errors().includes(text), text, 20_000);
    await has("partition opened");
    // A window that was not watched from its start is not judged.
    await send("two", "z", 0, 1);
    await send("two", "a", 10, 3);
    await send("two", "a", 30, 1);
    await until(() => alertsIn(alerts).length === 1, "the first alert", 20_000);

    writeFileSync(groups, JSON.stringify(groupsOf("many")));
    running.child.kill("SIGHUP");
    await has("those in force stay");
    await send("two", "b", 31, 3);
    await send("two", "b", 60, 1);
    await until(() => alertsIn(alerts).length === 2, "an alert by the old rules", 20_000);

    writeFileSync(groups, JSON.stringify(groupsOf(5)));
    running.child.kill("SIGHUP");
    await has("security groups read anew");
    await send("two", "c", 61, 3);
    await send("two", "d", 61, 6);
    await send("two", "d", 90, 1);
    await until(() => alertsIn(alerts).length === 3, "an alert by the new rules", 20_000);
    running.child.kill("SIGTERM");
    assert.equal(await running.exit, 0, running.errors());
    assert.deepEqual(
      alertsIn(alerts).map((line) => (JSON.parse(line) as { deviceId: string }).deviceId),
      ["fleet-hub/a", "fleet-hub/b", "fleet-hub/d"],
    );
    assert.deepEqual(
      (await server.command({ do: "facts" })).readers["two/gatewarden/0"],
      undefined,
    );
  });

  it("writes alerts to standard output, and nothing else", async () => {
    const { config } = place("three", { outputs: { standardOutput: true } });
    await send("three", "z", 0, 1);
    await send("three", "a", 10, 3);
    await send("three", "a", 30, 1);
    const { code, output, errors } = await runBundle(["analyze", "-c", config, "--once"]);
    assert.equal(code, 0, errors);
    const lines = output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { count: number });
    assert.deepEqual(
      lines.map(({ count }) => count),
      [3],
    );
  });
});
