import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { EventDraft, EventName } from "../../src/contract/event.ts";
import type { OutgoingMessage } from "../../src/contract/message.ts";
import type { Schema } from "../../src/contract/schema.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/contract/settings.ts";
import type { SendOutcome } from "../../src/contract/transport.ts";
import { createSecretMask } from "../../src/parse/mask-secrets.ts";
import { createAggregator } from "../../src/pipeline/aggregate/aggregator.ts";
import { createLedger, type Ledger } from "../../src/pipeline/ledger.ts";
import { createPipeline, type Pipeline } from "../../src/pipeline/pipeline.ts";
import type { SentMessage } from "../../src/pipeline/sender.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { MemorySpool } from "../support/memory-spool.ts";
import { RecordingLog } from "../support/recording-log.ts";

/** What the hub does with a message: an outcome, or a promise of one. */
export type HubScript = (
  message: OutgoingMessage,
  signal: AbortSignal,
) => SendOutcome | Promise<SendOutcome>;

export const ACKNOWLEDGED: SendOutcome = { status: "acknowledged" };
export const MINUTE_MS = 60_000;

/** A pipeline between a fake clock and a scripted hub. */
export interface Bench {
  readonly clock: FakeClock;
  readonly spool: MemorySpool;
  readonly ledger: Ledger;
  readonly pipeline: Pipeline;
  /** Every message handed to the transport, attempts included. */
  readonly attempts: OutgoingMessage[];
  readonly sent: SentMessage[];
  readonly refused: string[];
  readonly quarantined: string[];
  readonly faults: string[];
  /** Marks of the events in what the hub acknowledged, in order. */
  readonly arrived: string[];
  setHub(script: HubScript): void;
}

/** A test login that its mark tells apart. */
export function login(mark: string, padding = 0): EventDraft {
  return { name: "Login", payload: [{ UserName: mark, Pad: "x".repeat(padding) }] };
}

/** A low priority event that is not aggregated. */
export function low(mark: string, padding = 0): EventDraft {
  return { name: "SystemInformation", payload: [{ UserName: mark, Pad: "x".repeat(padding) }] };
}

export function marksOf(message: OutgoingMessage): readonly string[] {
  const body: { Events: { Payload: { UserName?: string }[] }[] } = JSON.parse(
    Buffer.from(message.body).toString("utf8"),
  );
  return body.Events.map((event) => event.Payload[0]?.UserName ?? "");
}

export function settingsWith(changes: Partial<Settings>): Settings {
  return { ...DEFAULT_SETTINGS, ...changes };
}

export function makeBench(
  folder: string,
  settings: Settings = DEFAULT_SETTINGS,
  payloadSchemas: ReadonlyMap<EventName, Schema<unknown>> = new Map(),
): Bench {
  const clock = new FakeClock();
  const spool = new MemorySpool(clock, settings.maxCacheBytes);
  const ledger = createLedger(clock);
  const attempts: OutgoingMessage[] = [];
  const sent: SentMessage[] = [];
  const refused: string[] = [];
  const quarantined: string[] = [];
  const faults: string[] = [];
  const arrived: string[] = [];
  let hub: HubScript = () => ACKNOWLEDGED;
  let uuids = 0;
  const pipeline = createPipeline({
    spool,
    ledger,
    clock,
    random: {
      fraction: () => 0.5,
      uuid: () => {
        uuids += 1;
        return `00000000-0000-4000-8000-${String(uuids).padStart(12, "0")}`;
      },
    },
    settings,
    envelope: { agentVersion: "0.1.0", agentId: "agent" },
    mask: createSecretMask([]),
    payloadSchemas,
    transportMaxBytes: 262_144,
    aggregator: (emit) =>
      createAggregator({
        journalPath: join(folder, "aggregation.journal"),
        settings: settings.aggregation,
        clock,
        log: new RecordingLog(),
        emit,
      }),
    send: async (message, signal) => {
      attempts.push(message);
      const outcome = await hub(message, signal);
      if (outcome.status === "acknowledged") arrived.push(...marksOf(message));
      return outcome;
    },
    onSent: (message) => sent.push(message),
    onQuarantined: (name, reason) => quarantined.push(`${name}: ${reason}`),
    onRefused: (name, reason) => refused.push(`${name}: ${reason}`),
    onFault: (reason) => faults.push(reason),
  });
  return {
    clock,
    spool,
    ledger,
    pipeline,
    attempts,
    sent,
    refused,
    quarantined,
    faults,
    arrived,
    setHub: (script) => {
      hub = script;
    },
  };
}

export function benchFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-pipeline-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function bench(
  test: TestContext,
  settings?: Settings,
  schemas?: ReadonlyMap<EventName, Schema<unknown>>,
): Bench {
  return makeBench(benchFolder(test), settings, schemas);
}
