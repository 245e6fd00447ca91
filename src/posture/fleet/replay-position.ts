import { createPositionMarks } from "./position-marks.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { RuleBook } from "./rule-book.ts";

/** From which record on a replay gives all that is still open. Never goes back. */
export interface ReplayPosition {
  note(enqueuedAtMs: number, sequenceNumber: number): void;
  /** Undefined when nothing that was accepted is needed any more. */
  neededAt(watermarkMs: number, enqueuedAtMs: number): number | undefined;
  /** Forgets what `neededAt` will not ask for again. */
  forgetBefore(watermarkMs: number): void;
}

export interface ReplayPositionOptions {
  readonly books: readonly RuleBook[];
  readonly keepsSnapshot: boolean;
  /** The longest time between an event and the closing of its window. */
  readonly horizonMs: number;
  readonly recent: RecentEvents;
}

/**
 * With a snapshot, what is needed are the records that open windows have counted, and those that tell
 * repeated events. Without one, a replay must also find out that windows are wholly watched: from a
 * record before the start of each window that is not over.
 */
export function createReplayPosition(options: ReplayPositionOptions): ReplayPosition {
  const { books, keepsSnapshot, recent } = options;
  // A few thousand marks, however long the windows are.
  const marks = createPositionMarks(Math.max(1_000, Math.ceil(options.horizonMs / 4_096)));

  function openMs(watermarkMs: number): number {
    return earliest(
      books.map((book) => (book.oldestOpenMs(watermarkMs) ?? Infinity) - book.fleetRule.lookBackMs),
    );
  }

  function openSequence(watermarkMs: number): number | undefined {
    const fromMs = openMs(watermarkMs);
    return Number.isFinite(fromMs) ? marks.before(fromMs)?.sequenceNumber : undefined;
  }

  return {
    note: (enqueuedAtMs, sequenceNumber) => marks.note({ enqueuedAtMs, sequenceNumber }),
    neededAt(watermarkMs, enqueuedAtMs) {
      const sequences = keepsSnapshot
        ? books.map((book) => book.oldestSequence())
        : [openSequence(watermarkMs)];
      const needed = earliest(
        [...sequences, recent.neededAt(enqueuedAtMs)].map((one) => one ?? Infinity),
      );
      return Number.isFinite(needed) ? needed : undefined;
    },
    forgetBefore(watermarkMs) {
      // With a snapshot no mark is asked for.
      marks.forgetBefore(keepsSnapshot ? watermarkMs : openMs(watermarkMs));
    },
  };
}

function earliest(values: readonly number[]): number {
  return values.reduce((sofar, value) => Math.min(sofar, value), Number.POSITIVE_INFINITY);
}
