/** Inclusive. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/** Ranges in ascending order that neither overlap nor touch. Empty is the empty set. */
export type RangeSet = readonly Range[];

/** Brings ranges in any order, overlapping or not, into the form of a set. */
export function rangeSet(ranges: readonly Range[]): RangeSet {
  if (ranges.length < 2) return ranges;
  const sorted = [...ranges].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const merged: Range[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || range.from > last.to + 1n) merged.push(range);
    else if (range.to > last.to) merged[merged.length - 1] = { from: last.from, to: range.to };
  }
  return merged;
}

/** What is in both. */
export function intersect(left: RangeSet, right: RangeSet): RangeSet {
  const common: Range[] = [];
  let at = 0;
  for (const range of left) {
    for (; at < right.length; at += 1) {
      const other = right[at];
      if (other === undefined || other.from > range.to) break;
      if (other.to < range.from) continue;
      const from = range.from > other.from ? range.from : other.from;
      const to = range.to < other.to ? range.to : other.to;
      common.push({ from, to });
      // This one may reach into the next range of the left.
      if (other.to > range.to) break;
    }
  }
  return common;
}

/** What is in `left` and not in `right`. */
export function subtract(left: RangeSet, right: RangeSet): RangeSet {
  if (right.length === 0) return left;
  const rest: Range[] = [];
  let at = 0;
  for (const range of left) {
    let from = range.from;
    for (; at < right.length; at += 1) {
      const hole = right[at];
      if (hole === undefined || hole.from > range.to) break;
      if (hole.to < from) continue;
      if (hole.from > from) rest.push({ from, to: hole.from - 1n });
      from = hole.to + 1n;
      // This one may reach into the next range of the left.
      if (hole.to > range.to) break;
    }
    if (from <= range.to) rest.push({ from, to: range.to });
  }
  return rest;
}

/** What is in one or both. */
export function union(left: RangeSet, right: RangeSet): RangeSet {
  return rangeSet([...left, ...right]);
}

/** True when both hold the same numbers. */
export function isSame(left: RangeSet, right: RangeSet): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  return left.every((range, at) => {
    const other = right[at];
    return other !== undefined && other.from === range.from && other.to === range.to;
  });
}
