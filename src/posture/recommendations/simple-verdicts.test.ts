import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { assertSound } from "../../../test/posture/sound-verdict.ts";
import type { JsonValue } from "../../contract/json.ts";
import { type BaselineResult, judgeBaseline } from "./baseline.ts";
import { CATALOGUE, isRecommendationType, RECOMMENDATION_TYPES } from "./catalogue.ts";
import { judgeTwinConflict, judgeTwinNotOptimal } from "./twin-configuration.ts";
import {
  emptyMessageWindow,
  judgeMessages,
  MESSAGE_THRESHOLDS,
  type MessageWindow,
  readMessageWindow,
  recordMessages,
} from "./unutilized-messages.ts";
import { LONGEST_TEXT, MOST_EVIDENCE, verdictOf } from "./verdict.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 1_700_000_000_000;

describe("the catalogue", () => {
  it("has every type under its own name, with words for all of it", () => {
    assert.deepEqual(Object.keys(CATALOGUE), [...RECOMMENDATION_TYPES]);
    for (const type of RECOMMENDATION_TYPES) {
      const entry = CATALOGUE[type];
      assert.equal(entry.type, type);
      for (const text of [entry.title, entry.description, entry.remediation, entry.rule])
        assert.ok(text.length > 10 && text.length <= 320);
      assert.ok(entry.judgedBy.length > 0 && entry.evidence.length > 0);
    }
  });

  it("grades the security ones Medium and the operational ones Low, as published", () => {
    for (const { kind, severity } of Object.values(CATALOGUE))
      assert.equal(severity, kind === "security" ? "Medium" : "Low");
  });

  it("knows its types and no others", () => {
    assert.equal(isRecommendationType("IoT_OpenPorts"), true);
    assert.equal(isRecommendationType("constructor"), false);
  });
});

describe("verdictOf", () => {
  it("cuts lists and texts, and leaves out what is absent", () => {
    const evidence = Array.from({ length: 100 }, (_, port) => ({
      port,
      rule: undefined,
      reason: "",
    }));
    const long = { state: "unhealthy", evidence, missing: ["x".repeat(999)] } as const;
    const verdict = verdictOf("IoT_OpenPorts", long);
    assert.equal(verdict.count, 100);
    assert.equal(verdict.evidence.length, MOST_EVIDENCE);
    assert.deepEqual(verdict.evidence[0], { port: "0" });
    assert.equal(verdict.missing[0]?.length, LONGEST_TEXT);
  });

  it("makes texts of the device harmless", () => {
    const verdict = verdictOf("IoT_OpenPorts", {
      state: "unhealthy",
      evidence: [{ process: "a\u001b[31m\nb" }],
    });
    assert.doesNotMatch(JSON.stringify(verdict.evidence), /u001b|[\\]n/);
  });

  it("never says unknown without a reason", () => {
    assert.equal(verdictOf("IoT_Baseline", { state: "unknown" }).missing.length, 1);
  });
});

const check = (ruleId: string, change: Partial<BaselineResult> = {}): BaselineResult => ({
  ruleId,
  title: `check ${ruleId}`,
  verdict: "pass",
  severity: "Warning",
  isWaived: false,
  ...change,
});

describe("IoT_Baseline", () => {
  const table: readonly (readonly [
    string,
    readonly BaselineResult[] | undefined,
    string,
    number,
  ])[] = [
    ["not scanned", undefined, "unknown", 0],
    ["nothing applied", [], "unknown", 0],
    ["only manual checks", [check("1", { verdict: "manual" })], "unknown", 0],
    ["all pass", [check("1"), check("2")], "healthy", 0],
    ["one fails", [check("1"), check("2", { verdict: "fail" })], "unhealthy", 1],
    ["the failure is waived", [check("1", { verdict: "fail", isWaived: true })], "healthy", 0],
    ["one could not be decided", [check("1"), check("2", { verdict: "error" })], "unknown", 0],
    [
      "one could not be decided and is waived",
      [check("1"), check("2", { verdict: "error", isWaived: true })],
      "healthy",
      0,
    ],
    [
      "one fails and one could not be decided",
      [check("1", { verdict: "fail" }), check("2", { verdict: "error" })],
      "unhealthy",
      1,
    ],
  ];
  for (const [name, results, state, count] of table) {
    it(`is ${state} where ${name}`, () => {
      const verdict = judgeBaseline(results);
      assertSound(verdict);
      assert.deepEqual([verdict.state, verdict.count], [state, count]);
    });
  }

  it("lists the most severe first, and after them by number", () => {
    const failed = (ruleId: string, severity: BaselineResult["severity"]) =>
      check(ruleId, { verdict: "fail", severity });
    const { evidence } = judgeBaseline([
      failed("1.10", "Warning"),
      failed("1.9", "Warning"),
      failed("5.1", "Critical"),
    ]);
    assert.deepEqual(
      evidence.map((record) => record["ruleId"]),
      [undefined, "5.1", "1.9", "1.10"],
    );
    assert.equal(evidence[0]?.["totalFailed"], "3");
    assert.equal(evidence[0]?.["failedCritical"], "1");
  });
});

describe("the twin configuration", () => {
  const remark = (
    configurationName: string,
    errorType: "NotOptimal" | "Conflict" | "TypeMismatch",
  ) => ({
    configurationName,
    errorType,
    usedConfiguration: "10000",
    message: "because",
  });

  it("is unknown before any settings were judged", () => {
    for (const verdict of [judgeTwinNotOptimal(undefined), judgeTwinConflict(undefined)]) {
      assertSound(verdict);
      assert.equal(verdict.state, "unknown");
    }
  });

  it("is healthy without remarks, and a wrong type is neither waste nor conflict", () => {
    const remarks = [remark("a", "TypeMismatch")];
    assert.equal(judgeTwinNotOptimal([]).state, "healthy");
    assert.equal(judgeTwinNotOptimal(remarks).state, "healthy");
    assert.equal(judgeTwinConflict(remarks).state, "healthy");
  });

  it("names the properties concerned", () => {
    const remarks = [
      remark("size", "NotOptimal"),
      remark("cache", "Conflict"),
      remark("b", "Conflict"),
    ];
    const conflict = judgeTwinConflict(remarks);
    assertSound(conflict);
    assert.deepEqual(
      conflict.evidence.map((record) => record["property"]),
      ["b", "cache"],
    );
    assert.deepEqual(judgeTwinNotOptimal(remarks).evidence, [
      { property: "size", inForce: "10000", reason: "because" },
    ]);
  });
});

const sent = (messages: number, smallMessages: number) => ({ messages, smallMessages });

describe("IoT_AgentSendsUnutilizedMessages", () => {
  const table: readonly (readonly [string, number, number, number, string])[] = [
    ["nothing was sent in a day", 0, 0, 30, "unknown"],
    ["a tenth was small", 100, 10, 30, "unhealthy"],
    ["less than a tenth was small", 100, 9, 30, "healthy"],
    ["none was small", 5, 0, 30, "healthy"],
    ["few were sent in a day, one small", 5, 1, 30, "unhealthy"],
    ["few were sent so far", 9, 9, 3, "unknown"],
    ["enough were sent so far", 10, 1, 3, "unhealthy"],
  ];
  for (const [name, messages, small, observedHours, state] of table) {
    it(`is ${state} where ${name}`, () => {
      const window = recordMessages(
        emptyMessageWindow(NOW_MS - observedHours * HOUR_MS),
        sent(messages, small),
        NOW_MS,
      );
      const verdict = judgeMessages(window, NOW_MS);
      assertSound(verdict);
      assert.equal(verdict.state, state);
    });
  }

  it("forgets what is older than 24 hours", () => {
    const start = emptyMessageWindow(NOW_MS - 30 * HOUR_MS);
    const old = recordMessages(start, sent(100, 100), NOW_MS - 24 * HOUR_MS);
    const window = recordMessages(old, sent(100, 0), NOW_MS);
    assert.equal(judgeMessages(window, NOW_MS).state, "healthy");
    assert.equal(judgeMessages(window, NOW_MS - HOUR_MS).state, "unhealthy");
  });

  it("survives a restart", () => {
    const start = emptyMessageWindow(NOW_MS - 30 * HOUR_MS);
    const window = recordMessages(recordMessages(start, sent(7, 1), NOW_MS), sent(3, 0), NOW_MS);
    const stored: JsonValue = JSON.parse(JSON.stringify(window));
    assert.deepEqual(readMessageWindow(stored, NOW_MS), window);
  });

  it("keeps its hours when the clock is wrong for a while", () => {
    const start = emptyMessageWindow(NOW_MS - 30 * HOUR_MS);
    const right = recordMessages(start, sent(100, 20), NOW_MS);
    const wrong = recordMessages(right, sent(1, 0), 0);
    assert.equal(judgeMessages(wrong, NOW_MS + HOUR_MS).state, "unhealthy");
    const ahead = recordMessages(start, sent(100, 100), NOW_MS + 1000 * HOUR_MS);
    assert.equal(judgeMessages(ahead, NOW_MS).state, "unknown");
  });

  it("is bounded and sound whatever is counted and stored", () => {
    const counts = fc.tuple(fc.double(), fc.double(), fc.double({ min: -1e15, max: 1e15 }));
    fc.assert(
      fc.property(
        fc.array(counts, { maxLength: 120 }),
        fc.jsonValue(),
        fc.double(),
        (all, junk, now) => {
          // fast-check's JSON is JSON; its type says unknown.
          let window: MessageWindow = readMessageWindow(junk as JsonValue, NOW_MS);
          for (const [messages, small, atMs] of all)
            window = recordMessages(window, sent(messages, small), atMs);
          assert.ok(window.buckets.length <= 48);
          assertSound(judgeMessages(window, now));
          const stored: JsonValue = JSON.parse(JSON.stringify(window));
          assert.deepEqual(readMessageWindow(stored, NOW_MS), window);
        },
      ),
    );
    assert.equal(MESSAGE_THRESHOLDS.share, 0.1);
  });

  it("keeps what is sound of a damaged store", () => {
    const bucket = { hour: 5, messages: 2, smallMessages: 1 };
    const stored = {
      observedSinceMs: 3,
      buckets: [bucket, { hour: -1 }, null, { ...bucket, messages: 0 }],
    };
    assert.deepEqual(readMessageWindow(stored, NOW_MS), { observedSinceMs: 3, buckets: [bucket] });
    assert.deepEqual(readMessageWindow("x", NOW_MS), emptyMessageWindow(NOW_MS));
  });
});
