import type { Clock, Timer } from "../../contract/clock.ts";
import { describeError } from "../../contract/errors.ts";
import type { Log } from "../../contract/log.ts";
import type { Random } from "../../contract/random.ts";
import { fail, ok, type Result } from "../../contract/result.ts";
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
const ASK_MS = 5_000;
/** Shortest and longest wait before a lost event hub is tried again with a new connection, ms. */
const REOPEN_MS = { first: 500, longest: 30_000 } as const;
const MOST_DOUBLINGS = 6;

interface Opened {
  readonly create: ClientFactory;
  source: EventSource;
  failures: number;
  timer: Timer | undefined;
}

export function createAnalyze(form: AnalyzeForm, parts: AnalyzeParts): Analyze {
  const { store, outputs, clock, random, log } = parts;
  const totals = new RunTotals();
  const skips = new SkipBook();
  const waiting = new Set<string>();
  let opened: readonly Opened[] = [];
  let groupsInForce: readonly SecurityGroup[] = [];
  let turn: Promise<void> = Promise.resolve();
  let finish: (fault: SourceFault | undefined) => void = () => undefined;
  const ended = new Promise<SourceFault | undefined>((resolve) => {
    finish = resolve;
  });

  function openRun(place: Place, source: EventSource): PartitionRun {
    const analyzer = parts.createAnalyzer(place, groupsInForce);
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
      lastSequenceNumber: () => lastSequenceNumber(place, source),
      checkpointEveryMs: form.checkpointMs,
      tickEveryMs: form.isOnce ? 0 : IDLE_TICK_MS,
      onClosed: () => skips.retire(analyzer),
    });
  }

  /** Who asks cannot read events meanwhile: without an answer it is simply not the end. */
  async function lastSequenceNumber(place: Place, source: EventSource): Promise<Result<number>> {
    const aborter = new AbortController();
    const last = await Promise.race([
      source.lastOf(place.partitionId),
      clock.sleep(ASK_MS, aborter.signal),
    ]);
    aborter.abort();
    if (last === undefined) return fail("timed-out", place.eventHub, `no answer in ${ASK_MS} ms`);
    return last.ok ? ok(last.value.sequenceNumber) : last;
  }

  function onEnd(place: Place): void {
    if (!form.isOnce) return;
    waiting.delete(`${place.source}/${place.partitionId}`);
    if (waiting.size === 0) finish(undefined);
  }

  function onFault(fault: SourceFault, one: Opened): void {
    if (form.isOnce && (fault.kind === "refused" || fault.kind === "not-found")) finish(fault);
    if (one.timer !== undefined) return;
    // The client alone looks again after half a minute and lets its partitions expire meanwhile.
    const windowMs = REOPEN_MS.first * 2 ** Math.min(one.failures, MOST_DOUBLINGS);
    const delayMs = Math.min(windowMs, REOPEN_MS.longest) * (1 + random.fraction());
    one.timer = clock.after(delayMs, () => {
      one.timer = undefined;
      inTurn(() => reopen(one)).catch((error: unknown) => {
        log.error({ reason: describeError(error) }, "event hub not opened again");
      });
    });
  }

  async function reopen(one: Opened): Promise<void> {
    if (!opened.includes(one) || !one.source.isCrippled) return;
    one.failures += 1;
    await closeSource(one.source);
    one.source = sourceOf(one);
    await one.source.start();
  }

  function sourceOf(one: Pick<Opened, "create">): EventSource {
    const { client, source, consumerGroup } = one.create(store);
    const made = createEventSource({
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
      openRun,
      onHeard() {
        for (const other of opened) if (other.source === made) other.failures = 0;
      },
      onEnd,
      onFault(fault) {
        for (const other of opened) if (other.source === made) onFault(fault, other);
      },
    });
    return made;
  }

  async function open(groups: readonly SecurityGroup[]): Promise<void> {
    groupsInForce = groups;
    opened = form.clients.map((create) => ({
      create,
      source: sourceOf({ create }),
      failures: 0,
      timer: undefined,
    }));
    if (form.isOnce) await listPartitions();
    for (const { source, create } of opened) {
      await source.start();
      if (create.kind === "logs") warnOfSpread(source);
    }
  }

  /** A diagnostic setting does not divide by device. */
  function warnOfSpread(source: EventSource): void {
    const asked = source.partitionIds().then((ids) => {
      if (!ids.ok || ids.value.length < 2) return;
      log.warn(
        { eventHub: source.eventHub, partitions: ids.value.length },
        "logs of a device are spread over partitions, each counts a part",
      );
    });
    asked.catch(() => undefined);
  }

  async function listPartitions(): Promise<void> {
    for (const { source, create } of opened) {
      const ids = await source.partitionIds();
      if (!ids.ok) {
        const kind = ids.problem.code === "not-permitted" ? "refused" : "unreachable";
        finish({ kind, reason: ids.problem.detail });
        return;
      }
      for (const id of ids.value) waiting.add(`${create.kind}/${id}`);
    }
  }

  async function close(): Promise<void> {
    const closing = opened;
    opened = [];
    for (const { source, timer } of closing) {
      timer?.cancel();
      await closeSource(source);
    }
  }

  async function closeSource(source: EventSource): Promise<void> {
    await source.stop().catch((error: unknown) => {
      log.warn({ eventHub: source.eventHub, reason: describeError(error) }, "not closed cleanly");
    });
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
      const runs = opened.flatMap(({ source }) => [...source.runs.values()]);
      return {
        ...totals.snapshot(),
        partitions: runs.length,
        devices: runs.reduce((sum, run) => sum + run.deviceCount, 0),
        skipped: skips.totals(),
      };
    },
  };
}
