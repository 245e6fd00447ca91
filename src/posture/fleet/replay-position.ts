import { createPositionMarks } from "./position-marks.ts";
import type { RuleBook } from "./rule-book.ts";

/** From which record on a replay gives all that is still open. Never goes back. */
export interface ReplayPosition {
  note(enqueuedAtMs: number, sequenceNumber: number): void;
  /** Undefined when nothing that was accepted is needed any more. */
  neededAt(watermarkMs: number): number | undefined;
  /** Forgets what `neededAt` will not ask for again. */
  forgetBefore(watermarkMs: number): void;
}

export interface ReplayPositionOptions {
  readonly books: readonly RuleBook[];
  readonly keepsSnapshot: boolean;
  /** The longest time between an event and the closing of its window. */
  readonly horizonMs: number;
  readonly repeatMs: number;
  /** When the last event came whose repetition would be noticed. */
  readonly lastEventMs: () => number;
}

/**
 * With a snapshot, what is needed are the records that open windows have counted, and those that tell
 * repeated events. Without one, a replay must also find out that windows are wholly watched: from a
 * record before the start of each window that is not over.
 */
export function createReplayPosition(options: ReplayPositionOptions): ReplayPosition {
  const { books, keepsSnapshot, repeatMs } = options;
  // A few thousand marks, however long the windows are.
  const marks = createPositionMarks(Math.max(1_000, Math.ceil(options.horizonMs / 4_096)));

  function openMs(watermarkMs: number): number {
    return earliest(
      books.map((book) => (book.oldestOpenMs(watermarkMs) ?? Infinity) - book.fleetRule.lookBackMs),
    );
  }

  function recentMs(watermarkMs: number): number {
    const repeatableMs = watermarkMs - repeatMs;
    return options.lastEventMs() > repeatableMs ? repeatableMs : Number.POSITIVE_INFINITY;
  }

  return {
    note: (enqueuedAtMs, sequenceNumber) => marks.note({ enqueuedAtMs, sequenceNumber }),
    neededAt(watermarkMs) {
      const openFromMs = keepsSnapshot ? Number.POSITIVE_INFINITY : openMs(watermarkMs);
      const fromMs = Math.min(openFromMs, recentMs(watermarkMs));
      const marked = Number.isFinite(fromMs) ? marks.before(fromMs)?.sequenceNumber : undefined;
      const held = keepsSnapshot ? books.map((book) => book.oldestSequence() ?? Infinity) : [];
      const needed = earliest([marked ?? Number.POSITIVE_INFINITY, ...held]);
      return Number.isFinite(needed) ? needed : undefined;
    },
    forgetBefore(watermarkMs) {
      const openFromMs = keepsSnapshot ? watermarkMs : openMs(watermarkMs);
      marks.forgetBefore(Math.min(openFromMs, watermarkMs - repeatMs));
    },
  };
}

function earliest(values: readonly number[]): number {
  return values.reduce((sofar, value) => Math.min(sofar, value), Number.POSITIVE_INFINITY);
}
