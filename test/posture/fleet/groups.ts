import assert from "node:assert/strict";
import type { JsonObject } from "../../../src/contract/json.ts";
import { readSecurityGroups } from "../../../src/posture/alerts/read-security-group.ts";
import type { SecurityGroup } from "../../../src/posture/alerts/security-group.ts";

/** A rule of range, for `groupsOf`. */
export function range(
  ruleType: string,
  minThreshold: number,
  maxThreshold: number,
  timeWindowSize = "PT5M",
): JsonObject {
  return { ruleType, isEnabled: true, minThreshold, maxThreshold, timeWindowSize };
}

/** A rule with a list, for `groupsOf`. */
export function allow(ruleType: string, ...allowlistValues: readonly string[]): JsonObject {
  return { ruleType, isEnabled: true, allowlistValues };
}

/** Groups by name, as an owner exports them. */
export function groupsOf(
  rules: Readonly<Record<string, readonly JsonObject[]>>,
): readonly SecurityGroup[] {
  const hub =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Devices/IotHubs/fleet-hub/providers/Microsoft.Security";
  const reading = readSecurityGroups({
    value: Object.entries(rules).map(([name, own]) => ({
      id: `${hub}/deviceSecurityGroups/${name}`,
      name,
      type: "Microsoft.Security/deviceSecurityGroups",
      properties: {
        thresholdRules: [],
        denylistRules: [],
        timeWindowRules: own.filter((rule) => "timeWindowSize" in rule),
        allowlistRules: own.filter((rule) => "allowlistValues" in rule),
      },
    })),
  });
  assert.ok(reading.ok, JSON.stringify(reading));
  return reading.groups;
}
