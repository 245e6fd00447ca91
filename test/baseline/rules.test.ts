/** Every automated rule on devices that pass, that fail, and that it is not about. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDevice } from "../../src/baseline/device.ts";
import { judgeRule } from "../../src/baseline/judge-rule.ts";
import type { Outcome } from "../../src/baseline/outcome.ts";
import { RULES } from "../../src/baseline/rules/index.ts";
import { CASES } from "./cases/index.ts";
import { memoryRoot } from "./memory-root.ts";
import type { CaseDevice } from "./rule-case.ts";

const NEW_YEAR_2026_MS = 1_767_225_600_000;

function outcomeOf(id: string, device: CaseDevice): Outcome {
  const rule = RULES.find((one) => one.id === id);
  assert.ok(rule !== undefined, `no rule ${id}`);
  const { isLive = true, sockets = [] } = device;
  const probe = memoryRoot(device.files, { isLive, sockets });
  return judgeRule(rule, createDevice(probe, device.nowMs ?? NEW_YEAR_2026_MS, device.extras));
}

describe("rule", () => {
  for (const cases of CASES) {
    const expected = [
      ["pass", cases.pass],
      ["fail", cases.fail],
      ["not-applicable", cases.notApplicable],
      ["error", cases.error ?? []],
    ] as const;
    for (const [verdict, devices] of expected) {
      for (const [index, device] of devices.entries()) {
        it(`${cases.rule}: ${verdict}${index > 0 ? ` (${index + 1})` : ""}`, () => {
          const outcome = outcomeOf(cases.rule, device);
          assert.equal(outcome.verdict, verdict, JSON.stringify(outcome, null, 1));
          if (verdict === "error" || verdict === "not-applicable") {
            assert.ok((outcome.reason ?? "") !== "" || outcome.evidence.length > 0, "no word why");
          } else {
            assert.ok(outcome.evidence.length > 0, "no evidence");
          }
        });
      }
    }
  }

  it("has devices for each automated rule", () => {
    const known = new Map(CASES.map((cases) => [cases.rule, cases]));
    assert.equal(known.size, CASES.length, "a rule with two sets of cases");
    for (const rule of RULES) {
      if ("manual" in rule.check) continue;
      const cases = known.get(rule.id);
      assert.ok(cases !== undefined, `${rule.id} has none`);
      assert.ok(cases.pass.length > 0 && cases.fail.length > 0, rule.id);
      assert.ok(cases.notApplicable.length > 0 || cases.alwaysApplies !== undefined, rule.id);
    }
  });
});
