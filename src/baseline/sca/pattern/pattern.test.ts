import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Result } from "../../../contract/result.ts";
import { readOsRegex } from "./os-regex.ts";
import { readPcre2 } from "./pcre2.ts";
import { programOf } from "./program.ts";
import { type PatternMatch, runPattern } from "./run.ts";
import type { PatternNode } from "./syntax.ts";
import { fitsWildcard } from "./wildcard.ts";

function match(
  read: Result<PatternNode>,
  line: string,
  ignoresCase = true,
): PatternMatch | undefined {
  assert.ok(read.ok, read.ok ? "" : read.problem.detail);
  const program = programOf(read.value, ignoresCase);
  assert.ok(program.ok);
  return runPattern(program.value, line);
}

/** Patterns whose meaning in JavaScript is that of PCRE2. */
const SAME = [
  "^\\s*maxauthtries\\s+(\\d+)",
  "^active$|^enabled$",
  "a*?b",
  "(a|ab)(c|bcd)",
  "x{2,3}",
  "x{2,}y?",
  "[\\w@-]+:[*!+-]:",
  "[^a-c]+$",
  "[]x]",
  "^(?:foo|(ba+r))\\b",
  "\\bcat\\B",
  "(a*)*b",
  "a|",
  "^^x",
  "\\.\\*\\[",
];
const LINES = [
  "",
  "MaxAuthTries 6",
  "active",
  "abcd",
  "aaab",
  "xxxx",
  "xxy",
  "bob:!:",
  "cab",
  "foo baaar",
  "baaar",
  "cats",
  "x",
  ".*[",
  "]",
  "aaaaaaaaaaaaaaaaaaaaaaaaac",
];

test("patterns that JavaScript understands alike find the same text and the same first capture", () => {
  for (const pattern of SAME) {
    // JavaScript reads a bracket that comes first as the end of the class.
    const own = new RegExp(pattern.replace("[]x]", "[\\]x]"), "is");
    for (const line of LINES) {
      if (pattern === "(a*)*b" && line.length > 20) continue;
      const expected = own.exec(line);
      const found = match(readPcre2(pattern), line);
      assert.equal(found?.text, expected?.[0], `${pattern} on ${line}`);
      if (!/\*\)\*/.test(pattern))
        assert.equal(found?.captured, expected?.[1], `${pattern} on ${line}`);
    }
  }
});

test("random patterns match as in JavaScript", () => {
  const atom = fc.constantFrom(
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    "\\w",
    "\\d",
    "(a|b)",
    "(?:ab|a)",
    "^",
    "$",
    "\\b",
  );
  const sign = fc.constantFrom("", "", "", "*", "+", "?", "{1,2}", "*?");
  const piece = fc
    .tuple(atom, sign)
    .map(([one, how]) => (/^[\^$]|\\b/.test(one) ? one : one + how));
  const pattern = fc
    .array(fc.oneof(piece, fc.constant("|")), { maxLength: 6 })
    .map((parts) => parts.join(""));
  const line = fc.string({ unit: fc.constantFrom("a", "b", "1", " "), maxLength: 8 });
  fc.assert(
    fc.property(pattern, line, (source, text) => {
      assert.equal(match(readPcre2(source), text)?.text, new RegExp(source, "is").exec(text)?.[0]);
    }),
    { numRuns: 2000 },
  );
});

test("a pattern that makes others take for ever takes a moment", () => {
  const steps = readPcre2("^(a+)+(a+)+(a*)*\\s*\\t*=\\s*\\t*(\\d+)$");
  assert.equal(match(steps, "a".repeat(4096)), undefined);
  assert.equal(match(readPcre2("\\s*\\t*x\\s*\\t*y.*.*.*.*z"), "\t".repeat(4096)), undefined);
});

test("what needs more than one way at a time is refused by name", () => {
  for (const pattern of [
    "(?=a)",
    "(?<!a)b",
    "(a)\\1",
    "a++",
    "(?>a)",
    "[a",
    "(a",
    "a)",
    "*a",
    "\\q",
    "[z-a]",
    "a{300}",
  ]) {
    assert.equal(readPcre2(pattern).ok, false, pattern);
  }
  assert.equal(readPcre2("a".repeat(5000)).ok, false);
  const deep = readPcre2("((((((a{200}){200}){200}))))");
  assert.ok(deep.ok);
  assert.equal(programOf(deep.value, true).ok, false);
});

test("reading garbage never throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."ab\\([{^$*+?|)]}-:,1<=!P'#") }), (text) => {
      for (const read of [readPcre2(text), readOsRegex(text)]) {
        if (!read.ok) continue;
        const program = programOf(read.value, true);
        if (program.ok) runPattern(program.value, "ab1 (a)");
      }
    }),
    { numRuns: 2000 },
  );
});

test("classes of PCRE2 and of OS_Regex are not the same", () => {
  assert.equal(match(readPcre2("^\\s$"), "\t")?.text, "\t");
  assert.equal(match(readOsRegex("^\\s$"), "\t"), undefined);
  assert.equal(match(readOsRegex("^\\w+$"), "a-b@c_d")?.text, "a-b@c_d");
  assert.equal(match(readPcre2("^\\w+$"), "a-b"), undefined);
  assert.equal(match(readPcre2("^[[:space:]]*[[:digit:]]+$"), " 12")?.text, " 12");
});

test("in OS_Regex only what a backslash begins is special", () => {
  assert.equal(match(readOsRegex("a.c"), "abc"), undefined);
  assert.equal(match(readOsRegex("a\\.c"), "abc")?.text, "abc");
  assert.equal(match(readOsRegex("a*"), "a*")?.text, "a*");
  assert.equal(match(readOsRegex("^\\s*maxauthtries\\s+(\\d+)"), "MaxAuthTries 4")?.captured, "4");
  assert.equal(
    match(readOsRegex("^no$|^without-password$"), "without-password")?.text,
    "without-password",
  );
  assert.equal(match(readOsRegex("cost \\$"), "cost $")?.text, "cost $");
  for (const bad of ["\\x", "((a))", "(a", "a)", "(a|b)"])
    assert.equal(readOsRegex(bad).ok, false, bad);
});

test("case counts only where the dialect says so", () => {
  assert.equal(match(readPcre2("^permitrootlogin"), "PermitRootLogin no", false), undefined);
  assert.ok(match(readPcre2("^permitrootlogin"), "PermitRootLogin no"));
  assert.equal(match(readPcre2("[^a]"), "A"), undefined);
});

test("wildcards match as regular expressions do, and stay quick", () => {
  const unit = fc.constantFrom("a", "b", ".");
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, fc.string({ unit, maxLength: 8 }), (wild, text) => {
      const source = wild.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
      assert.equal(fitsWildcard(wild, text), new RegExp(`^${source}$`).test(text));
    }),
  );
  assert.equal(fitsWildcard(`${"*a".repeat(60)}b`, "a".repeat(4000)), false);
});
