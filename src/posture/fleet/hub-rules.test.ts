import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { groupsOf, range } from "../../../test/posture/fleet/groups.ts";
import {
  connectLog,
  feedback,
  forwarded,
  inPartition,
  type LooseRecord,
  logBatch,
  logEntry,
  message,
  twinChange,
  upload,
} from "../../../test/posture/fleet/records.ts";
import { CATALOGUE } from "../alerts/catalogue.ts";
import { HUB_MEASURES } from "../alerts/hub-measures.ts";
import type { PartitionAnalyzerOptions } from "./analyzer-options.ts";
import { createPartitionAnalyzer } from "./create-partition-analyzer.ts";
import { FLEET_INPUTS, type FleetInput } from "./fleet-rules.ts";

const MINUTE_MS = 60_000;
const WINDOW_MS = 5 * MINUTE_MS;
/** The start of a window. */
const START_MS = 1_763_640_000_000;

/** Where a rule's counts come from, in records as the hub writes them. */
interface Case {
  readonly input: FleetInput;
  /** One record in which the rule counts one. */
  readonly one: (deviceId: string, atMs: number) => LooseRecord;
  /** Records that look alike and do not count. */
  readonly others: (deviceId: string, atMs: number) => readonly LooseRecord[];
  readonly malformed: (atMs: number) => LooseRecord;
  readonly reason: string;
  /** Of rules by protocol: how the device connects, as the log writes it. */
  readonly protocol?: string;
}

const WIRE = { Amqp: "Amqp", Mqtt: "Mqtt", Http: "Https" } as const;

function protocolCases(prefix: keyof typeof WIRE): Readonly<Record<string, Case>> {
  const protocol = WIRE[prefix];
  const status = (statusCode: string) => (deviceId: string, atMs: number) =>
    forwarded(atMs, [feedback(deviceId, atMs, statusCode)]);
  const commands = {
    input: "feedback",
    malformed: (atMs: number) =>
      forwarded(atMs, [{ ...feedback("gw-1", atMs, "Success"), enqueuedTimeUtc: "yesterday" }]),
    reason: "malformed-notice-time",
    protocol,
  } as const;
  return {
    [`${prefix}C2DMessagesNotInAllowedRange`]: {
      ...commands,
      one: status("Success"),
      others: (id, atMs) => [status("Expired")(id, atMs), status("Rejected")(id, atMs)],
    },
    [`${prefix}C2DRejectedMessagesNotInAllowedRange`]: {
      ...commands,
      one: status("Rejected"),
      others: (id, atMs) => [status("Success")(id, atMs), status("Purged")(id, atMs)],
    },
    [`${prefix}D2CMessagesNotInAllowedRange`]: {
      input: "messages",
      one: message,
      others: (id, atMs) => [twinChange(id, atMs)],
      malformed: (atMs) => ({
        ...message("gw-1", atMs),
        systemProperties: { "iothub-connection-device-id": 7 },
      }),
      reason: "unknown-record",
      protocol,
    },
  };
}

const CASES: Readonly<Record<string, Case>> = {
  ...protocolCases("Amqp"),
  ...protocolCases("Mqtt"),
  ...protocolCases("Http"),
  DirectMethodInvokesNotInAllowedRange: {
    input: "logs",
    one: (deviceId, atMs) =>
      logBatch(atMs, [
        logEntry("DirectMethods", "send", atMs, {
          deviceId,
          RequestSize: 1,
          ResponseSize: "1",
          sdkVersion: "2021-04-12",
        }),
      ]),
    others: (deviceId, atMs) => [
      logBatch(atMs, [logEntry("TwinQueries", "query", atMs, { deviceId })]),
    ],
    malformed: (atMs) =>
      logBatch(atMs, [
        { ...logEntry("DirectMethods", "send", atMs, {}), properties: '{"deviceId":' },
      ]),
    reason: "malformed-log-properties",
  },
  FileUploadsNotInAllowedRange: {
    input: "file-notices",
    one: (deviceId, atMs) => forwarded(atMs, upload(deviceId, atMs)),
    others: (deviceId, atMs) => [
      logBatch(atMs, [
        logEntry("FileUploadOperations", "ingress", atMs, { deviceId, protocol: "Https" }),
      ]),
    ],
    malformed: (atMs) => forwarded(atMs, { ...upload("gw-1", atMs), deviceId: 7 }),
    reason: "no-device",
  },
  QueuePurgesNotInAllowedRange: {
    input: "feedback",
    // Three messages were in the queue: one purge.
    one: (deviceId, atMs) =>
      forwarded(
        atMs,
        [1, 2, 3].map((id) => ({
          ...feedback(deviceId, atMs, "Purged"),
          originalMessageId: `${id}`,
        })),
      ),
    others: (deviceId, atMs) => [forwarded(atMs, [feedback(deviceId, atMs, "Success")])],
    malformed: (atMs) => forwarded(atMs, [feedback("gw-1", atMs, "Vanished")]),
    reason: "unknown-feedback-status",
  },
  TwinUpdatesNotInAllowedRange: {
    input: "twin-changes",
    one: twinChange,
    others: (deviceId, atMs) => [
      // The log tells of the same update: it is not counted twice.
      logBatch(atMs, [logEntry("C2DTwinOperations", "update", atMs, { deviceId })]),
    ],
    malformed: (atMs) => {
      const record = twinChange("gw-1", atMs);
      return {
        ...record,
        systemProperties: { ...record.systemProperties, "iothub-message-source": 7 },
      };
    },
    reason: "unknown-message-source",
  },
  UnauthorizedOperationsNotInAllowedRange: {
    input: "logs",
    one: (deviceId, atMs) =>
      logBatch(atMs, [
        logEntry(
          "Connections",
          "deviceConnect",
          atMs,
          { deviceId, protocol: "Mqtt", authType: '{"scope":"device","type":"sas"}' },
          { level: "Error", resultType: "401003", resultDescription: "IoT hub unauthorized" },
        ),
      ]),
    others: (deviceId, atMs) => [
      logBatch(atMs, [
        logEntry(
          "Connections",
          "deviceDisconnect",
          atMs,
          { deviceId },
          {
            level: "Error",
            resultType: "404104",
          },
        ),
        logEntry("Connections", "deviceConnect", atMs, { deviceId }, { resultType: "401003" }),
      ]),
    ],
    malformed: (atMs) =>
      logBatch(atMs, [
        logEntry("Connections", "deviceConnect", atMs, {}, { level: "Error", resultType: 401002 }),
      ]),
    reason: "no-device",
  },
};

function analyzerOf(ruleType: string, options: Partial<PartitionAnalyzerOptions> = {}) {
  const groups = groupsOf({ default: [range(ruleType, 1, 2)] });
  return createPartitionAnalyzer({ groups, hub: "fleet-hub", inputs: FLEET_INPUTS, ...options });
}

/** `count` records within the window that begins at `startMs`. */
function inWindow(one: Case["one"], count: number, startMs: number): readonly LooseRecord[] {
  return Array.from({ length: count }, (_, index) => one("gw-1", startMs + 10_000 + index * 1_000));
}

function judged(
  ruleType: string,
  records: readonly LooseRecord[],
  options: Partial<PartitionAnalyzerOptions> = {},
) {
  const analyzer = analyzerOf(ruleType, options);
  const alerts = inPartition(records).flatMap((record) => analyzer.accept(record));
  const last = Math.max(...records.map((one) => one.enqueuedAtMs));
  // The end of the last window, with all the time that its records may take, and not of the next one.
  const input = CASES[ruleType]?.input ?? "logs";
  const isSoon =
    options.twinUpdates !== "logs" && (input === "messages" || input === "twin-changes");
  const latenessMs = (isSoon ? 3 : 16) * MINUTE_MS;
  const ending = analyzer.tick(Math.ceil(last / WINDOW_MS) * WINDOW_MS + latenessMs);
  return { alerts: [...alerts, ...ending], counts: analyzer.counts() };
}

/** The device is known, over its protocol, well before the first window. */
function begun({ protocol = "Mqtt" }: Case): readonly LooseRecord[] {
  return [connectLog("gw-1", START_MS - 3 * MINUTE_MS, protocol)];
}

describe("the rules that need hub data", () => {
  it("are the 14 of the catalogue, each with a measure and with a case here", () => {
    const official = CATALOGUE.filter((entry) => entry.place === "hub").map((one) => one.ruleType);
    assert.equal(official.length, 14);
    assert.deepEqual(HUB_MEASURES.map((one) => one.ruleType).sort(), [...official].sort());
    assert.deepEqual(Object.keys(CASES).sort(), [...official].sort());
  });

  for (const [ruleType, one] of Object.entries(CASES)) {
    const windows = [0, 1, 2].map((index) => START_MS + index * WINDOW_MS);

    it(`${ruleType} is healthy within its range`, () => {
      const records = windows.flatMap((startMs) => inWindow(one.one, 2, startMs));
      const others = windows.flatMap((startMs) => one.others("gw-1", startMs + 60_000));
      assert.deepEqual(judged(ruleType, [...begun(one), ...records, ...others]).alerts, []);
    });

    it(`${ruleType} alerts on too many`, () => {
      const records = windows.flatMap((startMs, index) =>
        inWindow(one.one, index === 1 ? 3 : 1, startMs),
      );
      const { alerts } = judged(ruleType, [...begun(one), ...records]);
      const [alert] = alerts;
      assert.equal(alerts.length, 1);
      assert.equal(alert?.alertType, `IoT_CA_${ruleType}`);
      assert.equal(alert?.subject, "fleet-hub/gw-1");
      assert.equal(alert?.count, 3);
      assert.equal(alert?.windowStartMs, windows[1]);
      assert.equal(alert?.evidence.reason, "too-many");
      assert.equal(alert?.evidence.samples.length, 3);
      assert.match(alert?.evidence.samples[0]?.eventId ?? "", /^sequence 1\d\d/);
    });

    it(`${ruleType} alerts on too few of a device that is known`, () => {
      const records = [0, 2].flatMap((index) => inWindow(one.one, 1, windows[index] ?? 0));
      const others = one.others("gw-1", START_MS + WINDOW_MS + 60_000);
      const { alerts } = judged(ruleType, [...begun(one), ...records, ...others]);
      assert.deepEqual(
        alerts.map(({ count, evidence, windowStartMs }) => [count, evidence.reason, windowStartMs]),
        [[0, "too-few", windows[1]]],
      );
    });

    it(`${ruleType} says nothing without enough data`, () => {
      const late = inWindow(one.one, 9, START_MS);
      const cold = judged(ruleType, [
        connectLog("gw-1", START_MS + 1_000, one.protocol ?? "Mqtt"),
        ...late,
      ]);
      assert.deepEqual(cold.alerts, [], "the window in which watching began");
      assert.equal(cold.counts.skipped["partial-window"], 9);
      const silent = [...begun(one), message("gw-2", START_MS + 12 * MINUTE_MS)];
      const inputs = FLEET_INPUTS.filter((input) => input !== one.input);
      assert.deepEqual(judged(ruleType, silent, { inputs }).alerts, [], "nobody passes it on");
    });

    it(`${ruleType} counts a malformed record as skipped and goes on`, () => {
      const records = [one.malformed(START_MS + 5_000), ...inWindow(one.one, 3, START_MS)];
      const { alerts, counts } = judged(ruleType, [...begun(one), ...records]);
      assert.equal(counts.skipped[one.reason], 1);
      assert.deepEqual(
        alerts.map((alert) => alert.count),
        [3],
      );
    });
  }

  const byProtocol = Object.entries(CASES).filter(([, one]) => one.protocol !== undefined);
  for (const [ruleType, one] of byProtocol) {
    it(`${ruleType} counts nothing of a device whose protocol is another or not known`, () => {
      const records = inWindow(one.one, 5, START_MS);
      const other = one.protocol === "Amqp" ? "MqttWs" : "Amqp";
      const connected = connectLog("gw-1", START_MS - 3 * MINUTE_MS, other);
      assert.deepEqual(judged(ruleType, [connected, ...records]).alerts, []);
      const known = message("gw-1", START_MS - 3 * MINUTE_MS);
      const { alerts, counts } = judged(ruleType, [known, ...records]);
      assert.deepEqual(alerts, []);
      assert.ok((counts.skipped["unknown-protocol"] ?? 0) >= 5);
    });
  }

  it("take an update of a twin from the log instead, where the owner says so", () => {
    const log = (atMs: number) =>
      logBatch(atMs, [
        logEntry("C2DTwinOperations", "update", atMs, { deviceId: "gw-1" }),
        logEntry("D2CTwinOperations", "replace", atMs, {
          deviceId: "gw-1/sensor",
          protocol: "Mqtt",
          authenticationType: '{"scope":"module","type":"sas"}',
        }),
        logEntry("D2CTwinOperations", "read", atMs, { deviceId: "gw-1" }),
        logEntry(
          "D2CTwinOperations",
          "update",
          atMs,
          { deviceId: "gw-1" },
          {
            level: "Error",
            resultType: "401003",
          },
        ),
      ]);
    const records = [START_MS - 3 * MINUTE_MS, START_MS + 1_000, START_MS + 2_000].map(log);
    const twice = [...records, twinChange("gw-1", START_MS + 3_000)];
    const { alerts } = judged("TwinUpdatesNotInAllowedRange", twice, { twinUpdates: "logs" });
    assert.deepEqual(
      alerts.map((alert) => [alert.count, alert.evidence.samples[1]?.detail]),
      [[4, "D2CTwinOperations replace with credentials of the module"]],
    );
  });

  it("take a purge from the log instead, where the owner says so", () => {
    const log = (atMs: number) =>
      logBatch(atMs, [logEntry("C2DCommands", "purgeMessageQueue", atMs, { deviceId: "gw-1" })]);
    const told = forwarded(START_MS + 9_000, [feedback("gw-1", START_MS + 9_000, "Purged")]);
    const records = [
      message("gw-1", START_MS - 3 * MINUTE_MS),
      ...inWindow((_, at) => log(at), 3, START_MS),
    ];
    const options = { queuePurges: "logs" } as const;
    const { alerts } = judged("QueuePurgesNotInAllowedRange", [...records, told], options);
    assert.deepEqual(
      alerts.map((alert) => alert.count),
      [3],
    );
  });
});
