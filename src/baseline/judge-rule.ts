import { judgeCheck } from "./check.ts";
import type { Device } from "./device.ts";
import { because, type Outcome } from "./outcome.ts";
import type { Rule } from "./rule.ts";

/** The verdict on one rule: whether it applies comes first. */
export function judgeRule(rule: Rule, device: Device): Outcome {
  if (rule.appliesWhen !== undefined) {
    const applies = judgeCheck(rule.appliesWhen, device);
    if (applies.verdict === "error") return applies;
    if (applies.verdict !== "pass") {
      const reason = rule.otherwise ?? applies.reason ?? "what it is about is not here";
      return because("not-applicable", reason, applies.evidence);
    }
  }
  return judgeCheck(rule.check, device);
}
