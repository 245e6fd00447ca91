/** Every format of a report about a hub: golden files from records of an invented plant. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { hubReportOf } from "../../src/cli/hub-posture-view.ts";
import { createRecordDesk } from "../../src/fleet/record-desk.ts";
import { failsAt, findingsOf } from "../../src/report/finding.ts";
import { htmlText } from "../../src/report/html/html-text.ts";
import { jsonText } from "../../src/report/json-text.ts";
import { markdownText } from "../../src/report/markdown-text.ts";
import { sarifText } from "../../src/report/sarif-text.ts";
import type { HubReport } from "../../src/report/scan-report.ts";
import { tableLines } from "../../src/report/table-lines.ts";
import { FLEET } from "../posture/hub/fleet.ts";
import { fixedDigest } from "../posture/hub/judged.ts";
import { SECRET_MARK } from "../posture/hub/records.ts";
import { sarifValidator } from "./sarif-validator.ts";

const FIXTURES = new URL("fixtures/", import.meta.url);

function reportOf(files: Readonly<Record<string, string>>): HubReport {
  const desk = createRecordDesk(fixedDigest);
  for (const [name, text] of Object.entries(files)) {
    const source = desk.open(name);
    source.text(text);
    source.end();
  }
  const at = "2026-01-15T12:00:00.000Z";
  const made = { version: "1.2.3", at, durationMs: 1_234, isLive: false, maxAddresses: 65_536 };
  return hubReportOf(desk, ["twins: not permitted (it needs IoT Hub Data Reader)"], made);
}

function lineOfLastTwin(): number {
  const lines = (FLEET["3-twins.json"] ?? "").split("\n");
  return lines.lastIndexOf(" {") + 1;
}

const REPORT = reportOf(FLEET);
const FORMS: Readonly<Record<string, (report: HubReport) => string>> = {
  "hub-report.txt": (report) => `${tableLines(report, (_colour, text) => text).join("\n")}\n`,
  "hub-report.json": (report) => `${jsonText(report)}\n`,
  "hub-report.sarif": (report) => `${sarifText(report)}\n`,
  "hub-report.html": htmlText,
  "hub-report.md": markdownText,
};

describe("a report about a hub", () => {
  for (const [name, write] of Object.entries(FORMS)) {
    it(`is written to ${name} as it was reviewed, without a key`, () => {
      const file = new URL(name, FIXTURES);
      const text = write(REPORT);
      // `REWRITE_GOLDEN=1` writes the files anew; the difference is part of the review.
      if (process.env["REWRITE_GOLDEN"] === "1") writeFileSync(file, text);
      assert.ok(text.length > 2_000, `only ${text.length} characters`);
      assert.equal(text, readFileSync(file, "utf8"));
      assert.equal(text.includes(SECRET_MARK), false);
    });
  }

  it("finds something in every row, but where a torn rule may decide", () => {
    const others = REPORT.recommendations.filter(({ state }) => state !== "unhealthy");
    assert.deepEqual(
      others.map(({ type, state }) => `${type} ${state}`),
      ["IoT_IPFilter_DenyAll unknown"],
    );
    assert.equal(REPORT.recommendations.length, 9);
  });

  it("names what was skipped in every list", () => {
    assert.deepEqual(
      REPORT.skipped.records.map(({ source, subject }) => `${source}: ${subject}`),
      [
        "1-hub.json: hub plant-hub, ipFilterRules, rule torn",
        "2-devices.txt: line 5",
        "3-twins.json: gw-04/$edgeAgent, module torn",
        "3-twins.json: line LINE",
        "4-logs.jsonl: line 4",
        "4-logs.jsonl: line 5",
      ].map((text) => text.replace("LINE", String(lineOfLastTwin()))),
    );
    assert.equal(REPORT.skipped.count, 6);
  });

  it("is valid SARIF, with lasting fingerprints when the fleet grows and hashes change", () => {
    assert.deepEqual(sarifValidator()(sarifText(REPORT)), []);
    const prints = (report: HubReport): readonly string[] =>
      [...sarifText(report).matchAll(/"gatewarden\/v1": "([0-9a-f]{64})"/g)].map(
        ([, one]) => one ?? "",
      );
    const before = prints(REPORT);
    assert.equal(new Set(before).size, before.length);
    const grown = {
      ...REPORT,
      recommendations: REPORT.recommendations.map((one) => ({
        ...one,
        evidence: one.evidence.map((record) => {
          const more = record["devices"] === undefined ? {} : { devices: "others" };
          return { ...record, ...more, ...(record["hash"] === undefined ? {} : { hash: "0" }) };
        }),
      })),
    };
    assert.deepEqual(prints(grown), before);
  });

  it("fails as a scan does: by level, and by what is open only when strict", () => {
    assert.equal(failsAt(REPORT, "high", false), true);
    assert.equal(failsAt(REPORT, "none", true), false);
    const nothing = reportOf({});
    assert.equal(findingsOf(nothing).length, 9);
    assert.equal(failsAt(nothing, "informational", false), false);
    assert.equal(failsAt(nothing, "low", true), true);
  });

  it("is a page that knows nothing of devices: no exposure, no baseline, links that lead somewhere", () => {
    const page = htmlText(REPORT);
    const ids = new Set([...page.matchAll(/<section id="([a-z]+)"/g)].map(([, id]) => id));
    const links = [...page.matchAll(/href="#([a-z]+)"/g)].map(([, id]) => id);
    assert.deepEqual(links, ["recommendations", "records", "made"]);
    for (const id of links) assert.ok(ids.has(id));
    assert.equal(ids.size, 3);
    assert.match(page, /offices &amp; &lt;sites&gt;/);
  });
});
