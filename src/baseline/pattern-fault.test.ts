import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MAX_PATTERN, patternFault } from "./pattern-fault.ts";

describe("regular expressions of custom rules", () => {
  const good = [
    "",
    "^net\\.ipv4\\.ip_forward\\s*=\\s*0$",
    "^password\\s+[a-z]+\\s+pam_unix\\.so.*remember=\\d+",
    "yes|no|prohibit-password",
    "^(?:root|admin):[^:]*:0:",
    "\\bnosuid\\b",
    "[a-z]{2,8}-\\d{4}",
    "^(ab){2,5}c",
    "^[\\]a]+b",
    "^x.*y.*z",
    "remember=\\d+",
    "^(?:yes|yep|you)\\s+(?:a|an)$",
    "\\u0041+b",
  ];
  for (const pattern of good) {
    it(`may be ${pattern === "" ? "empty" : pattern}`, () => {
      assert.equal(patternFault(pattern), undefined);
    });
  }

  const bad: readonly (readonly [string, RegExp])[] = [
    ["(", /group/i],
    ["(a+)+b", /repeated group/],
    ["^(a|a)*b", /repeated group/],
    ["^(?:a?){30}b", /repeated group/],
    ["^((a)*)*b", /repeated group/],
    ["^(a)\\1", /reference/],
    ["^(?=a)b", /group other than/],
    ["^(?<name>a)", /group other than/],
    ["^a{1,5000}", /count above/],
    ["x.*y.*z", /3th power/],
    ["^\\w*a\\w*a\\w*a", /3th power/],
    ["^\\s*\\s*\\s*x\\s*\\s*", /power/],
    ["\\b.*a.*b", /3th power/],
    ["^a+a+a+b", /3th power/],
    ["^x\\s+.*y.*z", /3th power/],
    [`^${"a?".repeat(60)}b`, /too many ways/],
    [`^${"(a|a)".repeat(30)}b`, /too many ways/],
    ["a".repeat(MAX_PATTERN + 1), /longer/],
  ];
  for (const [pattern, reason] of bad) {
    it(`may not be ${pattern.slice(0, 40)}`, () => {
      assert.match(patternFault(pattern) ?? "taken", reason);
    });
  }

  it("are judged without a throw, whatever they are, and what is taken is an expression", () => {
    const pieces = fc.array(
      fc.constantFrom(
        "(",
        ")",
        "(?:",
        "|",
        "*",
        "+",
        "?",
        "{2,}",
        "a",
        "\\s",
        "[^b]",
        "^",
        "$",
        "\\",
        "[",
      ),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const source = parts.join("");
        if (patternFault(source) === undefined) new RegExp(source, "i");
      }),
    );
  });

  it("cost no more than the square of the line once taken", () => {
    // The engine does not count its steps, so a small matcher that backtracks as it does is asked.
    const pieces = fc.array(fc.constantFrom(...Object.keys(PIECES)), { maxLength: 7 });
    let taken = 0;
    fc.assert(
      fc.property(pieces, fc.constantFrom("a", "ab"), (parts, unit) => {
        if (patternFault(`^${parts.join("")}c`) !== undefined) return;
        taken += 1;
        const steps = (length: number): number =>
          backtrackingSteps([...parts, "c"], unit.repeat(length / unit.length));
        // Four times for the square; it would be eight for the third power.
        assert.ok(steps(120) <= 4.5 * steps(60) + 500, parts.join(""));
      }),
      { numRuns: 300 },
    );
    assert.ok(taken > 50);
  });
});

type Matcher = (text: string, at: number) => number | undefined;

const one = (letters: string): Matcher => {
  return (text, at) => (at < text.length && letters.includes(text.charAt(at)) ? at + 1 : undefined);
};
const word = (letters: string): Matcher => {
  return (text, at) => (text.startsWith(letters, at) ? at + letters.length : undefined);
};

/** Alternatives of a piece, each with how often it may be repeated. */
const PIECES: Readonly<Record<string, readonly (readonly [Matcher, number, number])[]>> = {
  a: [[one("a"), 1, 1]],
  b: [[one("b"), 1, 1]],
  c: [[one("c"), 1, 1]],
  "a*": [[one("a"), 0, 1e9]],
  "a+": [[one("a"), 1, 1e9]],
  "a?": [[one("a"), 0, 1]],
  "b?": [[one("b"), 0, 1]],
  ".": [[one("abc"), 1, 1]],
  ".*": [[one("abc"), 0, 1e9]],
  "[ab]*": [[one("ab"), 0, 1e9]],
  "(?:ab)?": [[word("ab"), 0, 1]],
  "(?:ab)*": [[word("ab"), 0, 1e9]],
  "(?:a|ab)": [
    [one("a"), 1, 1],
    [word("ab"), 1, 1],
  ],
};

/** Steps of a greedy backtracking match of pieces on a text, from its start. */
function backtrackingSteps(parts: readonly string[], text: string): number {
  let steps = 0;
  function match(index: number, at: number): boolean {
    steps += 1;
    const part = parts[index];
    if (part === undefined) return true;
    for (const [matcher, min, max] of PIECES[part] ?? []) {
      const ends = [at];
      for (let end = matcher(text, at); end !== undefined && ends.length <= max; ) {
        steps += 1;
        ends.push(end);
        end = matcher(text, end);
      }
      if (
        ends
          .slice(min)
          .reverse()
          .some((end) => match(index + 1, end))
      ) {
        return true;
      }
    }
    return false;
  }
  match(0, 0);
  return steps;
}
