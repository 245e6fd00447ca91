import type { Clock } from "../../contract/clock.ts";
import { describeError } from "../../contract/errors.ts";
import type { Log } from "../../contract/log.ts";
import type { Random } from "../../contract/random.ts";
import { ok } from "../../contract/result.ts";
import type { SecurityGroup } from "../../posture/alerts/security-group.ts";
import type { AnalyzerFactory } from "./analyzer-factory.ts";
import { createDeliverer } from "./deliverer.ts";
import { createEventSource, type EventSource, type SourceFault } from "./event-source.ts";
import type { ClientFactory } from "./open-client.ts";
import type { AlertOutput, NumberedAlert } from "./output.ts";
import { PartitionRun } from "./partition-run.ts";
import type { Place } from "./place.ts";
import { RunTotals, type Totals } from "./run-totals.ts";
import { SkipBook } from "./skip-book.ts";
import type { AnalyzeStore } from "./store.ts";

export interface AnalyzeForm {
  /** One per event hub. */
  readonly clients: readonly ClientFactory[];
  readonly start: "earliest" | "latest";
  readonly checkpointMs: number;
  readonly idleSeconds: number;
  readonly patienceMs: number;
  readonly ownershipMs: number;
  /** Stop when every partition was read to its end. */
  readonly isOnce: boolean;
}

export interface AnalyzeParts {
  readonly store: AnalyzeStore;
  readonly outputs: readonly AlertOutput[];
  readonly createAnalyzer: AnalyzerFactory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  setAside(output: string, alert: NumberedAlert, reason: string, place: Place): void;
}

export interface AnalyzeStatistics extends Totals {
  readonly partitions: number;
  readonly devices: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/** The running analyzer. */
export interface Analyze {
  start(groups: readonly SecurityGroup[]): Promise<void>;
  /** Goes on with other rules: closes every partition and opens it again from its checkpoint. */
  regroup(groups: readonly SecurityGroup[]): Promise<void>;
  stop(): Promise<void>;
  statistics(): AnalyzeStatistics;
  /** With `isOnce`: undefined when all was read, else why it cannot be. */
  readonly ended: Promise<SourceFault | undefined>;
}

const IDLE_TICK_MS = 1_000;

export function createAnalyze(form: AnalyzeForm, parts: AnalyzeParts): Analyze {
  const { store, outputs, clock, random, log } = parts;
  const totals = new RunTotals();
  const skips = new SkipBook();
  const waiting = new Set<string>();
  let sources: readonly EventSource[] = [];
  let turn: Promise<void> = Promise.resolve();
  let finish: (fault: SourceFault | undefined) => void = () => undefined;
  const ended = new Promise<SourceFault | undefined>((resolve) => {
    finish = resolve;
  });

  function openRun(place: Place, source: EventSource, groups: readonly SecurityGroup[]) {
    const analyzer = parts.createAnalyzer(place, groups);
    skips.follow(analyzer);
    return new PartitionRun({
      place,
      analyzer,
      outputs,
      store,
      clock,
      log,
      totals,
      deliverer: createDeliverer({
        clock,
        random,
        log,
        totals,
        setAside: (output, alert, reason) => parts.setAside(output, alert, reason, place),
      }),
      lastSequenceNumber: async () => {
        const last = await source.lastOf(place.partitionId);
        return last.ok ? ok(last.value.sequenceNumber) : last;
      },
      checkpointEveryMs: form.checkpointMs,
      tickEveryMs: form.isOnce ? 0 : IDLE_TICK_MS,
      onClosed: () => skips.retire(analyzer),
    });
  }

  function onEnd(place: Place): void {
    if (!form.isOnce) return;
    waiting.delete(`${place.source}/${place.partitionId}`);
    if (waiting.size === 0) finish(undefined);
  }

  function onFault(fault: SourceFault): void {
    if (form.isOnce && (fault.kind === "refused" || fault.kind === "not-found")) finish(fault);
  }

  async function open(groups: readonly SecurityGroup[]): Promise<void> {
    sources = form.clients.map((create) => {
      const { client, source, consumerGroup } = create(store);
      return createEventSource({
        source,
        client,
        consumerGroup,
        store,
        log,
        idleSeconds: form.isOnce ? 1 : form.idleSeconds,
        start: form.start,
        patienceMs: form.patienceMs,
        ownershipMs: form.ownershipMs,
        monotonicMs: () => clock.monotonicMs(),
        sleep: (delayMs) => clock.sleep(delayMs),
        openRun: (place, one) => openRun(place, one, groups),
        onEnd,
        onFault,
      });
    });
    if (form.isOnce) await listPartitions();
    for (const source of sources) await source.start();
  }

  async function listPartitions(): Promise<void> {
    for (const [at, source] of sources.entries()) {
      const ids = await source.partitionIds();
      if (!ids.ok) {
        const kind = ids.problem.code === "not-permitted" ? "refused" : "unreachable";
        finish({ kind, reason: ids.problem.detail });
        return;
      }
      const kind = form.clients[at]?.kind ?? "endpoint";
      for (const id of ids.value) waiting.add(`${kind}/${id}`);
    }
  }

  async function close(): Promise<void> {
    const open = sources;
    sources = [];
    for (const source of open) {
      await source.stop().catch((error: unknown) => {
        log.warn({ eventHub: source.eventHub, reason: describeError(error) }, "not closed cleanly");
      });
    }
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const next = turn.then(work);
    turn = next.catch(() => undefined);
    return next;
  }

  return {
    ended,
    start: (groups) => inTurn(() => open(groups)),
    regroup: (groups) =>
      inTurn(async () => {
        await close();
        await open(groups);
      }),
    stop: () =>
      inTurn(async () => {
        await close();
        for (const output of outputs) await output.close();
      }),
    statistics() {
      const runs = sources.flatMap((source) => [...source.runs.values()]);
      return {
        ...totals.snapshot(),
        partitions: runs.length,
        devices: runs.reduce((sum, run) => sum + run.deviceCount, 0),
        skipped: skips.totals(),
      };
    },
  };
}
