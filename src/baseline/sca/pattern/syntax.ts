/** Inclusive ranges of UTF-16 code units. */
export type CodeRanges = readonly (readonly [from: number, to: number])[];

/** A regular expression as a tree. Captures beyond the first are plain groups. */
export type PatternNode =
  | { readonly kind: "set"; readonly ranges: CodeRanges; readonly isNegated: boolean }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "either"; readonly parts: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly part: PatternNode;
      readonly least: number;
      /** Absent: without an upper bound. */
      readonly most?: number;
      readonly isLazy: boolean;
    }
  | { readonly kind: "capture"; readonly part: PatternNode }
  | { readonly kind: "begin" }
  | { readonly kind: "end" }
  | { readonly kind: "word-edge"; readonly isNegated: boolean };

/** Longest pattern that is read, UTF-16 units. */
export const MAX_PATTERN_LENGTH = 4096;

export const DIGITS: CodeRanges = [[48, 57]];
export const LETTERS_AND_DIGITS: CodeRanges = [
  [48, 57],
  [65, 90],
  [97, 122],
];
const LAST_UNIT = 0xffff;

/** A set of one character. */
export function literalNode(character: string): PatternNode {
  return setNode(rangesOf(character));
}

export function setNode(ranges: CodeRanges, isNegated = false): PatternNode {
  return { kind: "set", ranges, isNegated };
}

/** Every character. */
export const ANY_NODE: PatternNode = setNode([[0, LAST_UNIT]]);

/** A range for each character of a text. */
export function rangesOf(characters: string): CodeRanges {
  return [...characters].map((one) => [one.charCodeAt(0), one.charCodeAt(0)]);
}

/** Every code unit that is in none of the ranges. */
export function complement(ranges: CodeRanges): CodeRanges {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of [...ranges].sort((one, other) => one[0] - other[0])) {
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= LAST_UNIT) gaps.push([next, LAST_UNIT]);
  return gaps;
}
