import type { AgentFacts, DiagnosticFinding } from "../contract/agent-facts.ts";
import type { Clock, Timer } from "../contract/clock.ts";
import {
  type Collector,
  type CollectorContext,
  type CursorStore,
  eventsOf,
  type Snapshot,
  type Watch,
} from "../contract/collector.ts";
import { describeError } from "../contract/errors.ts";
import type { EventDraft, EventName } from "../contract/event.ts";
import type { JsonObject } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Probe } from "../contract/probe.ts";
import type { Problem } from "../contract/result.ts";
import type { SecretMask } from "../contract/secret-mask.ts";
import type { Settings } from "../contract/settings.ts";
import { createProblemBook, type ProblemBook } from "./problem-book.ts";

export interface CollectorHostOptions {
  readonly collectors: readonly Collector[];
  readonly probe: Probe;
  readonly clock: Clock;
  readonly log: Log;
  readonly facts: AgentFacts;
  readonly mask: SecretMask;
  /** Settings of each collector by collector name, as its schema yields them. */
  readonly settingsOf: (collector: Collector) => unknown;
  readonly cursorOf: (collector: Collector) => CursorStore;
  /** Takes what collectors report; the events are safe on disk when it returns. */
  readonly submit: (drafts: readonly EventDraft[]) => void;
  /** A snapshot was taken and its events are safe; `name` is the collector's main event. */
  readonly onSnapshot: (name: EventName, snapshot: Snapshot) => void;
  readonly onDiagnostic: (finding: DiagnosticFinding) => void;
  /** A snapshot collector learnt that the device is no longer as its last snapshot says. */
  readonly onChange: (collector: string) => void;
}

/** A watch that could not start, such as for want of memory, is tried again. */
const WATCH_RETRY_MS = 60_000;
const NO_NOTICE = "changes are seen at the next snapshot only";

/** A snapshot collector that is on, as the schedule runs it. */
export interface SnapshotJob {
  readonly name: string;
  readonly isHeavy: boolean;
  run(signal: AbortSignal): Promise<void>;
}

interface CollectorRecord {
  readonly collector: Collector;
  readonly abort: AbortController;
  watch: Watch | undefined;
  isStarting: boolean;
  runs: number;
  events: number;
  lastDurationMs: number;
}

/**
 * Runs collectors: hands each its context, passes on what it reports, and keeps one collector's
 * failure from touching another.
 */
export interface CollectorHost {
  /** The snapshot collectors that the priorities leave on. */
  jobs(): readonly SnapshotJob[];
  /**
   * Starts and stops watches as the priorities say; returns the snapshot collectors that are newly on, or
   * that the settings steer otherwise than before.
   */
  applySettings(settings: Settings): Promise<readonly string[]>;
  status(): JsonObject;
  stop(): Promise<void>;
}

export function createCollectorHost(options: CollectorHostOptions): CollectorHost {
  const problems: ProblemBook = createProblemBook(options.onDiagnostic);
  const records = new Map<string, CollectorRecord>();
  let settings: Settings | undefined;
  const isOn = (name: EventName): boolean =>
    settings !== undefined && settings.eventPriority[name] !== "Off";
  const isAnyOn = (collector: Collector): boolean =>
    eventsOf(collector).some(({ eventName }) => isOn(eventName));
  let retryTimer: Timer | undefined;

  function recordOf(collector: Collector): CollectorRecord {
    const known = records.get(collector.name);
    if (known !== undefined) return known;
    const fresh: CollectorRecord = {
      collector,
      abort: new AbortController(),
      watch: undefined,
      isStarting: false,
      runs: 0,
      events: 0,
      lastDurationMs: 0,
    };
    records.set(collector.name, fresh);
    return fresh;
  }

  /** Settings of a collector, with what the module twin says of them. */
  function steered(collector: Collector): unknown {
    const own = options.settingsOf(collector);
    return settings === undefined || collector.steer === undefined
      ? own
      : collector.steer(own, settings);
  }

  function contextOf(collector: Collector, signal: AbortSignal): CollectorContext<unknown> {
    return {
      settings: steered(collector),
      probe: options.probe,
      clock: options.clock,
      log: scopedLog(options.log, collector.name),
      signal,
      cursor: options.cursorOf(collector),
      agent: options.facts,
      mask: options.mask,
      pause: () => options.clock.sleep(0),
    };
  }

  function take(record: CollectorRecord, drafts: readonly EventDraft[]): void {
    record.events += drafts.length;
    options.submit(drafts);
  }

  async function runSnapshot(
    collector: Extract<Collector, { mode: "snapshot" }>,
    signal: AbortSignal,
  ): Promise<void> {
    const record = recordOf(collector);
    const startedAtMs = options.clock.monotonicMs();
    try {
      const snapshot = await collector.collect(contextOf(collector, signal));
      take(record, snapshot.events);
      problems.update(collector.name, snapshot.problems);
      options.onSnapshot(collector.eventName, snapshot);
      options.log.debug(
        { collector: collector.name, events: snapshot.events.length },
        "snapshot taken",
      );
    } catch (error) {
      problems.update(collector.name, [failureOf(error)]);
      throw error;
    } finally {
      record.runs += 1;
      record.lastDurationMs = Math.round(options.clock.monotonicMs() - startedAtMs);
    }
  }

  /** Starts what listens to the kernel: the collector itself, or its notice of changes. */
  function listen(collector: Collector, record: CollectorRecord): Promise<Watch> | undefined {
    const context = contextOf(collector, record.abort.signal);
    if (collector.mode === "watch") {
      return collector.watch(context, (drafts) => take(record, drafts));
    }
    return collector.watchChanges?.(context, () => options.onChange(collector.name));
  }

  async function startWatch(collector: Collector): Promise<void> {
    const record = recordOf(collector);
    if (record.watch !== undefined || record.isStarting || record.abort.signal.aborted) return;
    record.isStarting = true;
    try {
      const watch = await listen(collector, record);
      // Turned off, or the agent stopped, while it was starting.
      if (record.abort.signal.aborted || !isAnyOn(collector)) await watch?.stop();
      else record.watch = watch;
      if (collector.mode !== "watch") return;
      record.runs += 1;
      problems.update(collector.name, watch?.problems ?? []);
    } catch (error) {
      if (collector.mode === "watch") problems.update(collector.name, [failureOf(error)]);
      else options.log.warn({ collector: collector.name, reason: describeError(error) }, NO_NOTICE);
      retryTimer ??= options.clock.after(WATCH_RETRY_MS, () => {
        retryTimer = undefined;
        void startWatches();
      });
    } finally {
      record.isStarting = false;
    }
  }

  /** Changes when the collector is turned on or off, or steered otherwise. */
  function stateOf(collector: Collector): string {
    if (!isAnyOn(collector)) return "off";
    return collector.steer === undefined ? "on" : JSON.stringify(steered(collector));
  }

  async function stopWatch(record: CollectorRecord): Promise<void> {
    const { watch } = record;
    record.watch = undefined;
    await watch?.stop();
  }

  async function startWatches(): Promise<void> {
    for (const collector of options.collectors) {
      if (isAnyOn(collector)) await startWatch(collector);
    }
  }

  return {
    jobs: () =>
      options.collectors.flatMap((collector) =>
        collector.mode === "snapshot" && isAnyOn(collector)
          ? [
              {
                name: collector.name,
                isHeavy: collector.cost === "heavy",
                run: (signal) => runSnapshot(collector, signal),
              },
            ]
          : [],
      ),
    async applySettings(next) {
      const before = new Map(
        options.collectors.map((collector) => [collector, stateOf(collector)] as const),
      );
      settings = next;
      const changed = options.collectors.filter(
        (collector) => stateOf(collector) !== before.get(collector),
      );
      for (const collector of options.collectors) {
        if (!isAnyOn(collector) || changed.includes(collector)) {
          await stopWatch(recordOf(collector));
        }
      }
      await startWatches();
      return changed
        .filter((collector) => collector.mode === "snapshot" && isAnyOn(collector))
        .map((collector) => collector.name);
    },
    status: () =>
      Object.fromEntries(
        options.collectors.map((collector) => {
          const record = recordOf(collector);
          return [
            collector.name,
            {
              on: isAnyOn(collector),
              runs: record.runs,
              events: record.events,
              lastDurationMs: record.lastDurationMs,
              problems: problems.of(collector.name).map(describeProblem),
            },
          ];
        }),
      ),
    async stop() {
      retryTimer?.cancel();
      for (const record of records.values()) {
        record.abort.abort();
        await stopWatch(record);
      }
    },
  };
}

function failureOf(error: unknown): Problem {
  return { code: "unsupported", subject: "collector", detail: describeError(error) };
}

/** One line for a person: what, and what was found. */
export function describeProblem(problem: Problem): string {
  return `${problem.subject}: ${problem.detail} (${problem.code})`;
}

function scopedLog(log: Log, collector: string): Log {
  return {
    error: (fields, message) => log.error({ collector, ...fields }, message),
    warn: (fields, message) => log.warn({ collector, ...fields }, message),
    info: (fields, message) => log.info({ collector, ...fields }, message),
    debug: (fields, message) => log.debug({ collector, ...fields }, message),
  };
}
