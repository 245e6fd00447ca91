import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { desiredOf, hostileDesired, wrapped } from "../../test/twin/samples.ts";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import { DEFAULT_SETTINGS } from "../contract/settings.ts";
import { createClassicDialect } from "./classic-dialect.ts";
import { CLASSIC_OBJECT_NAME } from "./classic-names.ts";
import { type LintReport, lintTwin } from "./lint.ts";
import { formatLintReport } from "./lint-format.ts";

const defaults = createClassicDialect(DEFAULT_SETTINGS).report(DEFAULT_SETTINGS);

function lint(value: JsonValue): LintReport {
  return lintTwin(JSON.stringify(value));
}

function briefly(report: LintReport): readonly string[] {
  return report.findings.map((finding) => `${finding.severity} ${finding.kind} ${finding.where}`);
}

describe("twin lint", () => {
  it("takes a twin, its desired part, the desired properties or the configuration alone", () => {
    const configuration = wrapped({ snapshotFrequency: "PT1H" });
    const desired: JsonObject = { ...desiredOf(configuration), $version: 4, $metadata: { $x: {} } };
    const shapes: readonly (readonly [JsonValue, string])[] = [
      [{ moduleId: "m", properties: { desired, reported: {} } }, "module twin"],
      [{ desired }, "desired twin"],
      [desired, "desired properties"],
      [configuration, "configuration"],
    ];
    for (const [value, shape] of shapes) {
      const report = lint(value);
      assert.equal(report.shape, shape);
      assert.deepEqual(report.findings, []);
      assert.equal(report.properties.length, 25);
      const { inForce, outcome } = report.properties[2] ?? {};
      assert.deepEqual([inForce, outcome], ["PT1H", "applied"]);
    }
  });

  it("finds nothing wrong with the default twin", () => {
    const report = lint({ properties: { desired: desiredOf(defaults) } });
    assert.deepEqual([report.errors, report.warnings, report.findings.length], [0, 0, 0]);
    assert.ok(report.properties.every((property) => property.outcome === "applied"));
  });

  it("orders errors, warnings and notes", () => {
    const report = lint(
      wrapped({
        hubResourceId: "x",
        eventPriorityLogn: "Low",
        maxMessageSizeInBytes: 10_000,
        snapshotFrequency: "soon",
      }),
    );
    assert.deepEqual(briefly(report), [
      "error TypeMismatch snapshotFrequency",
      "warning NotOptimal maxMessageSizeInBytes",
      "warning UnknownKey eventPriorityLogn",
      "note UnsupportedKey hubResourceId",
    ]);
    assert.equal(report.findings[2]?.suggestion, "eventPriorityLogin");
    assert.deepEqual([report.errors, report.warnings], [1, 2]);
  });

  it("suggests the object's name when it is misspelled", () => {
    const name = CLASSIC_OBJECT_NAME.replace("Security", "Securty");
    const report = lint({ desired: { [name]: defaults } });
    assert.deepEqual(briefly(report), [`warning UnknownKey ${name}`, "note NoConfiguration "]);
    assert.equal(report.findings[0]?.suggestion, CLASSIC_OBJECT_NAME);
  });

  it("says so when the text is no JSON object", () => {
    for (const text of ["", "{", "[]", "null", '"x"', '{"__proto__":1}', `${"[".repeat(9_999)}`]) {
      const report = lintTwin(text);
      assert.equal(report.shape, undefined);
      assert.deepEqual(briefly(report), ["error NotReadable "]);
    }
  });

  it("holds the desired properties against the hub's bounds", () => {
    let deep: JsonValue = { leaf: 1 };
    for (let level = 0; level < 11; level += 1) deep = { level: deep };
    const bad: readonly (readonly [JsonObject, RegExp])[] = [
      [{ note: "x".repeat(4_097) }, /text of more than 4096 bytes/],
      [{ note: "é".repeat(2_049) }, /text of more than 4096 bytes/],
      [{ ["k".repeat(1_025)]: 1 }, /key of more than 1024 bytes/],
      [{ "10.0.0.1": 1 }, /key with a dot/],
      [{ "a b": 1 }, /key with a dot/],
      [{ a: { $b: 1 } }, /key with a dot/],
      [{ "a\u0001": 1 }, /key with a dot/],
      [{ n: 2 ** 53 }, /integer beyond 2\^52/],
      [deep, /nested deeper than 10 levels/],
      [{ list: Array.from({ length: 9 }, () => "x".repeat(4_000)) }, /36\d\d\d bytes by the hub/],
    ];
    for (const [extra, message] of bad) {
      const found = lint({ desired: { ...desiredOf(defaults), ...extra } }).findings.filter(
        (finding) => finding.kind === "TwinLimit",
      );
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.match(found[0]?.message ?? "", message);
    }
  });

  it("counts size by the hub's rules", () => {
    assert.equal(lint({ desired: { ab: 1, é: "xyz", c: { d: true }, e: [1, "é"] } }).sizeBytes, 32);
  });

  it("never throws, and prints only printable lines, whatever the text is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), hostileDesired.map(text)), (any) => {
        const report = lintTwin(any);
        const printed = formatLintReport(report, { colour: false });
        assert.match(printed, /^[\x20-\x7e\n]+$/);
        assert.equal(
          formatLintReport(report, { colour: true, json: true }),
          JSON.stringify(report, null, 2),
        );
      }),
      { numRuns: 300 },
    );
  });
});

function text(value: JsonValue): string {
  return JSON.stringify(value);
}

describe("a printed lint report", () => {
  const report = lint(wrapped({ snapshotFrequency: "soon", eventPriorityLogn: "Low" }));

  it("aligns outcome, name and value, and ends with the counts", () => {
    const lines = formatLintReport(report, { colour: false }).split("\n");
    assert.equal(lines[0], "defaulted  highPriorityMessageFrequency          PT7M");
    assert.equal(lines[2], "rejected   snapshotFrequency                     PT13H");
    assert.deepEqual(lines.slice(-4), [
      'error    snapshotFrequency: found "soon"; expected ISO 8601 duration from PT1S to P36500D; ' +
        "PT13H stays in force (TypeMismatch)",
      "warning  eventPriorityLogn: the agent knows no such key and ignores it; " +
        "did you mean eventPriorityLogin? (UnknownKey)",
      "",
      "1 error, 1 warning in a configuration of 107 of 32768 bytes",
    ]);
  });

  it("is coloured only when asked", () => {
    assert.equal(formatLintReport(report, { colour: false }).includes("\u001b"), false);
    assert.ok(formatLintReport(report, { colour: true }).includes("\u001b[31mrejected"));
  });
});
