import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allow, groupsOf, range } from "../../../test/posture/fleet/groups.ts";
import {
  agentEvent,
  agentMessage,
  inPartition,
  type LooseRecord,
  lifecycle,
  logBatch,
  logEntry,
  message,
  twinChange,
} from "../../../test/posture/fleet/records.ts";
import type { JsonValue } from "../../contract/json.ts";
import type { Alert } from "../alerts/finding.ts";
import type { PartitionAnalyzerOptions } from "./analyzer-options.ts";
import { createPartitionAnalyzer } from "./create-partition-analyzer.ts";
import { readDeviceFacts } from "./device-facts.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_763_640_000_000;
const TWINS = "TwinUpdatesNotInAllowedRange";

function analyzerOf(
  rules: Parameters<typeof groupsOf>[0],
  options: Partial<PartitionAnalyzerOptions> = {},
) {
  const base = { groups: groupsOf(rules), hub: "fleet-hub", inputs: ["twin-changes"] as const };
  return createPartitionAnalyzer({ ...base, ...options });
}

function summary(alerts: readonly Alert[]): readonly string[] {
  return alerts.map(
    (one) =>
      `${one.subject} ${one.group} ${one.evidence.reason} ${one.count} +${(one.windowStartMs - START_MS) / MINUTE_MS}`,
  );
}

function twins(count: number, deviceId: string, atMs: number, tags = {}): readonly LooseRecord[] {
  return Array.from({ length: count }, (_, index) =>
    twinChange(deviceId, atMs + index, "updateTwin", tags),
  );
}

describe("the group of a device", () => {
  const rules = { default: [range(TWINS, 0, 1)], edge: [range(TWINS, 0, 3)] };
  const before = message("a", START_MS - 5 * MINUTE_MS);

  function groupsIn(records: readonly LooseRecord[]): readonly string[] {
    const analyzer = analyzerOf(rules);
    const alerts = inPartition([before, ...records]).flatMap((one) => analyzer.accept(one));
    return summary([...alerts, ...analyzer.tick(START_MS + 60 * MINUTE_MS)]);
  }

  it("is that of the enrichment, then that remembered, then the default", () => {
    assert.deepEqual(groupsIn(twins(2, "a", START_MS)), ["fleet-hub/a default too-many 2 +0"]);
    assert.deepEqual(groupsIn(twins(2, "a", START_MS, { SecurityGroup: "EDGE" })), []);
    const told = message("a", START_MS, { SecurityGroup: "edge" });
    assert.deepEqual(groupsIn([told, ...twins(2, "a", START_MS + 1)]), []);
    assert.deepEqual(groupsIn([told, ...twins(4, "a", START_MS + 1)]), [
      "fleet-hub/a edge too-many 4 +0",
    ]);
  });

  it("is the default where there are no rules for the group, or the tag was taken away", () => {
    const other = twins(2, "a", START_MS, { SecurityGroup: "kitchen" });
    assert.deepEqual(groupsIn(other), ["fleet-hub/a default too-many 2 +0"]);
    const none = twins(2, "a", START_MS + 1, { SecurityGroup: "$twin.tags.SecurityGroup" });
    const told = message("a", START_MS, { SecurityGroup: "edge" });
    assert.deepEqual(groupsIn([told, ...none]), ["fleet-hub/a default too-many 2 +0"]);
  });

  it("is that of a list where records tell none, as logs do, and only there", () => {
    const list = readDeviceFacts([
      { deviceId: "a", SecurityGroup: "edge", protocol: "MqttWs" },
      { deviceId: "b", tags: { SecurityGroup: "edge" } },
      { deviceId: 7 },
      "c",
    ]);
    assert.equal(list?.skipped, 2);
    assert.equal(readDeviceFacts({}), undefined);
    assert.deepEqual(list?.devices.get("a"), { group: "edge", protocol: "Mqtt" });
    const judged = (records: readonly LooseRecord[]) => {
      const analyzer = analyzerOf(rules, { devices: list?.devices ?? new Map() });
      const alerts = inPartition([before, ...records]).flatMap((one) => analyzer.accept(one));
      return summary([...alerts, ...analyzer.tick(START_MS + 60 * MINUTE_MS)]);
    };
    assert.deepEqual(judged(twins(4, "b", START_MS)), ["fleet-hub/b edge too-many 4 +0"]);
    assert.deepEqual(
      judged(twins(2, "a", START_MS, { SecurityGroup: "$twin.tags.SecurityGroup" })),
      ["fleet-hub/a default too-many 2 +0"],
    );
  });

  it("is no group of another hub", () => {
    const analyzer = analyzerOf(rules, { hub: "other-hub" });
    const records = inPartition([before, ...twins(9, "a", START_MS)]);
    const alerts = records.flatMap((one) => analyzer.accept(one));
    assert.deepEqual([...alerts, ...analyzer.tick(START_MS + 60 * MINUTE_MS)], []);
    assert.equal(analyzer.oldestNeeded(), undefined);
  });
});

describe("silence", () => {
  const rules = { default: [range(TWINS, 1, 9)] };

  function silences(
    records: readonly LooseRecord[],
    untilMs: number,
    options = {},
  ): readonly string[] {
    const analyzer = analyzerOf(rules, options);
    const alerts = inPartition(records).flatMap((one) => analyzer.accept(one));
    return summary([...alerts, ...analyzer.tick(untilMs)]);
  }

  it("is judged of a device that sends nothing at all, until it is forgotten", () => {
    const records = [message("a", START_MS - 2 * MINUTE_MS)];
    const options = { rememberMs: 14 * MINUTE_MS };
    assert.deepEqual(silences(records, START_MS + 120 * MINUTE_MS, options), [
      "fleet-hub/a default too-few 0 +0",
      "fleet-hub/a default too-few 0 +5",
    ]);
  });

  it("is judged of a device whose protocol only the owner's list tells", () => {
    const analyzer = analyzerOf(
      { default: [range("MqttD2CMessagesNotInAllowedRange", 1, 9)] },
      {
        inputs: ["messages"],
        devices: new Map([
          ["a", { protocol: "Mqtt" }],
          ["b", { protocol: "Amqp" }],
        ]),
      },
    );
    const records = ["a", "b", "c"].map((id) => message(id, START_MS - 2 * MINUTE_MS));
    const alerts = inPartition(records).flatMap((one) => analyzer.accept(one));
    const ending = analyzer.tick(START_MS + 8 * MINUTE_MS);
    assert.deepEqual(summary([...alerts, ...ending]), ["fleet-hub/a default too-few 0 +0"]);
  });

  it("is not judged of a device that is no more", () => {
    const gone = lifecycle("a", START_MS + MINUTE_MS, "deleteDeviceIdentity");
    const records = [message("a", START_MS - 2 * MINUTE_MS), gone];
    assert.deepEqual(silences(records, START_MS + 120 * MINUTE_MS), []);
  });

  it("is not judged of a name that was only refused", () => {
    const refused = logEntry(
      "Connections",
      "deviceConnect",
      START_MS,
      { deviceId: "ghost" },
      {
        level: "Error",
        resultType: "401003",
      },
    );
    const records = [START_MS - 2 * MINUTE_MS, START_MS].map((atMs) => logBatch(atMs, [refused]));
    assert.deepEqual(silences(records, START_MS + 120 * MINUTE_MS), []);
  });

  it("is not judged in a window in which the device came or changed its group", () => {
    const came = [message("b", START_MS - 2 * MINUTE_MS), message("a", START_MS + MINUTE_MS)];
    const until = START_MS + 8 * MINUTE_MS;
    assert.deepEqual(silences(came, until), ["fleet-hub/b default too-few 0 +0"]);
    const moved = [
      message("a", START_MS - 2 * MINUTE_MS, { SecurityGroup: "edge" }),
      message("a", START_MS + MINUTE_MS, { SecurityGroup: "default" }),
    ];
    assert.deepEqual(silences(moved, until), []);
  });
});

describe("a checkpoint", () => {
  it("moves on over devices that are known and silent", () => {
    for (const keepsSnapshot of [true, false]) {
      const analyzer = analyzerOf({ default: [range(TWINS, 1, 9)] }, { keepsSnapshot });
      const records = inPartition(
        Array.from({ length: 600 }, (_, index) => message("b", START_MS + index * 10_000)),
      );
      const lags = records.map((record) => {
        analyzer.accept(record);
        return record.sequenceNumber - (analyzer.oldestNeeded() ?? record.sequenceNumber);
      });
      // 5 minutes of window, 2 of lateness, 1 of clocks apart: 48 records, and the one before.
      assert.ok(Math.max(...lags) <= 50, `${Math.max(...lags)}`);
      if (keepsSnapshot)
        assert.equal(Math.max(...lags), 0, "nothing was counted, nothing is needed");
    }
  });

  it("is given up by nothing but the closing of windows", () => {
    const analyzer = analyzerOf({ default: [range(TWINS, 0, 1)] }, { keepsSnapshot: true });
    const [first, ...rest] = inPartition([
      message("a", START_MS - 5 * MINUTE_MS),
      ...twins(2, "a", START_MS + 1_000),
      message("a", START_MS + 6 * MINUTE_MS),
    ]);
    assert.ok(first !== undefined);
    analyzer.accept(first);
    assert.equal(analyzer.oldestNeeded(), undefined);
    for (const record of rest) analyzer.accept(record);
    assert.equal(analyzer.oldestNeeded(), first.sequenceNumber + 1);
    assert.equal(analyzer.deviceCount(), 1);
    assert.equal(analyzer.tick(START_MS + 8 * MINUTE_MS).length, 1);
    assert.equal(analyzer.oldestNeeded(), undefined);
    assert.equal(analyzer.deviceCount(), 0);
  });
});

describe("a snapshot", () => {
  it("that is none of this version, or comes after a record, is refused", () => {
    const rules = { default: [range(TWINS, 1, 9)] };
    const bad: readonly JsonValue[] = [
      null,
      [],
      "x",
      {},
      { version: 2 },
      { version: 1, devices: [] },
    ];
    for (const stored of bad) assert.equal(analyzerOf(rules).restore(stored), false);
    const analyzer = analyzerOf(rules);
    for (const record of inPartition([message("a", START_MS)])) analyzer.accept(record);
    const snapshot = analyzer.snapshot();
    assert.equal(analyzer.restore(snapshot), false);
    assert.equal(analyzerOf(rules).restore(snapshot), true);
  });

  it("leaves out what is no device", () => {
    const devices: JsonValue = [7, ["a"], ["", 1, 2], ["a", 1, 2, 3, 4, 5, 6, 7, 8], ["b", "1", 2]];
    const analyzer = analyzerOf({ default: [] });
    const stored = { version: 1, replayFromSequence: 1, watermarkMs: 5, watchedFromMs: 1, devices };
    assert.equal(analyzer.restore(stored), true);
    assert.match(JSON.stringify(analyzer.snapshot()), /\[\["a",1,2,/);
  });

  it("does not make up for records that are missing: their windows are not wholly watched", () => {
    const rules = { default: [range(TWINS, 1, 9)] };
    const first = analyzerOf(rules, { keepsSnapshot: true });
    const records = inPartition([
      message("a", START_MS - 5 * MINUTE_MS),
      message("a", START_MS + MINUTE_MS),
      message("a", START_MS + 2 * MINUTE_MS),
    ]);
    const [one, two, three] = records;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    first.accept(one);
    for (const [isMissing, expected] of [
      [false, ["fleet-hub/a default too-few 0 +0"]],
      [true, []],
    ] as const) {
      const second = analyzerOf(rules, { keepsSnapshot: true });
      assert.ok(second.restore(first.snapshot()));
      if (!isMissing) second.accept(two);
      second.accept(three);
      assert.deepEqual(summary(second.tick(START_MS + 8 * MINUTE_MS)), expected);
    }
  });
});

describe("bounds", () => {
  it("hold against devices without end, and say what was left out", () => {
    const rules = {
      default: [range("UnauthorizedOperationsNotInAllowedRange", 0, 1, "PT1M"), range(TWINS, 1, 9)],
    };
    const analyzer = analyzerOf(rules, { maxDevices: 20 });
    const level = { level: "Error", resultType: "401003" };
    const records = inPartition(
      Array.from({ length: 2_000 }, (_, index) => {
        const atMs = START_MS + index * 100;
        const deviceId = `ghost-${index}`;
        return index % 2 === 0
          ? logBatch(atMs, [logEntry("Connections", "deviceConnect", atMs, { deviceId }, level)])
          : message(deviceId, atMs);
      }),
    );
    for (const record of records) analyzer.accept(record);
    assert.ok(analyzer.deviceCount() <= 20 * 5, "20 in each window that is open");
    assert.ok((analyzer.counts().skipped["too-many-devices"] ?? 0) > 1_000);
    assert.ok(JSON.stringify(analyzer.snapshot()).length < 20 * 200);
  });

  it("hold against one device that tells everything it can", () => {
    const rules = {
      default: [
        allow("ProcessNotAllowed", "sshd"),
        range("ActiveConnectionsNotInAllowedRange", 0, 1, "PT1M"),
      ],
    };
    const analyzer = analyzerOf(rules);
    let largest = 0;
    for (let index = 0; index < 300; index += 1) {
      const atMs = START_MS + index * 10_000;
      const events = Array.from({ length: 50 }, (_, at) =>
        agentEvent(
          "ProcessCreate",
          atMs - at * 7_000,
          { Executable: `/opt/${index}/${at}` },
          `${index} ${at}`,
        ),
      );
      const [record] = inPartition([agentMessage("a", atMs, events)], index);
      assert.ok(record !== undefined);
      for (const { evidence } of analyzer.accept(record))
        largest = Math.max(largest, JSON.stringify(evidence).length);
    }
    assert.equal(analyzer.deviceCount(), 1);
    assert.ok(largest > 0 && largest < 1_000);
  });

  it("skip a record without a number or a time", () => {
    const analyzer = analyzerOf({ default: [range(TWINS, 1, 9)] });
    const record = message("a", START_MS);
    assert.deepEqual(analyzer.accept({ ...record, sequenceNumber: 1.5 }), []);
    assert.deepEqual(
      analyzer.accept({ ...record, sequenceNumber: 1, enqueuedAtMs: Number.NaN }),
      [],
    );
    assert.deepEqual(analyzer.tick(Number.NaN), []);
    assert.deepEqual(analyzer.counts(), {
      records: 2,
      events: 0,
      skipped: { "malformed-record": 2 },
    });
  });
});
