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

  it("are never exponential once taken: twice the line is at most eight times the steps", () => {
    // The engine does not count its steps, so a small matcher that backtracks as it does is asked.
    const pieces = fc.array(fc.constantFrom("a*", "a+", "b?", "a", ".", ".*", "[ab]*", "(?:ab)?"), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        if (patternFault(`^${parts.join("")}c`) !== undefined) return;
        const steps = (length: number): number =>
          backtrackingSteps([...parts, "c"], "a".repeat(length));
        assert.ok(steps(40) <= 8 * steps(20) + 100, parts.join(""));
      }),
    );
  });
});

/** Steps of a greedy backtracking match of quantified atoms on a text, from its start. */
function backtrackingSteps(parts: readonly string[], text: string): number {
  let steps = 0;
  const items = parts.map((part) => {
    const match = /^(\(\?:ab\)|\[ab\]|.)([*+?]?)$/.exec(part);
    const atom = match?.[1] ?? "";
    const sign = match?.[2] ?? "";
    return {
      fits: (at: number) =>
        atom === "(?:ab)"
          ? text.startsWith("ab", at)
          : at < text.length && new RegExp(`^${atom}$`).test(text.charAt(at)),
      length: atom === "(?:ab)" ? 2 : 1,
      min: sign === "" || sign === "+" ? 1 : 0,
      max: sign === "" || sign === "?" ? 1 : Number.POSITIVE_INFINITY,
    };
  });
  function match(index: number, at: number): boolean {
    steps += 1;
    const item = items[index];
    if (item === undefined) return true;
    const ends = [at];
    for (let end = at; ends.length <= item.max && item.fits(end); ) {
      steps += 1;
      end += item.length;
      ends.push(end);
    }
    return ends
      .slice(item.min)
      .reverse()
      .some((end) => match(index + 1, end));
  }
  match(0, 0);
  return steps;
}
