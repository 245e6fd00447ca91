import { fail, ok, type Result } from "../../../contract/result.ts";
import {
  ANY_NODE,
  type CodeRanges,
  complement,
  DIGITS,
  LETTERS_AND_DIGITS,
  literalNode,
  MAX_PATTERN_LENGTH,
  type PatternNode,
  rangesOf,
  setNode,
} from "./syntax.ts";

const WORD: CodeRanges = [...LETTERS_AND_DIGITS, [95, 95]];
/** Without the Unicode blanks: the patterns are matched without the UTF option. */
const SPACE: CodeRanges = [
  [9, 13],
  [32, 32],
];
const BLANK = rangesOf("\t ");

/** Sets that a letter after a backslash stands for. Source: pcre2pattern(3), generic character types. */
const CLASSES: ReadonlyMap<string, CodeRanges> = new Map([
  ["d", DIGITS],
  ["D", complement(DIGITS)],
  ["w", WORD],
  ["W", complement(WORD)],
  ["s", SPACE],
  ["S", complement(SPACE)],
  ["h", BLANK],
  ["H", complement(BLANK)],
]);

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ["t", 9],
  ["n", 10],
  ["f", 12],
  ["r", 13],
  ["a", 7],
  ["e", 27],
]);

/** Source: pcre2pattern(3), POSIX character classes. */
const POSIX: ReadonlyMap<string, CodeRanges> = new Map([
  ["alnum", LETTERS_AND_DIGITS],
  ["alpha", LETTERS_AND_DIGITS.slice(1)],
  ["blank", BLANK],
  ["digit", DIGITS],
  // All patterns ignore case.
  ["lower", LETTERS_AND_DIGITS.slice(1)],
  ["upper", LETTERS_AND_DIGITS.slice(1)],
  ["punct", complement([...LETTERS_AND_DIGITS, [0, 32], [127, 0xffff]])],
  ["space", SPACE],
  ["word", WORD],
  ["xdigit", [...DIGITS, [65, 70], [97, 102]]],
]);

/** Most nested groups. */
const MAX_DEPTH = 50;
/** Largest number in `{n,m}`. */
const MAX_COUNT = 255;

interface Reading {
  readonly text: string;
  at: number;
  depth: number;
  isCaptureTaken: boolean;
  refusal?: string;
}

function refuse(reading: Reading, reason: string): PatternNode {
  reading.refusal ??= `${reason} at ${reading.at}`;
  reading.at = reading.text.length;
  return { kind: "begin" };
}

function take(reading: Reading, expected: string): boolean {
  if (!reading.text.startsWith(expected, reading.at)) return false;
  reading.at += expected.length;
  return true;
}

function readEither(reading: Reading): PatternNode {
  const parts = [readSequence(reading)];
  while (take(reading, "|")) parts.push(readSequence(reading));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: "either", parts };
}

function readSequence(reading: Reading): PatternNode {
  const parts: PatternNode[] = [];
  while (reading.at < reading.text.length && !/[|)]/.test(reading.text.charAt(reading.at))) {
    const part = readAtom(reading);
    if (part !== undefined) parts.push(readRepeat(reading, part));
  }
  return { kind: "sequence", parts };
}

function readRepeat(reading: Reading, part: PatternNode): PatternNode {
  const [all, sign, least, comma, most] =
    /^(?:([*+?])|\{(\d{1,4})(,)?(\d{1,4})?\})/.exec(reading.text.slice(reading.at)) ?? [];
  if (all === undefined) return part;
  reading.at += all.length;
  const isLazy = take(reading, "?");
  if (take(reading, "+")) return refuse(reading, "possessive quantifiers are not read");
  if (sign !== undefined) {
    const bounds =
      sign === "*" ? { least: 0 } : sign === "+" ? { least: 1 } : { least: 0, most: 1 };
    return again(reading, { kind: "repeat", part, ...bounds, isLazy });
  }
  const low = Number(least);
  const high = comma === undefined ? low : most === undefined ? undefined : Number(most);
  if (low > MAX_COUNT || (high ?? 0) > MAX_COUNT || (high ?? low) < low)
    return refuse(reading, "a count that is not read");
  return again(reading, {
    kind: "repeat",
    part,
    least: low,
    ...(high === undefined ? {} : { most: high }),
    isLazy,
  });
}

/** A quantifier right after one is an error or a repeat of the repeat, by its sign. */
function again(reading: Reading, node: PatternNode): PatternNode {
  return readRepeat(reading, node);
}

function readAtom(reading: Reading): PatternNode | undefined {
  const character = reading.text.charAt(reading.at);
  reading.at += 1;
  switch (character) {
    case "^":
      return { kind: "begin" };
    case "$":
      return { kind: "end" };
    case ".":
      return ANY_NODE;
    case "(":
      return readGroup(reading);
    case "[":
      return readSet(reading);
    case "\\":
      return readEscape(reading);
    case "*":
    case "+":
    case "?":
      return refuse(reading, "a quantifier with nothing before it");
    default:
      return literalNode(character);
  }
}

function readGroup(reading: Reading): PatternNode | undefined {
  if (take(reading, "?#")) {
    const end = reading.text.indexOf(")", reading.at);
    if (end < 0) return refuse(reading, "a comment without an end");
    reading.at = end + 1;
    return undefined;
  }
  // Case never counts and lines never hold a line feed: these options change nothing.
  const options = /^\?[im]+\)/.exec(reading.text.slice(reading.at));
  if (options !== null) {
    reading.at += options[0].length;
    return undefined;
  }
  const name = /^\?(?:P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/.exec(reading.text.slice(reading.at));
  const isPlain = take(reading, "?:");
  if (name !== null) reading.at += name[0].length;
  else if (!isPlain && reading.text.charAt(reading.at) === "?")
    return refuse(reading, "a group with an option or an assertion, which is not read");
  const isCapture = !isPlain && !reading.isCaptureTaken;
  if (isCapture) reading.isCaptureTaken = true;
  if (reading.depth >= MAX_DEPTH) return refuse(reading, "too many nested groups");
  reading.depth += 1;
  const part = readEither(reading);
  reading.depth -= 1;
  if (!take(reading, ")")) return refuse(reading, "a group without an end");
  return isCapture ? { kind: "capture", part } : part;
}

function readEscape(reading: Reading): PatternNode {
  const character = reading.text.charAt(reading.at);
  const ranges = CLASSES.get(character);
  if (ranges !== undefined) {
    reading.at += 1;
    return setNode(ranges);
  }
  if (take(reading, "b")) return { kind: "word-edge", isNegated: false };
  if (take(reading, "B")) return { kind: "word-edge", isNegated: true };
  if (take(reading, "A")) return { kind: "begin" };
  if (take(reading, "z") || take(reading, "Z")) return { kind: "end" };
  const unit = readEscapedUnit(reading);
  return unit === undefined
    ? refuse(reading, "an escape that is not read")
    : setNode([[unit, unit]]);
}

/** The one character after a backslash; undefined: none that is known. */
function readEscapedUnit(reading: Reading): number | undefined {
  const rest = reading.text.slice(reading.at);
  const hex = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,4})\})/.exec(rest);
  if (hex !== null) {
    reading.at += hex[0].length;
    return Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
  }
  const character = rest.charAt(0);
  reading.at += 1;
  const control = CONTROLS.get(character);
  if (control !== undefined) return control;
  return character === "" || /[A-Za-z0-9]/.test(character) ? undefined : character.charCodeAt(0);
}

function readSet(reading: Reading): PatternNode {
  const isNegated = take(reading, "^");
  const ranges: (readonly [number, number])[] = [];
  let isFirst = true;
  for (;;) {
    if (reading.at >= reading.text.length) return refuse(reading, "a class without an end");
    // A bracket that comes first is a member.
    if (!isFirst && take(reading, "]")) return setNode(ranges, isNegated);
    isFirst = false;
    const low = readMember(reading);
    if (low === undefined) return refuse(reading, "a class that is not read");
    if (typeof low !== "number") {
      for (const range of low) ranges.push(range);
      continue;
    }
    if (!/^-[^\]]/.test(reading.text.slice(reading.at, reading.at + 2))) {
      ranges.push([low, low]);
      continue;
    }
    reading.at += 1;
    const high = readMember(reading);
    if (typeof high === "number" && high >= low) ranges.push([low, high]);
    else if (high === undefined || typeof high === "number")
      return refuse(reading, "a range that is not read");
    else for (const range of [[low, low], [45, 45], ...high] as const) ranges.push(range);
  }
}

/** One member of a class: a character, or the ranges of a set; undefined: not known. */
function readMember(reading: Reading): number | CodeRanges | undefined {
  const posix = /^\[:(\^?)(\w+):\]/.exec(reading.text.slice(reading.at));
  if (posix !== null) {
    reading.at += posix[0].length;
    const ranges = POSIX.get(posix[2] ?? "");
    return posix[1] === "^" && ranges !== undefined ? complement(ranges) : ranges;
  }
  const character = reading.text.charAt(reading.at);
  reading.at += 1;
  if (character !== "\\") return character.charCodeAt(0);
  const ranges = CLASSES.get(reading.text.charAt(reading.at));
  if (ranges !== undefined) {
    reading.at += 1;
    return ranges;
  }
  if (take(reading, "b")) return 8;
  return readEscapedUnit(reading);
}

/**
 * Reads a regular expression of PCRE2. Refused are backreferences, assertions other than anchors and word
 * edges, atomic groups and possessive quantifiers: they cannot be matched in linear time.
 * Source: pcre2pattern(3).
 */
export function readPcre2(pattern: string): Result<PatternNode> {
  if (pattern.length > MAX_PATTERN_LENGTH)
    return fail("too-large", "regular expression", `longer than ${MAX_PATTERN_LENGTH} characters`);
  const reading: Reading = { text: pattern, at: 0, depth: 0, isCaptureTaken: false };
  const node = readEither(reading);
  if (reading.refusal === undefined && reading.at < pattern.length)
    refuse(reading, "a closing parenthesis without an opening one");
  if (reading.refusal !== undefined)
    return fail("unsupported", `regular expression ${pattern.slice(0, 80)}`, reading.refusal);
  return ok(node);
}
