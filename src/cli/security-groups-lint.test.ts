import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonValue } from "../contract/json.ts";
import { lintTwin } from "../twin/lint.ts";
import { lintSecurityGroups } from "./security-groups-lint.ts";

function lint(rules: JsonValue): readonly string[] {
  const properties = { timeWindowRules: rules };
  const value = { type: "Microsoft.Security/deviceSecurityGroups", name: "a", properties };
  const twin = JSON.stringify({
    snapshotFrequency: { value: "PT6H" },
    deviceSecurityGroups: { value },
  });
  return lintTwin(twin, lintSecurityGroups).findings.map(
    ({ severity, where }) => `${severity} ${where}`,
  );
}

const RULE = { isEnabled: true, minThreshold: 0, maxThreshold: 1, timeWindowSize: "PT5M" };
const PATH = "deviceSecurityGroups: properties.timeWindowRules[0]";

describe("rules of custom alerts in a twin that is checked", () => {
  it("are fine when the agent can judge them", () => {
    assert.deepEqual(lint([{ ...RULE, ruleType: "FailedLocalLoginsNotInAllowedRange" }]), []);
  });

  it("are errors with their path when the agent would refuse them", () => {
    const rule = { ...RULE, ruleType: "FailedLocalLoginsNotInAllowedRange", maxThreshold: "1" };
    assert.deepEqual(lint([rule]), [`error ${PATH}.maxThreshold`]);
  });

  it("are noted when only a hub can judge them, and warned of when nobody knows them", () => {
    assert.deepEqual(lint([{ ...RULE, ruleType: "TwinUpdatesNotInAllowedRange" }]), [
      `note ${PATH}`,
    ]);
    const [unknown] = lint([{ ...RULE, ruleType: "PhasesOfTheMoonNotInAllowedRange" }]);
    assert.match(unknown ?? "", /^warning deviceSecurityGroups: properties\.timeWindowRules\[0\]/);
  });
});
