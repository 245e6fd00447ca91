/** Custom alerts over the local hub, over hours of the agent's clock. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { EventDraft } from "../../src/contract/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import { until } from "../support/bundle.ts";
import { type ClockRig, clockRig } from "./clock-rig.ts";

const MINUTE_MS = 60_000;

const RULES = {
  type: "Microsoft.Security/deviceSecurityGroups",
  name: "gateways",
  properties: {
    allowlistRules: [
      { ruleType: "ProcessNotAllowed", isEnabled: true, allowlistValues: ["/usr/sbin/sshd", "sh"] },
      { ruleType: "LocalUserNotAllowed", isEnabled: true, allowlistValues: ["ada"] },
      { ruleType: "ConnectionToIpNotAllowed", isEnabled: true, allowlistValues: ["192.0.2.0/24"] },
    ],
    timeWindowRules: [
      {
        ruleType: "FailedLocalLoginsNotInAllowedRange",
        isEnabled: true,
        minThreshold: 0,
        maxThreshold: 2,
        timeWindowSize: "PT5M",
      },
      {
        ruleType: "ActiveConnectionsNotInAllowedRange",
        isEnabled: true,
        minThreshold: 1,
        maxThreshold: 100,
        timeWindowSize: "PT30M",
      },
    ],
  },
};

const TWIN: Readonly<Record<string, JsonValue>> = {
  highPriorityMessageFrequency: "PT1S",
  lowPriorityMessageFrequency: "PT5H",
  deviceSecurityGroups: RULES,
};

const process_ = (path: string): EventDraft => ({
  name: "ProcessCreate",
  payload: [{ Executable: path, CommandLine: path, UserId: "0", ProcessId: 1, ParentProcessId: 1 }],
});
const login = (key: string, UserName: string, Result: "Success" | "Fail"): EventDraft => ({
  name: "Login",
  key,
  payload: [{ ProcessId: 1, Executable: "sshd", UserName, Result }],
});
const connection = (RemoteAddress: string): EventDraft => ({
  name: "ConnectionCreate",
  payload: [{ Direction: "Out", Protocol: "tcp", RemoteAddress, RemotePort: "443" }],
});

describe("custom alerts from device security groups in the twin", () => {
  let rig: ClockRig;

  before(async () => {
    rig = await clockRig(TWIN);
    await until(() => alertRules()["rules"] === 5, "the rules");
  });
  after(() => rig?.close());

  function alertRules(): JsonObject {
    const rules = rig.reportedPosture()["alertRules"];
    return isJsonObject(rules) ? rules : {};
  }

  const alerts = (type: string): readonly JsonObject[] =>
    rig.extensions.flatMap(({ Payload }) => Payload.filter((item) => item["RuleType"] === type));

  it("are not raised for what is allowed", async () => {
    rig.emit([process_("/usr/sbin/sshd"), process_("/bin/sh"), connection("192.0.2.9")]);
    rig.emit([login("a", "ada", "Success"), login("b", "ada", "Fail")]);
    await rig.pass(40);
    await rig.flush();
    assert.deepEqual(
      rig.extensions.filter(({ Name }) => Name === "Alert"),
      [],
    );
  });

  it("arrive for each rule that is violated, once per window", async () => {
    rig.emit([process_("/tmp/miner"), process_("/tmp/miner"), connection("203.0.113.5")]);
    rig.emit(["c", "d", "e"].map((key) => login(key, "root", "Fail")));
    rig.emit([login("f", "eve", "Success")]);
    await rig.pass(12);
    for (const [type, value, count] of [
      ["ProcessNotAllowed", "/tmp/miner", 2],
      ["ConnectionToIpNotAllowed", "203.0.113.5", 1],
      ["LocalUserNotAllowed", "eve", 1],
      ["FailedLocalLoginsNotInAllowedRange", undefined, 3],
    ] as const) {
      await until(() => alerts(type).length > 0, type);
      const [alert] = alerts(type);
      assert.deepEqual([alert?.["Value"], alert?.["Count"]], [value, count], type);
      assert.equal(alert?.["AlertType"], `IoT_CA_${type}`);
      assert.equal(alert?.["Group"], "gateways");
    }
    await rig.pass(6);
    await until(() => alerts("ProcessNotAllowed").length === 1, "one alert");
  });

  it("tell of too few when a whole window was watched and silent", async () => {
    await rig.pass(65);
    await until(() => alerts("ActiveConnectionsNotInAllowedRange").length > 0, "the alert");
    const [alert] = alerts("ActiveConnectionsNotInAllowedRange");
    assert.deepEqual([alert?.["Reason"], alert?.["Count"]], ["too-few", 0]);
    assert.equal(alert?.["IsWatchComplete"], true);
  });

  it("count on over a restart, and count nothing twice that is handed over again", async () => {
    await rig.pass(5 - ((rig.clock.nowMs() / MINUTE_MS) % 5));
    const before = alerts("FailedLocalLoginsNotInAllowedRange").length;
    const failed = ["g", "h"].map((key) => login(key, "root", "Fail"));
    rig.emit(failed);
    await rig.restart();
    rig.emit([...failed, login("i", "root", "Fail")]);
    await rig.pass(10);
    const seen = () => alerts("FailedLocalLoginsNotInAllowedRange").slice(before);
    await until(() => seen().length > 0, "the alert");
    assert.deepEqual(
      seen().map((alert) => [alert["Count"], alert["IsWatchComplete"]]),
      [[3, false]],
    );
  });

  it("have ids of their own", () => {
    const ids = rig.extensions.filter(({ Name }) => Name === "Alert").map(({ Id }) => Id);
    assert.ok(ids.length >= 5);
    assert.equal(new Set(ids).size, ids.length);
  });
});
