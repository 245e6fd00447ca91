import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventDraft } from "../../src/contract/event.ts";
import type { Settings } from "../../src/contract/settings.ts";
import { createSecretMask } from "../../src/parse/mask-secrets.ts";
import { createAggregator } from "../../src/pipeline/aggregate/aggregator.ts";
import { createLedger } from "../../src/pipeline/ledger.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { MemorySpool } from "../support/memory-spool.ts";
import { RecordingLog } from "../support/recording-log.ts";

const DAY_MS = 24 * 3_600_000;

/** Something that happened, in milliseconds since the day began. */
export interface TraceEntry {
  readonly atMs: number;
  readonly draft: EventDraft;
}

/** What a day cost at the hub, as metered. Only what was sent within the day counts. */
export interface DayReplay {
  readonly messages: number;
  readonly under4Kb: number;
  readonly bytes: number;
  readonly units: number;
  readonly fillRatio: number;
  readonly shareAtLeast4Kb: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** Metered bytes of every message in the order sent. */
  readonly sizes: readonly number[];
  /** Longest wait of an event that arrived, by its priority, from submit or snapshot to the hub. */
  readonly longestHighWaitMs: number;
  readonly events: number;
  /** Events that the spool evicted within the day to make room. */
  readonly dropped: number;
  readonly failures: readonly string[];
}

/**
 * A day of events through the real pipeline on a fake clock and a hub that acknowledges at once. The
 * snapshot drafts are submitted when the day begins and after every snapshot interval.
 */
export async function replayDay(
  trace: readonly TraceEntry[],
  settings: Settings,
  options: { readonly snapshotDrafts?: readonly EventDraft[] } = {},
): Promise<DayReplay> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-day-"));
  try {
    return await replayIn(folder, trace, settings, options.snapshotDrafts ?? []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function replayIn(
  folder: string,
  trace: readonly TraceEntry[],
  settings: Settings,
  snapshotDrafts: readonly EventDraft[],
): Promise<DayReplay> {
  const startMs = Date.UTC(2026, 0, 15);
  const clock = new FakeClock({ startMs });
  const sizes: number[] = [];
  const failures: string[] = [];
  const byReason: Record<string, number> = {};
  let events = 0;
  let longestHighWaitMs = 0;
  let uuids = 0;
  const spool = new MemorySpool(clock, settings.maxCacheBytes);
  const pipeline = createPipeline({
    spool,
    ledger: createLedger(clock),
    clock,
    random: {
      fraction: () => 0.5,
      uuid: () => {
        uuids += 1;
        return `00000000-0000-4000-8000-${String(uuids).padStart(12, "0")}`;
      },
    },
    settings,
    envelope: { agentVersion: "0.1.0", agentId: "00000000-0000-4000-8000-000000000000" },
    mask: createSecretMask([]),
    payloadSchemas: new Map(),
    transportMaxBytes: 262_144,
    aggregator: (emit) =>
      createAggregator({
        journalPath: join(folder, "aggregation.journal"),
        settings: settings.aggregation,
        clock,
        log: new RecordingLog(),
        emit,
      }),
    send: async (message) => {
      const body: { Events: { Name: keyof Settings["eventPriority"]; TimestampUTC: string }[] } =
        JSON.parse(Buffer.from(message.body).toString("utf8"));
      events += body.Events.length;
      for (const event of body.Events) {
        if (settings.eventPriority[event.Name] !== "High") continue;
        const waitMs = clock.nowMs() - Date.parse(event.TimestampUTC);
        longestHighWaitMs = Math.max(longestHighWaitMs, waitMs);
      }
      return { status: "acknowledged" };
    },
    onSent: (sent) => {
      sizes.push(sent.message.meteredBytes);
      byReason[sent.reason] = (byReason[sent.reason] ?? 0) + 1;
    },
    onQuarantined: (name, reason) => failures.push(`${name}: ${reason}`),
    onRefused: (name, reason) => failures.push(`${name}: ${reason}`),
    onFault: (reason) => failures.push(reason),
  });
  pipeline.setConnected(true);
  const snapshots: TraceEntry[] = [];
  for (let atMs = 0; atMs < DAY_MS; atMs += settings.snapshotIntervalMs) {
    snapshots.push(...snapshotDrafts.map((draft) => ({ atMs, draft })));
  }
  const entries = [...snapshots, ...trace].sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, draft } of entries.filter((entry) => entry.atMs < DAY_MS)) {
    const waitMs = atMs - clock.monotonicMs();
    if (waitMs > 0) await clock.advance(waitMs);
    pipeline.submit([draft]);
  }
  await clock.advance(DAY_MS - clock.monotonicMs());
  const dropped = spool.takeCounts().reduce((sum, counts) => sum + counts.droppedEvents, 0);
  await pipeline.stop();
  return { ...figures(sizes), byReason, sizes, longestHighWaitMs, events, dropped, failures };
}

function figures(sizes: readonly number[]) {
  const under4Kb = sizes.filter((size) => size < 4_096).length;
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const units = sizes.reduce((sum, size) => sum + Math.ceil(size / 4_096), 0);
  return {
    messages: sizes.length,
    under4Kb,
    bytes,
    units,
    fillRatio: bytes / (units * 4_096),
    shareAtLeast4Kb: 1 - under4Kb / sizes.length,
  };
}
