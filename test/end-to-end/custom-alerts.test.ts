/**
 * Custom alerts over the local hub. The agent runs in this process, because its windows are minutes long:
 * its clock is moved by hand, that of the transport is real.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Agent } from "../../src/agent/agent-contract.ts";
import { openStateFolder } from "../../src/agent/state-folder.ts";
import { createAgent } from "../../src/agent.ts";
import { type Collector, defineWatchCollector } from "../../src/contract/collector.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { ExtensionEvent } from "../../src/contract/extension.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import { record } from "../../src/contract/schema.ts";
import { DEFAULT_SETTINGS } from "../../src/contract/settings.ts";
import type { LocalHub } from "../../src/localhub/hub-contract.ts";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { createSecretMask } from "../../src/parse/mask-secrets.ts";
import { DEFAULT_FLUSH } from "../../src/pipeline/spool/spool.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createProbe } from "../../src/system/probe.ts";
import { systemRandom } from "../../src/system/random.ts";
import { createTransport } from "../../src/transport/create-transport.ts";
import { createClassicDialect } from "../../src/twin/classic-dialect.ts";
import { restoreTwinController } from "../../src/twin/twin-controller.ts";
import { until } from "../support/bundle.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { OBJECT } from "./agent-rig.ts";

const MINUTE_MS = 60_000;
const AGENT_ID = "5ab8ce9e-3dbb-4c67-a5a9-1f8c2d4c7a10";

const RULES = {
  type: "Microsoft.Security/deviceSecurityGroups",
  name: "gateways",
  properties: {
    allowlistRules: [
      { ruleType: "ProcessNotAllowed", isEnabled: true, allowlistValues: ["/usr/sbin/sshd", "sh"] },
      { ruleType: "LocalUserNotAllowed", isEnabled: true, allowlistValues: ["ada"] },
      { ruleType: "ConnectionToIpNotAllowed", isEnabled: true, allowlistValues: ["192.0.2.0/24"] },
    ],
    timeWindowRules: [
      {
        ruleType: "FailedLocalLoginsNotInAllowedRange",
        isEnabled: true,
        minThreshold: 0,
        maxThreshold: 2,
        timeWindowSize: "PT5M",
      },
      {
        ruleType: "ActiveConnectionsNotInAllowedRange",
        isEnabled: true,
        minThreshold: 1,
        maxThreshold: 100,
        timeWindowSize: "PT30M",
      },
    ],
  },
};

const TWIN: Readonly<Record<string, JsonValue>> = {
  highPriorityMessageFrequency: "PT1S",
  lowPriorityMessageFrequency: "PT5H",
  deviceSecurityGroups: RULES,
};

/** Hands over what a test tells it to. */
function source(): { readonly collector: Collector; emit(drafts: readonly EventDraft[]): void } {
  let listener: (drafts: readonly EventDraft[]) => void = () => undefined;
  const events = (["Login", "ConnectionCreate"] as const).map((eventName) => ({
    eventName,
    payload: loose(),
  }));
  const collector = defineWatchCollector({
    name: "source",
    summary: "What the test says.",
    eventName: "ProcessCreate",
    furtherEvents: events,
    cost: "light",
    needs: [],
    sources: [],
    settings: record({}),
    payload: loose(),
    watch: async (_context, emit) => {
      listener = emit;
      return { stop: async () => undefined };
    },
  });
  return { collector, emit: (drafts) => listener(drafts) };
}

/** Takes any payload: its form is not what is asked here. */
function loose() {
  return { ...record({}), read: () => ({}) };
}

const process_ = (path: string): EventDraft => ({
  name: "ProcessCreate",
  payload: [{ Executable: path, CommandLine: path, UserId: "0", ProcessId: 1, ParentProcessId: 1 }],
});
const login = (key: string, UserName: string, Result: "Success" | "Fail"): EventDraft => ({
  name: "Login",
  key,
  payload: [{ ProcessId: 1, Executable: "sshd", UserName, Result }],
});
const connection = (RemoteAddress: string): EventDraft => ({
  name: "ConnectionCreate",
  payload: [{ Direction: "Out", Protocol: "tcp", RemoteAddress, RemotePort: "443" }],
});

interface Running {
  readonly agent: Agent;
  emit(drafts: readonly EventDraft[]): void;
  stop(): Promise<void>;
}

describe("custom alerts from device security groups in the twin", () => {
  const clock = new FakeClock();
  const events: ExtensionEvent[] = [];
  let folder: string;
  let hub: LocalHub;
  let running: Running;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "gatewarden-alerts-"));
    const wrapped = Object.entries(TWIN).map(([name, value]) => [name, { value }]);
    hub = await startLocalHub({
      stateDirectory: join(folder, "hub"),
      clock: systemClock,
      random: systemRandom,
      log: new RecordingLog(),
      desired: { [OBJECT]: Object.fromEntries(wrapped) },
    });
    hub.observe({
      onMessage: ({ body, properties }) => {
        if (properties["kind"] !== "extension") return;
        events.push(...JSON.parse(Buffer.from(body).toString("utf8")).Events);
      },
    });
    running = await startAgent();
    await until(() => alertRules()["rules"] === 5, "the rules");
  });
  after(async () => {
    await running?.stop();
    await hub?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startAgent(): Promise<Running> {
    const log = new RecordingLog();
    const state = openStateFolder(join(folder, "state"), log);
    const connectionStringFile = join(folder, "connection-string");
    writeFileSync(connectionStringFile, hub.connectionString(), { mode: 0o600 });
    const transport = await createTransport(
      {
        kind: "iothub",
        identity: { source: "connection-string", connectionStringFile },
        network: { caFile: hub.caFile },
      },
      {
        clock: systemClock,
        random: systemRandom,
        log,
        agentVersion: "0.0.0",
        readSecret: (path) => readFileSync(path, "utf8"),
        readFile: (path) => readFileSync(path, "utf8"),
      },
    );
    const { collector, emit } = source();
    const twin = restoreTwinController(
      { dialect: createClassicDialect(DEFAULT_SETTINGS), agentVersion: "0.0.0" },
      state.readJson("twin.json"),
    ).controller;
    const agent = createAgent({
      agentId: AGENT_ID,
      agentVersion: "0.0.0",
      processId: process.pid,
      state,
      collectors: [collector],
      collectorSettings: () => ({}),
      mask: createSecretMask([]),
      probe: createProbe({ root: "/" }),
      clock,
      random: systemRandom,
      log,
      transport,
      twin,
      spoolFlush: DEFAULT_FLUSH,
      securityGroups: { file: undefined, inConfiguration: undefined },
      firstSnapshotDelayMs: 0,
      firstSnapshotJitterMs: 0,
      addedPropertyBytes: 0,
      findings: [],
      memory: () => ({}),
    });
    await agent.start();
    let isStopped = false;
    return {
      agent,
      emit,
      async stop() {
        if (isStopped) return;
        isStopped = true;
        const stopped = agent.stop(1_000);
        // What the agent waits for at its end is measured by its own clock.
        while (!(await Promise.race([stopped.then(() => true), settle().then(() => false)]))) {
          await clock.advance(100);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        state.release();
      },
    };
  }

  function alertRules(): JsonObject {
    const own = hub.twin().reported["gatewarden"];
    const posture = isJsonObject(own) ? own["posture"] : undefined;
    const rules = isJsonObject(posture) ? posture["alertRules"] : undefined;
    return isJsonObject(rules) ? rules : {};
  }

  const alerts = (type: string): readonly JsonObject[] =>
    events.flatMap(({ Payload }) => Payload.filter((item) => item["RuleType"] === type));

  /** Lets time pass as the agent sees it. */
  async function pass(minutes: number): Promise<void> {
    for (let step = 0; step < minutes * 2; step += 1) await clock.advance(MINUTE_MS / 2);
  }

  it("are not raised for what is allowed", async () => {
    running.emit([process_("/usr/sbin/sshd"), process_("/bin/sh"), connection("192.0.2.9")]);
    running.emit([login("a", "ada", "Success"), login("b", "ada", "Fail")]);
    await pass(40);
    await running.agent.flush(1);
    assert.deepEqual(
      events.filter(({ Name }) => Name === "Alert"),
      [],
    );
  });

  it("arrive for each rule that is violated, once per window", async () => {
    running.emit([process_("/tmp/miner"), process_("/tmp/miner"), connection("203.0.113.5")]);
    running.emit(["c", "d", "e"].map((key) => login(key, "root", "Fail")));
    running.emit([login("f", "eve", "Success")]);
    await pass(12);
    for (const [type, value, count] of [
      ["ProcessNotAllowed", "/tmp/miner", 2],
      ["ConnectionToIpNotAllowed", "203.0.113.5", 1],
      ["LocalUserNotAllowed", "eve", 1],
      ["FailedLocalLoginsNotInAllowedRange", undefined, 3],
    ] as const) {
      await until(() => alerts(type).length > 0, type);
      const [alert] = alerts(type);
      assert.deepEqual([alert?.["Value"], alert?.["Count"]], [value, count], type);
      assert.equal(alert?.["AlertType"], `IoT_CA_${type}`);
      assert.equal(alert?.["Group"], "gateways");
    }
    await pass(6);
    await until(() => alerts("ProcessNotAllowed").length === 1, "one alert");
  });

  it("tell of too few when a whole window was watched and silent", async () => {
    await pass(65);
    await until(() => alerts("ActiveConnectionsNotInAllowedRange").length > 0, "the alert");
    const [alert] = alerts("ActiveConnectionsNotInAllowedRange");
    assert.deepEqual([alert?.["Reason"], alert?.["Count"]], ["too-few", 0]);
    assert.equal(alert?.["IsWatchComplete"], true);
  });

  it("count on over a restart, and count nothing twice that is handed over again", async () => {
    await pass(5 - ((clock.nowMs() / MINUTE_MS) % 5));
    const before = alerts("FailedLocalLoginsNotInAllowedRange").length;
    const failed = ["g", "h"].map((key) => login(key, "root", "Fail"));
    running.emit(failed);
    await running.stop();
    running = await startAgent();
    running.emit([...failed, login("i", "root", "Fail")]);
    await pass(10);
    const seen = () => alerts("FailedLocalLoginsNotInAllowedRange").slice(before);
    await until(() => seen().length > 0, "the alert");
    assert.deepEqual(
      seen().map((alert) => [alert["Count"], alert["IsWatchComplete"]]),
      [[3, false]],
    );
  });

  it("have ids of their own", () => {
    const ids = events.filter(({ Name }) => Name === "Alert").map(({ Id }) => Id);
    assert.ok(ids.length >= 5);
    assert.equal(new Set(ids).size, ids.length);
  });
});
