import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  deskRig,
  HOUR_MS,
  MemoryDisk,
  scratch,
  settingsWith,
} from "../../../test/posture/desk-rig.ts";
import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { DEFAULT_SETTINGS } from "../../contract/settings.ts";
import type { PostureDesk } from "./posture-desk.ts";

const group = (changes: JsonObject = {}, name = "default"): JsonObject => ({
  type: "Microsoft.Security/deviceSecurityGroups",
  name,
  properties: {
    allowlistRules: [
      { ruleType: "LocalUserNotAllowed", isEnabled: true, allowlistValues: ["ada"], ...changes },
    ],
  },
});

const rulesOf = (desk: PostureDesk): JsonValue | undefined => desk.summary()["alertRules"];

describe("rules of custom alerts", () => {
  it("come from a file, which is read again when it changes", async (test) => {
    const file = `${scratch.path}/changing.json`;
    const { desk, clock, findings } = deskRig(test, { file });
    assert.match(findings[0]?.message ?? "", /the file/);
    writeFileSync(file, JSON.stringify(group()));
    await clock.advance(HOUR_MS);
    const inForce = { source: "file", group: "default", rules: 1, hubOnly: 0, unknown: 0 };
    assert.deepEqual(rulesOf(desk), inForce);
    writeFileSync(file, `{"half": `);
    await clock.advance(HOUR_MS);
    assert.match(JSON.stringify(rulesOf(desk)), /"rules":1.*"rejected"/, "the rules before stay");
    assert.equal(findings.length, 2, "a fault is told once");
    writeFileSync(file, JSON.stringify(group({}, "other")));
    await clock.advance(HOUR_MS);
    assert.deepEqual(rulesOf(desk), { ...inForce, group: "other" });
  });

  it("of the twin go before those of a file", async (test) => {
    const file = `${scratch.path}/beside-twin.json`;
    writeFileSync(file, JSON.stringify(group({}, "of-the-file")));
    const { desk } = deskRig(test, { file });
    assert.match(JSON.stringify(rulesOf(desk)), /of-the-file/);
    desk.applySettings(DEFAULT_SETTINGS, group({}, "of-the-twin"));
    assert.match(JSON.stringify(rulesOf(desk)), /"twin","group":"of-the-twin"/);
    desk.applySettings(DEFAULT_SETTINGS, undefined);
    assert.match(JSON.stringify(rulesOf(desk)), /of-the-file/);
  });

  it("that are faulty leave those before in force, also after a restart", (test) => {
    const disk = new MemoryDisk();
    const first = deskRig(test, { disk });
    first.desk.applySettings(DEFAULT_SETTINGS, group());
    const faulty = group({ isEnabled: "yes", allowlistValues: [1] });
    first.desk.applySettings(DEFAULT_SETTINGS, faulty);
    const paths = first.findings.map(({ configurationName }) => configurationName);
    assert.deepEqual(paths, [
      "deviceSecurityGroups: properties.allowlistRules[0].isEnabled",
      "deviceSecurityGroups: properties.allowlistRules[0].allowlistValues[0]",
    ]);
    first.desk.stop();
    const second = deskRig(test, { disk, inTwin: faulty });
    assert.match(JSON.stringify(rulesOf(second.desk)), /"rules":1.*"rejected"/);
  });

  it("of a group that does not exist are a conflict, told once", (test) => {
    const settings = settingsWith({ securityGroup: "gateways" });
    const { desk, findings } = deskRig(test, { settings });
    desk.applySettings(settings, group());
    desk.applySettings(settings, group());
    assert.deepEqual(
      findings.map(({ errorType }) => errorType),
      ["Conflict"],
    );
    desk.applySettings(settings, group({}, "Gateways"));
    assert.match(JSON.stringify(rulesOf(desk)), /"group":"Gateways"/);
  });

  it("raise alerts whose priority the settings say", async (test) => {
    const settings = settingsWith({ alertPriority: "Low" });
    const { desk, clock, drafts } = deskRig(test, { settings });
    desk.applySettings(settings, group());
    await clock.advance(HOUR_MS);
    desk.count([{ name: "Login", payload: [{ UserName: "eve", Result: "Success" }] }]);
    await clock.advance(HOUR_MS);
    const alerts = drafts.filter(({ name }) => name === "Alert");
    assert.equal(alerts.length, 1);
    assert.deepEqual([alerts[0]?.priority, alerts[0]?.isUrgent], ["Low", false]);
  });
});
