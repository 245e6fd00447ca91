import { createHash } from "node:crypto";
import type { Clock, Timer } from "../../contract/clock.ts";
import { describeError } from "../../contract/errors.ts";
import type { EventDraft, ExtraDetails, PayloadItem } from "../../contract/event.ts";
import type { Log } from "../../contract/log.ts";
import {
  type AggregatedEventName,
  isAggregatedEventName,
  type Settings,
} from "../../contract/settings.ts";
import { localTimestamp, utcTimestamp } from "../../parse/timestamps.ts";
import {
  type AggregationJournal,
  type OpenWindow,
  openAggregationJournal,
} from "./aggregation-journal.ts";
import { aggregationRule } from "./rules.ts";

export interface AggregatorOptions {
  /** File that keeps open windows over a crash. */
  readonly journalPath: string;
  readonly settings: Settings["aggregation"];
  readonly clock: Clock;
  readonly log: Log;
  /** Most windows open at once per event name; beyond that the oldest is emitted early. */
  readonly maxWindows?: number;
  /** Takes what is ready; the events are safe on disk when it returns. */
  readonly emit: (drafts: readonly EventDraft[]) => void;
}

/**
 * Folds repeated events into one per window: the first occurrence opens a window of its own, and one
 * event with hit count, first and last time leaves when the window ends. Names that are not
 * aggregated pass straight through.
 */
export interface Aggregator {
  /** Everything is on disk, in the spool or as an open window, when this returns. */
  add(drafts: readonly EventDraft[]): void;
  /** Emits all open windows now. */
  flush(): void;
  /** Applies new settings: what is switched off is emitted at once. */
  configure(settings: Settings["aggregation"]): void;
  readonly openWindows: number;
  /** Windows emitted early because too many were open. */
  readonly endedEarly: number;
  /** Emits all open windows and closes the journal. Safe to call twice. */
  stop(): void;
}

interface TimedWindow extends OpenWindow {
  /** Monotonic ms. */
  readonly openedAtMs: number;
  isCountDirty: boolean;
}

const MAX_WINDOWS = 1_024;
/** Counts are written this often at most: what a crash can take from a hit count. */
const CHECKPOINT_MS = 10_000;

export function createAggregator(options: AggregatorOptions): Aggregator {
  const { clock, emit } = options;
  const maxWindows = options.maxWindows ?? MAX_WINDOWS;
  const windows: Readonly<Record<AggregatedEventName, Map<string, TimedWindow>>> = {
    ProcessCreate: new Map(),
    ConnectionCreate: new Map(),
    ProcessTerminate: new Map(),
  };
  const names: readonly AggregatedEventName[] = [
    "ProcessCreate",
    "ConnectionCreate",
    "ProcessTerminate",
  ];
  const journal: AggregationJournal = openAggregationJournal(options.journalPath, allOpen);
  let settings = options.settings;
  let endedEarly = 0;
  let endTimer: Timer | undefined;
  let checkpointTimer: Timer | undefined;
  let isStopped = false;

  function allOpen(): TimedWindow[] {
    return names.flatMap((name) => [...windows[name].values()]);
  }

  function end(ended: readonly OpenWindow[]): void {
    if (ended.length === 0) return;
    // First, because what takes the events may ask for a flush, which must not emit them again.
    for (const window of ended) windows[window.name].delete(window.key);
    emit(ended.map(draftOf));
    attempt(() => journal.closed(ended.map((window) => window.key)));
    arm();
  }

  function draftOf(window: OpenWindow): EventDraft {
    const times = {
      HitCount: String(window.hits),
      StartTimeLocal: localTimestamp(window.firstMs, clock.utcOffsetMinutes(window.firstMs)),
      StartTimeUtc: utcTimestamp(window.firstMs),
      EndTimeLocal: localTimestamp(window.lastMs, clock.utcOffsetMinutes(window.lastMs)),
      EndTimeUtc: utcTimestamp(window.lastMs),
    };
    // What happened once is told as it was; only what stands for several gives up what differs.
    const told = window.hits === 1 ? window.item : foldedItem(window.name, window.item);
    const item = { ...told, ExtraDetails: { ...detailsOf(told), ...times } };
    // A power cut may take the note that a window was emitted, and leave the event: it comes again as itself.
    const key = `${window.key} ${window.firstMs} ${window.lastMs} ${window.hits}`;
    return { name: window.name, payload: [item], occurredAtMs: window.lastMs, key };
  }

  function addItem(name: AggregatedEventName, item: PayloadItem, atMs: number): void {
    const key = keyOf(name, foldedItem(name, item));
    const known = windows[name].get(key);
    if (known !== undefined) {
      known.hits += 1;
      known.lastMs = Math.max(known.lastMs, atMs);
      known.isCountDirty = true;
      armCheckpoint();
      return;
    }
    const [oldest] = windows[name].values();
    if (windows[name].size >= maxWindows && oldest !== undefined) {
      endedEarly += 1;
      end([oldest]);
    }
    const window: TimedWindow = {
      name,
      key,
      item,
      firstMs: atMs,
      lastMs: atMs,
      hits: 1,
      openedAtMs: clock.monotonicMs(),
      isCountDirty: false,
    };
    if (attempt(() => journal.opened(window))) {
      windows[name].set(key, window);
      arm();
    } else emit([draftOf(window)]);
  }

  /** A disk that refuses costs aggregation, not events: they go on to the spool unfolded. */
  function attempt(write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      options.log.warn({ reason: describeError(error) }, "aggregation journal not written");
      return false;
    }
  }

  /** One timer for the window that ends first; within a name windows end in the order they opened. */
  function arm(): void {
    endTimer?.cancel();
    endTimer = undefined;
    if (isStopped) return;
    const ends = names.flatMap((name) => {
      const [oldest] = windows[name].values();
      return oldest === undefined ? [] : [oldest.openedAtMs + settings[name].intervalMs];
    });
    if (ends.length === 0) return;
    endTimer = clock.after(Math.min(...ends) - clock.monotonicMs(), endWhatIsOver);
  }

  function endWhatIsOver(): void {
    const nowMs = clock.monotonicMs();
    const over = allOpen().filter(
      (window) => window.openedAtMs + settings[window.name].intervalMs <= nowMs,
    );
    end(over);
    arm();
  }

  function armCheckpoint(): void {
    if (checkpointTimer !== undefined || isStopped) return;
    checkpointTimer = clock.after(CHECKPOINT_MS, () => {
      checkpointTimer = undefined;
      checkpoint();
    });
  }

  function checkpoint(): void {
    const dirty = allOpen().filter((window) => window.isCountDirty);
    if (attempt(() => journal.counted(dirty)))
      for (const window of dirty) window.isCountDirty = false;
    else armCheckpoint();
  }

  if (journal.leftOpen.length > 0) {
    emit(journal.leftOpen.map(draftOf));
    attempt(() => journal.closed(journal.leftOpen.map((window) => window.key)));
  }

  return {
    add(drafts) {
      const passing: EventDraft[] = [];
      for (const draft of drafts) {
        const { name } = draft;
        if (isStopped || !isAggregatedEventName(name) || !settings[name].isEnabled)
          passing.push(draft);
        else
          for (const item of draft.payload)
            addItem(name, item, draft.occurredAtMs ?? clock.nowMs());
      }
      if (passing.length > 0) emit(passing);
    },
    flush: () => end(allOpen()),
    configure(next) {
      settings = next;
      end(allOpen().filter((window) => !settings[window.name].isEnabled));
      endWhatIsOver();
    },
    get openWindows() {
      return names.reduce((sum, name) => sum + windows[name].size, 0);
    },
    get endedEarly() {
      return endedEarly;
    },
    stop() {
      if (isStopped) return;
      end(allOpen());
      isStopped = true;
      endTimer?.cancel();
      checkpointTimer?.cancel();
      journal.close();
    },
  };
}

function detailsOf(item: PayloadItem): ExtraDetails {
  const details = item["ExtraDetails"];
  return typeof details === "object" ? details : {};
}

/** The item reduced to what identifies it; numbers that schema 1.0 requires become 0. */
function foldedItem(name: AggregatedEventName, item: PayloadItem): PayloadItem {
  const rule = aggregationRule(name, item);
  const details = detailsOf(item);
  const kept = rule.details.flatMap((key) => {
    const value = details[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const fields = rule.identity.flatMap((key) => {
    const value = item[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    ...Object.fromEntries(fields),
    ...Object.fromEntries(rule.zeroed.map((key) => [key, 0])),
    ...Object.fromEntries((rule.blanked ?? []).map((key) => [key, "0"])),
    ...(kept.length === 0 ? {} : { ExtraDetails: Object.fromEntries(kept) }),
  };
}

/** Short and of fixed length, so that a long command line is kept once. */
function keyOf(name: AggregatedEventName, folded: PayloadItem): string {
  return createHash("sha1")
    .update(`${name} ${JSON.stringify(folded)}`)
    .digest("base64");
}
