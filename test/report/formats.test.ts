/** The formats of a report: golden files, and what each form promises. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { htmlText } from "../../src/report/html/html-text.ts";
import { jsonText } from "../../src/report/json-text.ts";
import { markdownText } from "../../src/report/markdown-text.ts";
import { sarifText } from "../../src/report/sarif-text.ts";
import type { ScanReport } from "../../src/report/scan-report.ts";
import { tableLines } from "../../src/report/table-lines.ts";
import { RECORDED_REPORT } from "./recorded-report.ts";
import { sarifValidator } from "./sarif-validator.ts";

const FIXTURES = new URL("fixtures/", import.meta.url);

const FORMS: Readonly<Record<string, (report: ScanReport) => string>> = {
  "report.txt": (report) => `${tableLines(report, (_colour, text) => text).join("\n")}\n`,
  "report.json": (report) => `${jsonText(report)}\n`,
  "report.sarif": (report) => `${sarifText(report)}\n`,
  "report.html": htmlText,
  "report.md": markdownText,
};

describe("a recorded report", () => {
  for (const [name, write] of Object.entries(FORMS)) {
    it(`is written to ${name} as it was reviewed`, () => {
      const file = new URL(name, FIXTURES);
      const text = write(RECORDED_REPORT);
      // `REWRITE_GOLDEN=1` writes the files anew; the difference is part of the review.
      if (process.env["REWRITE_GOLDEN"] === "1") writeFileSync(file, text);
      assert.ok(text.length > 2_000, `only ${text.length} characters`);
      assert.equal(text, readFileSync(file, "utf8"));
    });
  }
});

interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly kind: string;
  readonly level: string;
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly locations?: readonly {
    readonly physicalLocation?: {
      readonly artifactLocation: { readonly uri: string; readonly uriBaseId: string };
    };
  }[];
}

function runOf(report: ScanReport): {
  readonly results: readonly SarifResult[];
  readonly tool: { readonly driver: { readonly rules: readonly Record<string, unknown>[] } };
} {
  return JSON.parse(sarifText(report)).runs[0];
}

describe("SARIF", () => {
  const validate = sarifValidator();

  it("is valid by the published schema of 2.1.0", () => {
    assert.deepEqual(validate(sarifText(RECORDED_REPORT)), []);
  });

  it("is held against a schema that refuses what is wrong", () => {
    assert.notDeepEqual(validate('{"version":"2.1.0"}'), []);
    const wrong = sarifText(RECORDED_REPORT).replace('"kind": "fail"', '"kind": "failed"');
    assert.notDeepEqual(validate(wrong), []);
    const odd = sarifText(RECORDED_REPORT).replace('"columnKind"', '"columnSort"');
    assert.notDeepEqual(validate(odd), []);
  });

  it("is valid for a device of which nothing is known", () => {
    const bare = { ...RECORDED_REPORT, recommendations: [], device: [], gaps: [] };
    const empty = { ...bare, baseline: { checks: [], skipped: [] } };
    assert.deepEqual(validate(sarifText(empty)), []);
  });

  it("has a rule with help behind each result", () => {
    const { results, tool } = runOf(RECORDED_REPORT);
    assert.equal(results.length, 10);
    for (const { ruleId, ruleIndex } of results) {
      const rule = tool.driver.rules[ruleIndex];
      assert.equal(rule?.["id"], ruleId);
      assert.match(JSON.stringify(rule?.["help"]), /^{"text":".+"/);
    }
  });

  it("gives a finding its level, and none to what could not be judged", () => {
    const { results } = runOf(RECORDED_REPORT);
    const byRule = new Map(results.map((one) => [one.ruleId, `${one.kind} ${one.level}`]));
    assert.equal(byRule.get("5.2.10"), "fail error");
    assert.equal(byRule.get("3.2.9"), "fail warning");
    assert.equal(byRule.get("5.2.5"), "fail note");
    assert.equal(byRule.get("5.2.4"), "open none");
    assert.equal(byRule.get("IoT_PermissiveInputFirewallRules"), "open none");
  });

  it("names the files that are evidence, relative to the root that was looked at", () => {
    const report = { ...RECORDED_REPORT, made: { ...RECORDED_REPORT.made, root: "/mnt/an image" } };
    const run = JSON.parse(sarifText(report)).runs[0];
    assert.equal(run.originalUriBaseIds.ROOT.uri, "file:///mnt/an%20image/");
    const root = runOf(report).results.find(({ ruleId }) => ruleId === "5.2.10");
    const uris = root?.locations?.flatMap(
      (one) => one.physicalLocation?.artifactLocation.uri ?? [],
    );
    assert.deepEqual(uris, ["etc/ssh/sshd_config"]);
  });

  it("keeps fingerprints when the same thing is found again by another process", () => {
    const again = structuredClone(RECORDED_REPORT) as unknown as {
      recommendations: { type: string; evidence: Record<string, string>[] }[];
    };
    for (const { evidence } of again.recommendations) {
      for (const record of evidence) if (record["pid"] !== undefined) record["pid"] = "4711";
    }
    const prints = (report: ScanReport): readonly (string | undefined)[] =>
      runOf(report).results.map(({ fingerprints }) => fingerprints["gatewarden/v1"]);
    const before = prints(RECORDED_REPORT);
    assert.deepEqual(prints(again as unknown as ScanReport), before);
    assert.equal(new Set(before).size, before.length);
    assert.match(before[0] ?? "", /^[0-9a-f]{64}$/);
  });
});

describe("the HTML page", () => {
  const page = htmlText(RECORDED_REPORT);

  it("loads nothing: no address, no source, and a policy that says so", () => {
    assert.equal(
      /\b(?:https?:)?\/\/[a-z]/i.test(page.replace(/<script>[\s\S]*<\/script>/, "")),
      false,
    );
    assert.equal(/<(?:img|iframe|object|embed|link rel="stylesheet")/.test(page), false);
    assert.equal(/\ssrc=|@import|url\(/.test(page), false);
    assert.match(page, /default-src 'none'; style-src 'sha256-/);
  });

  it("lets the browser run only the script that is in it", () => {
    const script = /<script>([\s\S]*?)<\/script>/.exec(page)?.[1] ?? "";
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
    for (const text of [script, style]) {
      assert.ok(text.length > 100);
      const hash = createHash("sha256").update(text).digest("base64");
      assert.ok(page.includes(`'sha256-${hash}'`));
    }
    assert.equal(/ style=| on[a-z]+=/.test(page), false);
  });

  it("shows each socket with how far it can be reached", () => {
    const bars = [...page.matchAll(/<span class="bar ([a-z ]+)"/g)].map(([, name]) => name);
    assert.deepEqual(bars, [
      "open internet",
      "allowed internet",
      "open networks",
      "unknown unknown",
      "inside containers",
      "inside device",
      "inside device",
    ]);
    assert.equal(page.match(/class="lane stopped"/g)?.length, 1);
  });

  it("folds away sockets for this device alone where there are many", () => {
    const { exposure } = RECORDED_REPORT;
    const more = [...exposure.sockets, ...exposure.sockets];
    const many = htmlText({ ...RECORDED_REPORT, exposure: { ...exposure, sockets: more } });
    assert.match(many, /For this device alone<\/span><span class="tally">2 sockets/);
  });

  it("closes every element that it opens", () => {
    const open: string[] = [];
    const markup = page.replace(/<(script|style)>[\s\S]*?<\/\1>/g, "");
    for (const [, end, name = "", , self] of markup.matchAll(
      /<(\/?)([a-z][a-z0-9]*)\b([^>]*?)(\/?)>/g,
    )) {
      if (["meta", "link", "input"].includes(name) || self === "/") continue;
      if (end === "/") assert.equal(open.pop(), name);
      else open.push(name);
    }
    assert.deepEqual(open, []);
  });
});

describe("JSON", () => {
  it("has totals, findings in order and everything else", () => {
    const report = JSON.parse(jsonText(RECORDED_REPORT));
    assert.equal(report.formVersion, "1.0");
    assert.deepEqual(report.totals.wrong, { high: 1, medium: 5, low: 0, informational: 1 });
    assert.equal(report.findings[0].id, "5.2.10");
    assert.equal(report.exposure.sockets.length, 7);
  });
});
