import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { memoryRoot } from "../../test/baseline/memory-root.ts";
import type { Check } from "./check.ts";
import { createDevice } from "./device.ts";
import type { Pacer } from "./pacer.ts";
import type { Rule } from "./rule.ts";
import { countStandings, type ScanOptions, scanDevice, standingOf } from "./scan.ts";
import { FULL_SELECTION, type Selection } from "./selection.ts";
import { isInForce, parseWaivers, waiverEndMs } from "./waivers.ts";

const NOON_MS = Date.UTC(2026, 0, 15, 12);
const noPacer: Pacer = { step: async () => undefined, restedMs: 0 };

function rule(id: string, check: Check, changes: Partial<Rule> = {}): Rule {
  return {
    id,
    title: `Rule ${id}`,
    rationale: "Because.",
    remediation: "Do it.",
    level: 1,
    isScored: true,
    severity: "Warning",
    group: "Time Synchronization",
    cost: "light",
    check,
    ...changes,
  };
}

const THERE: Check = { test: "file-exists", path: "/etc/there" };
const GONE: Check = { test: "file-exists", path: "/etc/gone" };
const BAD_PATTERN: Check = {
  test: "lines",
  files: ["/etc/there"],
  pattern: "(",
  want: "some",
  what: "anything",
};

function scan(rules: readonly Rule[], changes: Partial<ScanOptions & Selection> = {}) {
  const { pacer, signal, onProgress, ...selection } = changes;
  return scanDevice({
    rules,
    device: createDevice(memoryRoot({ "/etc/there": "x" }), NOON_MS),
    selection: { ...FULL_SELECTION, ...selection },
    pacer: pacer ?? noPacer,
    signal: signal ?? new AbortController().signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

describe("a scan", () => {
  it("judges every rule in order, and one that throws is an error with the reason", async () => {
    const deep: Check = { test: "file-exists", path: "/etc/there" };
    // What JSON could hold but no type allows.
    const hostile = [null, 5, {}, { all: 7 }, { test: "no-such" }] as unknown as readonly Check[];
    const nested = Array.from({ length: 50_000 }).reduce<Check>((inner) => ({ not: inner }), deep);
    const rules = [
      rule("1", THERE),
      rule("2", BAD_PATTERN),
      ...hostile.map((check, at) => rule(`h${at}`, check)),
      rule("deep", nested),
      rule("9", GONE),
    ];
    const report = await scan(rules);
    assert.deepEqual(
      report.results.map((result) => result.rule.id),
      rules.map((one) => one.id),
    );
    assert.equal(report.results[0]?.outcome.verdict, "pass");
    assert.equal(report.results.at(-1)?.outcome.verdict, "fail");
    for (const result of report.results.slice(1, -1)) {
      assert.equal(result.outcome.verdict, "error", result.rule.id);
      assert.match(result.outcome.reason ?? "", /could not be judged: ./);
    }
    assert.ok(report.isComplete);
  });

  it("leaves out disabled groups and checks, however they are spelt, and says which and why", async () => {
    const rules = [
      rule("1.1", THERE),
      rule("2.1", THERE, { group: "SSH Server" }),
      rule("3.1", THERE, { group: "PAM" }),
      rule("13.1", THERE, { group: "PAM" }),
      rule("4.1", THERE, { group: "cron", cost: "full-walk" }),
    ];
    const report = await scan(rules, {
      groupsDisabled: ["time-synchronization", "No Such"],
      checksDisabled: ["CIS-debian-12-PAM-3.1", "9.9"],
      isWalkOn: false,
    });
    assert.deepEqual(
      report.results.map((result) => result.rule.id),
      ["2.1", "13.1"],
    );
    assert.deepEqual(
      report.skipped.map((one) => [one.rule.id, one.reason]),
      [
        ["1.1", "group disabled"],
        ["3.1", "check disabled"],
        ["4.1", "file system walk is off"],
      ],
    );
    assert.deepEqual(report.unknownNames, ["No Such", "9.9"]);
  });

  it("judges what is named, even where it is disabled", async () => {
    const rules = [rule("1.1", THERE), rule("1.2", THERE)];
    const report = await scan(rules, { only: ["1.2"], checksDisabled: ["1.2"] });
    assert.deepEqual(
      report.results.map((result) => result.rule.id),
      ["1.2"],
    );
  });

  it("counts a failure that somebody answers for as waived, and one no longer as failed", async () => {
    const rules = ["1", "2", "3", "4"].map((id) => rule(id, id === "3" ? THERE : GONE));
    const report = await scan([...rules, rule("5", BAD_PATTERN)], {
      waivers: [
        { rule: "1", reason: "r", expires: "2026-01-15" },
        { rule: "2", reason: "r", expires: "2026-01-14" },
        { rule: "3", reason: "r", expires: "2027-01-01" },
        { rule: "4", reason: "r", expires: "2026-02-30" },
        { rule: "5", reason: "r", expires: "2027-01-01" },
      ],
    });
    assert.deepEqual(report.results.map(standingOf), [
      "waived",
      "failed",
      "passed",
      "failed",
      "waived",
    ]);
    assert.equal(report.results[1]?.expiredWaiver?.expires, "2026-01-14");
    assert.equal(report.results[0]?.expiredWaiver, undefined);
    assert.deepEqual(countStandings(report.results), {
      passed: 1,
      failed: 2,
      error: 0,
      "not-applicable": 0,
      manual: 0,
      waived: 2,
    });
  });

  it("rests after each rule, tells how far it is, and ends when it is told to", async () => {
    const abort = new AbortController();
    const told: number[] = [];
    const pacer: Pacer = {
      restedMs: 0,
      step: async () => {
        if (told.length === 2) abort.abort();
      },
    };
    const report = await scan(
      ["1", "2", "3"].map((id) => rule(id, THERE)),
      { pacer, signal: abort.signal, onProgress: (done, total) => told.push(done, total) },
    );
    assert.deepEqual(told, [1, 3]);
    assert.equal(report.isComplete, false);
    assert.equal(report.results.length, 1);
  });
});

describe("waivers", () => {
  it("are read from one text", () => {
    assert.deepEqual(
      parseWaivers(" 5.2.4 2026-12-31 the vendor  needs it; 3.1.1 2027-01-31 x;", "w"),
      {
        ok: true,
        value: [
          { rule: "5.2.4", expires: "2026-12-31", reason: "the vendor needs it" },
          { rule: "3.1.1", expires: "2027-01-31", reason: "x" },
        ],
      },
    );
    for (const wrong of ["5.2.4", "5.2.4 2026-12-31", "5.2.4 soon x", "5.2.4 2026-02-30 x"]) {
      const read = parseWaivers(wrong, "w");
      assert.ok(!read.ok, wrong);
      assert.match(read.problem.detail, /expected RULE YYYY-MM-DD REASON/);
    }
  });

  it("hold through the whole of their last day, and not beyond", () => {
    const waiver = { rule: "1", reason: "r", expires: "2024-02-29" };
    const endMs = waiverEndMs(waiver);
    assert.equal(endMs, Date.UTC(2024, 2, 1));
    assert.deepEqual([isInForce(waiver, endMs - 1), isInForce(waiver, endMs)], [true, false]);
  });

  it("never throw for any date text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{4}-\d{2}-\d{2}$/)), (expires) => {
        const end = waiverEndMs({ rule: "1", reason: "r", expires });
        assert.ok(end === undefined || new Date(end - 1).toISOString().startsWith(expires));
      }),
    );
  });
});
