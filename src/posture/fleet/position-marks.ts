/** A record to replay from. */
export interface PositionMark {
  readonly enqueuedAtMs: number;
  readonly sequenceNumber: number;
}

/** Which record to replay from so that a time is wholly watched. Bounded: marks lie `spacingMs` apart. */
export interface PositionMarks {
  /** Records in their order. */
  note(mark: PositionMark): void;
  /** The latest mark strictly before a time, else the oldest one; undefined when there is none at all. */
  before(atMs: number): PositionMark | undefined;
  /** Marks that lie before the one that `before(atMs)` gives are forgotten. */
  forgetBefore(atMs: number): void;
}

export function createPositionMarks(spacingMs: number): PositionMarks {
  let marks: PositionMark[] = [];

  /** Index of the latest mark before a time; 0 where there is none. */
  function indexBefore(atMs: number): number {
    let [low, high] = [0, marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((marks[middle]?.enqueuedAtMs ?? 0) < atMs) low = middle + 1;
      else high = middle;
    }
    return Math.max(low - 1, 0);
  }

  return {
    note(mark) {
      const last = marks[marks.length - 1];
      if (last !== undefined && mark.enqueuedAtMs < last.enqueuedAtMs + spacingMs) return;
      marks.push(mark);
    },
    before: (atMs) => marks[indexBefore(atMs)],
    forgetBefore(atMs) {
      const index = indexBefore(atMs);
      if (index > 0) marks = marks.slice(index);
    },
  };
}
