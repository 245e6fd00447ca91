/** What holds for every report, whatever a device calls itself, its programs and its rules. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compareIds, failsAt, findingsOf } from "../../src/report/finding.ts";
import { htmlText } from "../../src/report/html/html-text.ts";
import { escapeText } from "../../src/report/html/markup.ts";
import { jsonText } from "../../src/report/json-text.ts";
import { markdownPlain, markdownText } from "../../src/report/markdown-text.ts";
import { sarifText } from "../../src/report/sarif-text.ts";
import { LEVELS, type ScanReport } from "../../src/report/scan-report.ts";
import { tableLines } from "../../src/report/table-lines.ts";
import { RECORDED_REPORT } from "./recorded-report.ts";
import { sarifValidator } from "./sarif-validator.ts";

/** Fields that the project itself fills, with words of closed sets. */
const OWN = new Set([
  ...["type", "level", "state", "standing", "reach", "protocol", "at", "exposure"],
  ...["direction", "default", "isAllowed"],
]);

/** The report with a text in place of every text that a device could choose. */
function poisoned(text: string): ScanReport {
  const replace = (value: unknown, name: string): unknown => {
    if (typeof value === "string") return OWN.has(name) ? value : text;
    if (Array.isArray(value)) return value.map((one) => replace(one, name));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replace(one, key)]));
  };
  return replace(RECORDED_REPORT, "") as ScanReport;
}

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          "<script>alert(1)</script>",
          '"><img src=x onerror=alert(1)>',
          "</title>",
          "-->",
          "]]>",
        ],
        ...[
          "' onload='",
          "&lt;",
          "javascript:alert(1)",
          "</style>",
          "{{7*7}}",
          "`",
          "|",
          "\\",
          "**",
        ],
        ...["[a](http://b)", "\u202e", "\u0000", "\u001b[31m", "\ud800", "\udc00", "\u2028", "://"],
      ),
      fc.string({ unit: "binary", maxLength: 12 }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => `x${parts.join("").replace(/[\r\n]/g, " ")}`);

/** Tags of a page with the names of their attributes: what a text must not change. */
function skeleton(page: string): readonly string[] {
  const markup = page.replace(/<(script|style)>[\s\S]*?<\/\1>/g, "<$1>");
  return [...markup.matchAll(/<([^<>]*)>/g)].map(([, tag = ""]) => tag.replace(/="[^"]*"/g, "="));
}

describe("hostile texts", () => {
  const harmless = skeleton(htmlText(poisoned("x")));

  it("never change the elements and attributes of the page", () => {
    assert.ok(harmless.length > 300, `only ${harmless.length} tags`);
    fc.assert(
      fc.property(hostile, (text) => {
        const page = htmlText(poisoned(text));
        assert.deepEqual(skeleton(page), harmless);
        // Outside of tags there is no bracket left.
        const texts = page.replace(/<(script|style)>[\s\S]*?<\/\1>/g, "").replace(/<[^<>]*>/g, "");
        assert.equal(/[<>]/.test(texts), false);
      }),
      { numRuns: 60 },
    );
  });

  it("would change them if they were not escaped", () => {
    const page = htmlText(poisoned("qqq")).replaceAll("qqq", '"><img src=x>');
    assert.notDeepEqual(skeleton(page), harmless);
  });

  it("come back whole from HTML, but for what no browser would show", () => {
    const back: Readonly<Record<string, string>> = {
      "&amp;": "&",
      "&lt;": "<",
      "&gt;": ">",
      "&quot;": '"',
      "&#39;": "'",
    };
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const escaped = escapeText(text);
        assert.equal(/[<>"']/.test(escaped), false);
        const read = escaped.replace(/&(?:amp|lt|gt|quot|#39);/g, (found) => back[found] ?? "");
        assert.equal(read, escapeText(text).includes("\ufffd") ? read : text);
      }),
    );
  });

  it("leave SARIF valid and JSON readable", () => {
    const validate = sarifValidator();
    fc.assert(
      fc.property(hostile, (text) => {
        assert.deepEqual(validate(sarifText(poisoned(text))), []);
        JSON.parse(jsonText(poisoned(text)));
      }),
      { numRuns: 40 },
    );
  });

  it("send no control characters to a terminal", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const lines = tableLines(poisoned(text), (_colour, one) => one).join("");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
        assert.equal(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/.test(lines), false);
      }),
      { numRuns: 60 },
    );
  });

  it("are no markup in Markdown: outside of code nothing has a meaning", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const plain = markdownPlain(text).replace(/\\[!-/:-@[-`{-~]/g, "");
        assert.equal(/[`*_[\]<>|~\n]/.test(plain), false, plain);
        assert.equal(/&(?!amp;|#58;|#46;|#64;)/.test(plain), false);
        assert.ok(markdownText(poisoned(text)).length > 1_000);
      }),
      { numRuns: 60 },
    );
  });
});

describe("findings", () => {
  const { checks } = RECORDED_REPORT.baseline;
  const { recommendations } = RECORDED_REPORT;

  it("come worst first, in the same order however the report lists them", () => {
    const expected = findingsOf(RECORDED_REPORT).map(({ id }) => id);
    assert.deepEqual(expected, [
      "5.2.10",
      "IoT_OpenPorts",
      "IoT_PermissiveFirewallPolicy",
      "1.1.2",
      "3.2.9",
      "3.2.10",
      "IoT_PermissiveInputFirewallRules",
      "5.2.4",
      "5.2.5",
    ]);
    const shuffled = <T>(all: readonly T[]): fc.Arbitrary<T[]> =>
      fc.shuffledSubarray([...all], { minLength: all.length });
    fc.assert(
      fc.property(shuffled(checks), shuffled(recommendations), (some, others) => {
        const report = {
          ...RECORDED_REPORT,
          recommendations: others,
          baseline: { checks: some, skipped: [] },
        };
        const found = findingsOf(report);
        assert.deepEqual(
          found.map(({ id }) => id),
          expected,
        );
        const ranks = found.map(({ level }) => LEVELS.indexOf(level));
        assert.deepEqual(ranks, [...ranks].sort());
      }),
    );
  });

  it("are ordered by numbers as numbers, without circles", () => {
    const part = fc.oneof(fc.nat(30).map(String), fc.constantFrom("01", "a", "", "B-1"));
    const id = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
    assert.ok(compareIds("1.2.9", "1.2.10") < 0);
    fc.assert(
      fc.property(id, id, id, (a, b, c) => {
        assert.equal(Math.sign(compareIds(a, b)), -Math.sign(compareIds(b, a)) + 0);
        if (compareIds(a, b) <= 0 && compareIds(b, c) <= 0) assert.ok(compareIds(a, c) <= 0);
      }),
    );
  });

  it("fail from the level on that was asked for, and open ones only when strict", () => {
    const only = (ids: readonly string[]): ScanReport => ({
      ...RECORDED_REPORT,
      recommendations: recommendations.filter(({ type }) => ids.includes(type)),
      baseline: { checks: checks.filter(({ id }) => ids.includes(id)), skipped: [] },
    });
    assert.equal(failsAt(only(["5.2.10"]), "high", false), true);
    assert.equal(failsAt(only(["1.1.2"]), "high", false), false);
    assert.equal(failsAt(only(["1.1.2"]), "medium", false), true);
    assert.equal(failsAt(only(["IoT_OpenPorts"]), "medium", false), true);
    assert.equal(failsAt(only(["IoT_Baseline"]), "informational", false), false);
    assert.equal(failsAt(only(["5.2.5"]), "low", false), false);
    assert.equal(failsAt(only(["5.2.5"]), "informational", false), true);
    assert.equal(failsAt(only(["5.2.4"]), "medium", false), false);
    assert.equal(failsAt(only(["5.2.4"]), "medium", true), true);
    assert.equal(failsAt(only(["5.2.6"]), "informational", true), false);
    assert.equal(failsAt(RECORDED_REPORT, "none", true), false);
  });
});
