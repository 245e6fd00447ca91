import { fail, ok, type Result } from "../../contract/result.ts";
import { readOsRegex } from "./pattern/os-regex.ts";
import { readPcre2 } from "./pattern/pcre2.ts";
import { type Program, programOf } from "./pattern/program.ts";
import { runPattern } from "./pattern/run.ts";
import type { ScaDialect, ScaRegexType, ScaTerm } from "./policy.ts";

/** Longest part of a line that is looked at, UTF-16 units. */
const MAX_LINE = 4096;
/** Most compiled patterns that are kept. */
const MAX_KEPT = 2000;

/** How the terms of a check are to be understood. */
export interface MatchStyle {
  readonly dialect: ScaDialect;
  readonly regexType: ScaRegexType;
}

const compiled = new Map<string, Result<Program>>();

function programFor(pattern: string, { dialect, regexType }: MatchStyle): Result<Program> {
  // Wazuh 4 compiles PCRE2 without options, Wazuh 5 with "caseless"; OS_Regex never minds the case.
  const ignoresCase = dialect === "v5" || regexType === "os_regex";
  const key = `${regexType} ${ignoresCase} ${pattern}`;
  const before = compiled.get(key);
  if (before !== undefined) return before;
  const tree = regexType === "pcre2" ? readPcre2(pattern) : readOsRegex(pattern);
  const program = tree.ok ? programOf(tree.value, ignoresCase) : tree;
  if (compiled.size >= MAX_KEPT) compiled.clear();
  compiled.set(key, program);
  return program;
}

function compare(number: number, term: Extract<ScaTerm, { readonly kind: "number" }>): boolean {
  switch (term.operator) {
    case "<":
      return number < term.value;
    case "<=":
      return number <= term.value;
    case "==":
      return number === term.value;
    case "!=":
      return number !== term.value;
    case ">=":
      return number >= term.value;
    case ">":
      return number > term.value;
  }
}

/** Whether a line is as the term says, leaving its negation aside. */
function fits(term: ScaTerm, line: string, style: MatchStyle): Result<boolean> {
  if (term.kind === "literal") {
    if (style.dialect === "v5") return ok(line === term.text);
    return ok(line.toLowerCase() === term.text.toLowerCase());
  }
  const program = programFor(term.pattern, style);
  if (!program.ok) return program;
  const match = runPattern(program.value, line);
  if (match === undefined) return ok(false);
  if (term.kind === "regex") return ok(true);
  if (match.captured === undefined && style.dialect === "v4")
    return fail("malformed", term.pattern, "a comparison without parentheses around the number");
  const [digits] = /^\s*[+-]?\d{1,15}/.exec(match.captured ?? match.text) ?? [];
  if (digits === undefined) return fail("malformed", term.pattern, "what it takes is no number");
  return ok(compare(Number(digits), term));
}

/** All terms hold of one line. */
function isLine(terms: readonly ScaTerm[], line: string, style: MatchStyle): Result<boolean> {
  for (const term of terms) {
    const found = fits(term, line, style);
    if (!found.ok) return found;
    if (found.value === term.isNegated) return ok(false);
  }
  return ok(true);
}

/** A line without what is longer than the bound; a carriage return at its end does not count in Wazuh 4. */
function tidy(line: string, style: MatchStyle): string {
  const cut = line.slice(0, MAX_LINE);
  return style.dialect === "v4" ? cut.replace(/[\r\n]+$/, "") : cut;
}

/** Lines of a text as the engine sees them: a line feed at the end begins no further line. */
export function textLines(text: string): readonly string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/**
 * Whether a line is as all the terms say. To Wazuh 5, a single term that is negated means that no line is
 * as it says; to Wazuh 4, that there is a line that is not. Errors: a pattern that is not understood.
 * Source: Wazuh sca_utils.cpp (PatternMatches), wm_sca.c (wm_sca_pattern_matches).
 */
export function findLine(
  lines: readonly string[],
  terms: readonly ScaTerm[],
  style: MatchStyle,
): Result<boolean> {
  if (lines.length === 0) return ok(false);
  const [only] = terms;
  const isNoneMeant = style.dialect === "v5" && terms.length === 1 && only?.isNegated === true;
  const wanted = isNoneMeant ? terms.map((term) => ({ ...term, isNegated: false })) : terms;
  for (const line of lines) {
    const found = isLine(wanted, tidy(line, style), style);
    if (!found.ok) return found;
    if (found.value) return ok(!isNoneMeant);
  }
  return ok(isNoneMeant);
}
