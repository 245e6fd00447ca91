/** The built agent where things go wrong: no hub, kills, hostile twins, too few rights. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { JsonValue } from "../../src/contract/json.ts";
import { BUNDLE, copyBundle, NODE, until } from "../support/bundle.ts";
import { type AgentRig, agentRig } from "./agent-rig.ts";

const QUICK = { highPriorityMessageFrequency: "PT1S", lowPriorityMessageFrequency: "PT1S" };
const NOBODY = 65_534;

async function newRig(
  test: TestContext,
  twin: Readonly<Record<string, JsonValue>> = QUICK,
  transport: "iothub" | "iothub-sdk" = "iothub",
): Promise<AgentRig> {
  const rig = await agentRig(transport, twin);
  test.after(() => rig.close());
  return rig;
}

/** Snapshots taken before a moment, by their own time stamps. */
function snapshotsBefore(rig: AgentRig, atMs: number): number {
  const times = rig.events("SystemInformation").map((event) => Date.parse(event.TimestampUTC));
  return times.filter((takenAtMs) => takenAtMs < atMs).length;
}

function logLines(errors: string): readonly string[] {
  return errors.split("\n").filter((line) => line !== "");
}

describe("the agent without a hub", { concurrency: 5 }, () => {
  for (const transport of ["iothub", "iothub-sdk"] as const) {
    it(`waits for one that is down at its start, over ${transport}`, async (test) => {
      const rig = await newRig(test, QUICK, transport);
      await rig.hub.faults.goDown();
      const agent = rig.start();
      await until(() => agent.errors().includes("not connected"), "an attempt that fails");
      const failedAtMs = Date.now();
      await until(() => Date.now() > failedAtMs + 1_500, "a whole round of snapshots");
      const resumedAtMs = Date.now();
      await rig.hub.faults.resume();
      await until(() => snapshotsBefore(rig, resumedAtMs) > 0, "what was collected meanwhile");
      assert.equal(agent.child.exitCode, null);
    });

    it(`restarts on the twin's settings, over ${transport}`, async (test) => {
      const rig = await newRig(test, { ...QUICK, snapshotFrequency: "PT13H" }, transport);
      const first = rig.start();
      await until(() => rig.reported("snapshotFrequency") === "PT13H", "the first report");
      rig.desire({ snapshotFrequency: "PT1S" });
      await until(() => rig.reported("snapshotFrequency") === "PT1S", "the changed value");
      first.child.kill("SIGKILL");
      await first.exit;
      await rig.hub.faults.goDown();
      const second = rig.start();
      const startedAtMs = Date.now();
      await until(() => second.errors().includes("not connected"), "an attempt that fails");
      // The default is one snapshot in 13 hours: a second one within seconds comes of the twin alone.
      const isOver = (): boolean => Date.now() > startedAtMs + 3_500;
      await until(isOver, "time for a few snapshots");
      const resumedAtMs = Date.now();
      assert.doesNotMatch(second.errors(), /"connected"/);
      await rig.hub.faults.resume();
      const taken = (): number =>
        snapshotsBefore(rig, resumedAtMs) - snapshotsBefore(rig, startedAtMs);
      await until(() => taken() >= 2, "snapshots of the time without a hub", 30_000);
    });
  }

  it("puts a change that it missed in force once the hub is back", async (test) => {
    const rig = await newRig(test, { ...QUICK, snapshotFrequency: "PT13H" });
    rig.start();
    await until(() => rig.reported("snapshotFrequency") === "PT13H", "the first report");
    await rig.hub.faults.goDown();
    rig.desire({ snapshotFrequency: "PT1S", eventPriorityLogin: "Off" });
    const resumedAtMs = Date.now();
    await rig.hub.faults.resume();
    await until(() => rig.reported("eventPriorityLogin") === "Off", "the change", 30_000);
    const taken = (): number =>
      rig.events("SystemInformation").length - snapshotsBefore(rig, resumedAtMs);
    await until(() => taken() >= 3, "snapshots every second", 30_000);
  });
});

describe("the agent that is asked to end", () => {
  it("sends what waits first", async (test) => {
    const slow = { highPriorityMessageFrequency: "PT4H", lowPriorityMessageFrequency: "PT5H" };
    const rig = await newRig(test, slow);
    const agent = rig.start();
    await until(() => rig.reported("eventPriorityLogin") !== undefined, "the first report");
    await rig.hub.invokeMethod("flush", null);
    const sent = (): number => rig.events("SystemInformation").length;
    const before = sent();
    await rig.hub.invokeMethod("collect", null);
    await rig.hub.invokeMethod("status", null);
    assert.equal(sent(), before, "nothing is due for hours");
    agent.child.kill("SIGTERM");
    assert.equal(await agent.exit, 0);
    assert.equal(sent(), before + 1);
  });
});

describe("the agent with a bad twin", { concurrency: 2 }, () => {
  it("names a conflict and applies both values", async (test) => {
    const rig = await newRig(test);
    rig.start();
    await until(() => rig.reported("eventPriorityLogin") !== undefined, "the first report");
    rig.desire({ maxLocalCacheSizeInBytes: 8_192, maxMessageSizeInBytes: 16_384 });
    const conflict = (): boolean =>
      rig
        .events("ConfigurationError")
        .some(({ Payload }) => Payload.some((item) => item["ErrorType"] === "Conflict"));
    await until(conflict, "the conflict");
    assert.equal(rig.reported("maxLocalCacheSizeInBytes"), 8_192);
    assert.equal(rig.reported("maxMessageSizeInBytes"), 16_384);
  });

  for (const transport of ["iothub", "iothub-sdk"] as const) {
    it(`obeys the next good one, over ${transport}`, async (test) => {
      const rig = await newRig(test, QUICK, transport);
      const agent = rig.start();
      await until(() => rig.reported("eventPriorityLogin") === "High", "the first report");
      const hostile = [
        "{",
        "null",
        `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
        JSON.stringify({ a: "x".repeat(200_000) }),
        '{"__proto__":{"value":1},"constructor":{"prototype":{"x":1}}}',
        '{"ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration":7}',
        "\u0000\u0001\ufffd",
      ];
      for (const text of hostile) rig.hub.faults.pushRawDesired(text);
      rig.desire({ eventPriorityLogin: "Low" });
      await until(() => rig.reported("eventPriorityLogin") === "Low", "the good twin", 30_000);
      assert.equal(agent.child.exitCode, null);
      assert.match(agent.errors(), /hub did something odd|twin refused/, "they did arrive");
      for (const line of logLines(agent.errors())) assert.ok(line.length < 4_096, "a log line");
      assert.doesNotMatch(agent.errors(), /agent failed|SharedAccessSignature|sig=/);
    });
  }
});

describe("the agent and its rights", () => {
  it("reports by Diagnostic what it may not read", async (test) => {
    if (process.getuid?.() !== 0) return test.skip("only root can start it as another user");
    const rig = await newRig(test);
    chmodSync(rig.folder, 0o755);
    chmodSync(join(rig.folder, "hub"), 0o755);
    // A copy of the files that run: the folder of the project may be closed to others.
    const bundle = copyBundle(rig.folder);
    chownSync(join(rig.folder, "connection-string"), NOBODY, NOBODY);
    mkdirSync(join(rig.folder, "state"), { mode: 0o700 });
    chownSync(join(rig.folder, "state"), NOBODY, NOBODY);
    const args = [bundle, "run", "--config", join(rig.folder, "config.json")];
    const agent = spawn(NODE, args, { uid: NOBODY, gid: NOBODY, env: {}, stdio: "pipe" });
    const exit = new Promise<number | null>((resolve) => agent.once("close", resolve));
    let errors = "";
    agent.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString("utf8");
    });
    agent.stdout.resume();
    test.after(() => agent.kill("SIGKILL"));
    await until(() => rig.events("Diagnostic").length > 0 || agent.exitCode !== null, "Diagnostic");
    assert.equal(agent.exitCode, null, errors);
    const item = rig.events("Diagnostic")[0]?.Payload[0];
    assert.equal(item?.["ProcessId"], agent.pid);
    assert.match(String(item?.["Message"]), /\S/);
    agent.kill("SIGTERM");
    assert.equal(await exit, 0);
  });

  it("starts no program but those that show firewall rules, as strace sees it", async (test) => {
    if (spawnSync("strace", ["-V"]).error !== undefined) return test.skip("no strace");
    const rig = await newRig(test, { ...QUICK, snapshotFrequency: "PT1S" });
    const trace = join(rig.folder, "trace");
    const calls = "trace=execve,execveat,fork,vfork,clone,clone3";
    const run = [NODE, BUNDLE, "run", "--config", join(rig.folder, "config.json")];
    // Whole paths: strace cuts texts at 32 characters unless it is told otherwise.
    const options = ["-f", "-qq", "-s", "4096", "-e", calls, "-o", trace];
    const traced = spawn("strace", [...options, ...run], { stdio: ["ignore", "ignore", "pipe"] });
    const exit = new Promise<number | null>((resolve) => traced.once("close", resolve));
    let errors = "";
    traced.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString("utf8");
    });
    const isSeen = (): boolean =>
      rig.events("SystemInformation").length > 1 && rig.events("OSBaseline").length > 0;
    await until(() => isSeen() || traced.exitCode !== null, "two rounds and a baseline scan");
    if (/ptrace|not permitted/i.test(errors)) return test.skip("strace may not trace here");
    const pid = Number(/^\d+/.exec(readFileSync(trace, "utf8"))?.[0]);
    process.kill(pid, "SIGTERM");
    assert.equal(await exit, 0, errors);
    const lines = readFileSync(trace, "utf8").split("\n");
    const programs = lines.filter((line) => /\bexecve(?:at)?\(/.test(line));
    const [own = "", ...others] = programs;
    assert.match(own, /gatewarden\.js/);
    // The tools themselves ask modprobe for a kernel module that is missing.
    const isTool = /"\/(?:usr\/)?s?bin\/(?:ip6?tables-(?:legacy-|nft-)?save|nft|modprobe)"/;
    assert.deepEqual(
      others.filter((line) => !isTool.test(line)),
      [],
      programs.join("\n"),
    );
    const processes = lines.filter(
      (line) => /\b(?:v?fork|clone3?)\(/.test(line) && !line.includes("CLONE_THREAD"),
    );
    assert.ok(processes.length <= others.length, processes.join("\n"));
  });
});
