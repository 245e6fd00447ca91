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

const WORD: CodeRanges = [...LETTERS_AND_DIGITS, ...rangesOf("_-@")];
const SPACE = rangesOf(" ");

/** Source: Wazuh documentation, Regular Expression Syntax, OS_Regex. */
const CLASSES: ReadonlyMap<string, PatternNode> = new Map([
  ["d", setNode(DIGITS)],
  ["D", setNode(complement(DIGITS))],
  ["w", setNode(WORD)],
  ["W", setNode(complement(WORD))],
  ["s", setNode(SPACE)],
  ["S", setNode(complement(SPACE))],
  ["p", setNode(rangesOf("()*+,-.:;<=>?[]!\"'#$%&|{}"))],
  ["t", setNode(rangesOf("\t"))],
  [".", ANY_NODE],
]);

/** Characters that a backslash makes ordinary; any other letter after one is an error. */
const ESCAPABLE = "()\\$|<";

/** One alternative: `+` and `*` repeat only what a backslash begins, everything else is ordinary. */
function readAlternative(text: string): PatternNode | string {
  const hasEnd = /(?:^|[^\\])(?:\\\\)*\$$/.test(text);
  const body = text.slice(text.startsWith("^") ? 1 : 0, hasEnd ? -1 : undefined);
  const stack: PatternNode[][] = [[]];
  let isCaptureTaken = false;
  for (let at = 0; at < body.length; at += 1) {
    const parts = stack[stack.length - 1] ?? [];
    const character = body.charAt(at);
    if (character === "(") {
      if (stack.length > 1) return "parentheses inside parentheses";
      stack.push([]);
    } else if (character === ")") {
      if (stack.length < 2) return "a closing parenthesis without an opening one";
      stack.pop();
      const part: PatternNode = { kind: "sequence", parts };
      stack[0]?.push(isCaptureTaken ? part : { kind: "capture", part });
      isCaptureTaken = true;
    } else if (character === "\\") {
      at += 1;
      const name = body.charAt(at);
      const part =
        CLASSES.get(name) ??
        (ESCAPABLE.includes(name) && name !== "" ? literalNode(name) : undefined);
      if (part === undefined) return `the escape \\${name}`;
      const sign = body.charAt(at + 1);
      if (sign === "+" || sign === "*") {
        at += 1;
        parts.push({ kind: "repeat", part, least: sign === "+" ? 1 : 0, isLazy: false });
      } else parts.push(part);
    } else parts.push(literalNode(character));
  }
  if (stack.length !== 1) return "a parenthesis without an end";
  const parts = stack[0] ?? [];
  return {
    kind: "sequence",
    parts: [
      ...(text.startsWith("^") ? [{ kind: "begin" } as const] : []),
      ...parts,
      ...(hasEnd ? [{ kind: "end" } as const] : []),
    ],
  };
}

/** Splits at each `|` that no backslash makes ordinary. */
function alternatives(pattern: string): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < pattern.length; at += 1) {
    if (pattern.charAt(at) === "\\") at += 1;
    else if (pattern.charAt(at) === "|") {
      parts.push(pattern.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(pattern.slice(from));
  return parts;
}

/**
 * Reads a regular expression of OS_Regex. Where that engine gives up without trying the other ways
 * through a pattern, all ways are tried here. Source: Wazuh documentation, Regular Expression Syntax.
 */
export function readOsRegex(pattern: string): Result<PatternNode> {
  const subject = `regular expression ${pattern.slice(0, 80)}`;
  if (pattern.length > MAX_PATTERN_LENGTH)
    return fail("too-large", subject, `longer than ${MAX_PATTERN_LENGTH} characters`);
  const parts: PatternNode[] = [];
  for (const text of alternatives(pattern)) {
    const part = readAlternative(text);
    if (typeof part === "string") return fail("malformed", subject, part);
    parts.push(part);
  }
  return ok({ kind: "either", parts });
}
