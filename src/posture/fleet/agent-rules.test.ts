import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allow, groupsOf, range } from "../../../test/posture/fleet/groups.ts";
import {
  type AgentEventText,
  agentEvent,
  agentMessage,
  classicMessage,
  inPartition,
  type LooseRecord,
  message,
} from "../../../test/posture/fleet/records.ts";
import type { JsonObject } from "../../contract/json.ts";
import { createPartitionAnalyzer } from "./create-partition-analyzer.ts";

const MINUTE_MS = 60_000;
const WINDOW_MS = 5 * MINUTE_MS;
const START_MS = 1_763_640_000_000;

interface Case {
  readonly rule: JsonObject;
  readonly name: string;
  readonly violates: JsonObject;
  readonly healthy: JsonObject;
  /** Belongs to the rule and does not tell what decides. */
  readonly unclear: JsonObject;
}

const connection = { Protocol: "tcp", Direction: "Out", RemotePort: "443" };

const CASES: Readonly<Record<string, Case>> = {
  ActiveConnectionsNotInAllowedRange: {
    rule: range("ActiveConnectionsNotInAllowedRange", 1, 2),
    name: "ConnectionCreate",
    violates: { ...connection, RemoteAddress: "192.0.2.7" },
    healthy: { ...connection, RemoteAddress: "127.0.0.1" },
    unclear: { Protocol: "tcp" },
  },
  FailedLocalLoginsNotInAllowedRange: {
    rule: range("FailedLocalLoginsNotInAllowedRange", 1, 2),
    name: "Login",
    violates: { UserName: "root", Result: "Fail", Operation: "sshd", RemoteAddress: "192.0.2.7" },
    healthy: { UserName: "ops", Result: "Success", Operation: "sshd" },
    unclear: { UserName: "root" },
  },
  ConnectionToIpNotAllowed: {
    rule: allow("ConnectionToIpNotAllowed", "10.0.0.0/8", "2001:db8::/32"),
    name: "ConnectionCreate",
    violates: { ...connection, RemoteAddress: "192.0.2.7" },
    healthy: { ...connection, RemoteAddress: "2001:db8::7" },
    unclear: { ...connection, RemoteAddress: "gateway" },
  },
  LocalUserNotAllowed: {
    rule: allow("LocalUserNotAllowed", "ops"),
    name: "Login",
    violates: { UserName: "guest", Result: "Success", Operation: "su" },
    healthy: { UserName: "ops", Result: "Success", Operation: "sshd" },
    unclear: { UserName: "", Result: "Success" },
  },
  ProcessNotAllowed: {
    rule: allow("ProcessNotAllowed", "sshd", "/usr/bin/node"),
    name: "ProcessCreate",
    violates: { Executable: "/tmp/miner", CommandLine: "/tmp/miner --key=secret", UserName: "www" },
    healthy: { Executable: "/bin/node", UserName: "www" },
    unclear: { CommandLine: "sh -c true" },
  },
};

type Telling = (deviceId: string, atMs: number, events: readonly AgentEventText[]) => LooseRecord;

function judged(rule: JsonObject, records: readonly LooseRecord[]) {
  const groups = groupsOf({ default: [rule] });
  const analyzer = createPartitionAnalyzer({ groups, hub: "fleet-hub" });
  const alerts = inPartition(records).flatMap((record) => analyzer.accept(record));
  const last = Math.max(...records.map((one) => one.enqueuedAtMs));
  const ending = analyzer.tick(Math.ceil(last / WINDOW_MS) * WINDOW_MS + 16 * MINUTE_MS);
  return { alerts: [...alerts, ...ending], counts: analyzer.counts() };
}

/** A message of the agent without anything that matters, so that it is known from before the window. */
function begun(tell: Telling, atMs = START_MS - 11 * MINUTE_MS): LooseRecord {
  return tell("gw-1", atMs, [agentEvent("SystemInformation", atMs, { OSName: "Debian" })]);
}

function told(tell: Telling, name: string, items: readonly JsonObject[], startMs = START_MS) {
  const events = items.map((item, index) => agentEvent(name, startMs + 20_000 + index, item));
  return tell("gw-1", startMs + 3 * MINUTE_MS, events);
}

describe("the device's rules over messages of agents", () => {
  for (const [ruleType, { rule, name, violates, healthy, unclear }] of Object.entries(CASES)) {
    const isRange = "timeWindowSize" in rule;

    for (const [whose, tell] of [
      ["ours", agentMessage],
      ["classic agents", classicMessage],
    ] as const) {
      it(`${ruleType} alerts on what ${whose} tell`, () => {
        const records = [begun(tell), told(tell, name, [violates, healthy, violates, violates])];
        const { alerts } = judged(rule, records);
        const [alert] = alerts;
        assert.equal(alerts.length, 1);
        assert.equal(alert?.ruleType, ruleType);
        assert.equal(alert?.count, 3);
        assert.equal(alert?.windowStartMs, START_MS);
        assert.equal(alert?.evidence.reason, isRange ? "too-many" : "not-allowed");
        assert.equal(JSON.stringify(alert).includes("secret"), false);
      });
    }

    it(`${ruleType} is healthy`, () => {
      const items = isRange ? [violates, healthy, healthy, healthy] : [healthy, healthy];
      assert.deepEqual(
        judged(rule, [begun(agentMessage), told(agentMessage, name, items)]).alerts,
        [],
      );
    });

    it(`${ruleType} counts an event folded from many with all its hits`, () => {
      const folded = {
        ...violates,
        ExtraDetails: {
          HitCount: "12",
          StartTimeUtc: "2025-11-20T12:00:30.000Z",
          EndTimeUtc: "2025-11-20T12:02:00.000Z",
        },
      };
      const { alerts } = judged(rule, [begun(agentMessage), told(agentMessage, name, [folded])]);
      assert.deepEqual(
        alerts.map((alert) => [alert.count, alert.evidence.spreadCount]),
        [[12, 12]],
      );
    });

    it(`${ruleType} says nothing of a device that has no agent, and of what does not decide`, () => {
      const silent = [message("gw-2", START_MS - 11 * MINUTE_MS), message("gw-2", START_MS)];
      assert.deepEqual(judged(rule, silent).alerts, []);
      const { alerts, counts } = judged(rule, [
        begun(agentMessage, START_MS),
        told(agentMessage, name, [unclear], START_MS + WINDOW_MS),
      ]);
      assert.deepEqual(alerts, []);
      assert.equal(counts.skipped["unclear-event"], 1);
    });

    it(`${ruleType} counts malformed events and messages as skipped and goes on`, () => {
      const good = told(agentMessage, name, [violates, violates, violates]);
      const bad = told(agentMessage, name, [violates]);
      const noEvents = { ...bad, body: { Events: "none" } };
      const noJson = { ...bad, body: undefined };
      const badEvents = {
        ...bad,
        body: { Events: [7, { Name: name, TimestampUTC: "noon", Payload: [] }, { Name: name }] },
      };
      const { alerts, counts } = judged(rule, [
        begun(agentMessage),
        noEvents,
        noJson,
        badEvents,
        good,
      ]);
      assert.equal(counts.skipped["malformed-security-message"], 2);
      assert.equal(counts.skipped["malformed-event"], 3);
      assert.deepEqual(
        alerts.map((alert) => alert.count),
        [3],
      );
    });

    if (isRange) {
      it(`${ruleType} alerts on the silence of an agent that is known`, () => {
        const records = [begun(agentMessage), message("gw-1", START_MS + WINDOW_MS + 1_000)];
        const { alerts } = judged(rule, records);
        assert.ok(alerts.some((alert) => alert.windowStartMs === START_MS));
        assert.ok(alerts.every((alert) => alert.evidence.reason === "too-few"));
      });
    } else {
      it(`${ruleType} alerts on what is told an hour late, in the window in which it is told`, () => {
        const late = agentMessage("gw-1", START_MS + 61 * MINUTE_MS, [
          agentEvent(name, START_MS + 20_000, violates),
        ]);
        const { alerts } = judged(rule, [begun(agentMessage), late]);
        assert.deepEqual(
          alerts.map((alert) => [alert.windowStartMs, alert.evidence.samples[0]?.atMs]),
          [[START_MS + 60 * MINUTE_MS, START_MS + 60 * MINUTE_MS]],
        );
      });
    }
  }

  it("count an event once that a device sends again after a lost connection", () => {
    const { rule, name, violates } = CASES["FailedLocalLoginsNotInAllowedRange"] ?? assert.fail();
    const first = told(agentMessage, name, [violates, violates]);
    const again = { ...first, enqueuedAtMs: first.enqueuedAtMs + 30_000 };
    const { alerts, counts } = judged(rule, [begun(agentMessage), first, again]);
    assert.deepEqual(alerts, []);
    assert.equal(counts.skipped["repeated-event"], 2);
  });

  it("leave messages alone that only look like those of an agent", () => {
    const { rule, name, violates } = CASES["FailedLocalLoginsNotInAllowedRange"] ?? assert.fail();
    const record = told(agentMessage, name, [violates, violates, violates]);
    const { counts } = judged(rule, [begun(agentMessage), { ...record, properties: {} }]);
    assert.equal(counts.events, 2, "two messages, no login");
  });
});
