/**
 * The local hub and an agent in this process, for what takes hours or days: the agent's clock is moved by
 * hand, that of the transport is real.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Agent } from "../../src/agent/agent-contract.ts";
import { openStateFolder } from "../../src/agent/state-folder.ts";
import { createAgent } from "../../src/agent.ts";
import { type Collector, defineWatchCollector } from "../../src/contract/collector.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { ExtensionEvent } from "../../src/contract/extension.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import { record } from "../../src/contract/schema.ts";
import { DEFAULT_SETTINGS } from "../../src/contract/settings.ts";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { createSecretMask } from "../../src/parse/mask-secrets.ts";
import { DEFAULT_FLUSH } from "../../src/pipeline/spool/spool.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createProbe } from "../../src/system/probe.ts";
import { systemRandom } from "../../src/system/random.ts";
import { createTransport } from "../../src/transport/create-transport.ts";
import { createClassicDialect } from "../../src/twin/classic-dialect.ts";
import { restoreTwinController } from "../../src/twin/twin-controller.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { OBJECT } from "./agent-rig.ts";

const AGENT_ID = "5ab8ce9e-3dbb-4c67-a5a9-1f8c2d4c7a10";
const HALF_MINUTE_MS = 30_000;

export interface ClockRig {
  readonly clock: FakeClock;
  /** Of all extension messages so far. */
  readonly extensions: readonly ExtensionEvent[];
  /** Events of an agent that watches. */
  emit(drafts: readonly EventDraft[]): void;
  /** Sends what waits. */
  flush(): Promise<void>;
  /** What the agent reports of its posture. */
  reportedPosture(): JsonObject;
  /** Lets time pass as the agent sees it, in steps of half a minute. */
  pass(minutes: number): Promise<void>;
  /** Stops the agent and starts it again on the same state. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
}

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

interface Running {
  readonly agent: Agent;
  emit(drafts: readonly EventDraft[]): void;
  stop(): Promise<void>;
}

/** Desired properties of the security configuration, not wrapped. */
export async function clockRig(twin: Readonly<Record<string, JsonValue>>): Promise<ClockRig> {
  const clock = new FakeClock();
  const extensions: ExtensionEvent[] = [];
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-clock-rig-"));
  const wrapped = Object.entries(twin).map(([name, value]) => [name, { value }]);
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
    desired: { [OBJECT]: Object.fromEntries(wrapped) },
  });
  hub.observe({
    onMessage: ({ body, properties }) => {
      if (properties["kind"] !== "extension") return;
      extensions.push(...JSON.parse(Buffer.from(body).toString("utf8")).Events);
    },
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

  let running = await startAgent();
  return {
    clock,
    extensions,
    emit: (drafts) => running.emit(drafts),
    flush: async () => {
      await running.agent.flush(1);
    },
    reportedPosture() {
      const own = hub.twin().reported["gatewarden"];
      const posture = isJsonObject(own) ? own["posture"] : undefined;
      return isJsonObject(posture) ? posture : {};
    },
    async pass(minutes) {
      for (let step = 0; step < minutes * 2; step += 1) await clock.advance(HALF_MINUTE_MS);
    },
    async restart() {
      await running.stop();
      running = await startAgent();
    },
    stop: () => running.stop(),
    async close() {
      await running.stop();
      await hub.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
