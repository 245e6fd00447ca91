import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { allow, groupsOf, range } from "../../../test/posture/fleet/groups.ts";
import {
  agentEvent,
  agentMessage,
  connectLog,
  feedback,
  forwarded,
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
import type { FleetRecord } from "./partition-analyzer.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_763_640_000_000;

function rulesWith(min: number) {
  return [
    range("MqttD2CMessagesNotInAllowedRange", 2 * min, 2, "PT3M"),
    range("AmqpD2CMessagesNotInAllowedRange", min, 1, "PT10M"),
    range("TwinUpdatesNotInAllowedRange", min, 1, "PT3M"),
    range("DirectMethodInvokesNotInAllowedRange", min, 1, "PT10M"),
    range("AmqpC2DMessagesNotInAllowedRange", 0, 0, "PT5M"),
    range("UnauthorizedOperationsNotInAllowedRange", 0, 1, "PT5M"),
    range("FailedLocalLoginsNotInAllowedRange", min, 1, "PT5M"),
    allow("LocalUserNotAllowed", "ops"),
  ];
}

const groups = groupsOf({
  default: rulesWith(1),
  edge: [...rulesWith(1), range("FileUploadsNotInAllowedRange", 0, 3)],
});

const base: PartitionAnalyzerOptions = {
  groups,
  hub: "fleet-hub",
  inputs: ["messages", "twin-changes", "logs", "feedback"],
  lateness: {
    endpointMs: MINUTE_MS,
    logsMs: 4 * MINUTE_MS,
    noticesMs: 4 * MINUTE_MS,
    agentMs: 6 * MINUTE_MS,
  },
  aheadMs: MINUTE_MS,
  rememberMs: 25 * MINUTE_MS,
};

const device = fc.constantFrom("a", "b", "c", "d");
const group = fc.constantFrom(
  {},
  {},
  { SecurityGroup: "edge" },
  { SecurityGroup: "default" },
  { SecurityGroup: "$twin.tags.SecurityGroup" },
);
/** How long before its record something happened. */
const delay = fc.oneof(fc.nat({ max: 3 * MINUTE_MS }), fc.nat({ max: 20 * MINUTE_MS }));

type Make = (atMs: number) => LooseRecord;

interface Login {
  readonly Result: string;
  readonly UserName: string;
  readonly hits: number | null;
}

const login: fc.Arbitrary<Login> = fc.record({
  Result: fc.constantFrom("Fail", "Success"),
  UserName: fc.constantFrom("ops", "root", "guest"),
  hits: fc.option(fc.integer({ min: 2, max: 5 })),
});

function loginEvent({ hits, ...item }: Login, atMs: number, id?: string) {
  const folded = hits === null ? item : { ...item, ExtraDetails: { HitCount: String(hits) } };
  return agentEvent("Login", atMs, folded, id);
}

const kinds: fc.Arbitrary<Make> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(device, group).map(
      ([id, tags]): Make =>
        (atMs) =>
          message(id, atMs, tags),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(device, group, fc.constantFrom("updateTwin", "replaceTwin")).map(
      ([id, tags, op]): Make =>
        (atMs) =>
          twinChange(id, atMs, op, tags),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(device, fc.constantFrom("Mqtt", "Amqp", "Https")).map(
      ([id, protocol]): Make =>
        (atMs) =>
          connectLog(id, atMs, protocol),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.array(fc.tuple(device, delay, fc.boolean()), { maxLength: 4 })).map(
      ([calls]): Make =>
        (atMs) =>
          logBatch(
            atMs,
            calls.map(([id, before, isRefused]) =>
              isRefused
                ? logEntry(
                    "Connections",
                    "deviceConnect",
                    atMs - before,
                    { deviceId: id, protocol: "Mqtt" },
                    { level: "Error", resultType: "401003" },
                  )
                : logEntry("DirectMethods", "send", atMs - before, { deviceId: id }),
            ),
          ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(device, delay, fc.constantFrom("Success", "Rejected", "Purged")).map(
      ([id, before, status]): Make =>
        (atMs) =>
          forwarded(atMs, [feedback(id, atMs - before, status)]),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(device, fc.array(fc.tuple(login, delay), { maxLength: 3 })).map(
      ([id, logins]): Make =>
        (atMs) =>
          agentMessage(
            id,
            atMs,
            logins.map(([item, before]) => loginEvent(item, atMs - before)),
          ),
    ),
  },
  {
    // The same few events again and again, as after lost connections.
    weight: 3,
    arbitrary: fc.tuple(device, login, fc.nat({ max: 8 })).map(
      ([id, item, index]): Make =>
        (atMs) =>
          agentMessage(id, atMs, [
            loginEvent(item, START_MS + index * 4 * MINUTE_MS, `again ${index}`),
          ]),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(device, fc.constantFrom("createDeviceIdentity", "deleteDeviceIdentity"))
      .map(
        ([id, op]): Make =>
          (atMs) =>
            lifecycle(id, atMs, op),
      ),
  },
);

const pause = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 30_000 }) },
  { weight: 3, arbitrary: fc.nat({ max: 4 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.nat({ max: 40 * MINUTE_MS }) },
);

const history = fc.array(fc.tuple(pause, kinds), { minLength: 5, maxLength: 120 }).map((steps) => {
  let atMs = START_MS;
  return inPartition(
    steps.map(([pauseMs, make]) => {
      atMs += pauseMs;
      return make(atMs);
    }),
  );
});

/** Ticks after some records, as a runtime gives them at the end of a partition. */
type Ticks = readonly boolean[];
const ticks = fc.array(fc.boolean(), { minLength: 1, maxLength: 7 });
const END_MS = 3 * 60 * MINUTE_MS;

function endOf(records: readonly FleetRecord[]): number {
  return (records.at(-1)?.enqueuedAtMs ?? START_MS) + END_MS;
}

function run(
  analyzer: ReturnType<typeof createPartitionAnalyzer>,
  records: readonly FleetRecord[],
  tickPattern: Ticks,
): Alert[] {
  return records.flatMap((record, index) => [
    ...analyzer.accept(record),
    ...(tickPattern[index % tickPattern.length] === true ? analyzer.tick(record.enqueuedAtMs) : []),
  ]);
}

function uninterrupted(records: readonly FleetRecord[], options = base): readonly Alert[] {
  const analyzer = createPartitionAnalyzer(options);
  return [...run(analyzer, records, [false]), ...analyzer.tick(endOf(records))];
}

function sorted(alerts: readonly Alert[]): readonly Alert[] {
  return [...alerts].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function unique(alerts: readonly Alert[]): readonly Alert[] {
  return sorted([...new Map(alerts.map((alert) => [alert.id, alert])).values()]);
}

/** Runs up to each split, keeps what a runtime keeps, and goes on with a new analyzer. */
function interrupted(
  records: readonly FleetRecord[],
  splits: readonly number[],
  tickPattern: Ticks,
  options: PartitionAnalyzerOptions,
  restores: boolean,
): readonly Alert[] {
  const alerts: Alert[] = [];
  let analyzer = createPartitionAnalyzer(options);
  let from = 0;
  for (const split of [...splits].map((one) => one % records.length).sort((a, b) => a - b)) {
    if (split <= from) continue;
    alerts.push(...run(analyzer, records.slice(from, split), tickPattern));
    const needed = analyzer.oldestNeeded();
    const snapshot: JsonValue = JSON.parse(JSON.stringify(analyzer.snapshot()));
    analyzer = createPartitionAnalyzer(options);
    if (restores) assert.ok(analyzer.restore(snapshot));
    from = needed === undefined ? split : records.findIndex((one) => one.sequenceNumber === needed);
    assert.ok(from >= 0 && from <= split);
  }
  alerts.push(...run(analyzer, records.slice(from), tickPattern));
  return [...alerts, ...analyzer.tick(endOf(records))];
}

const splits = fc.array(fc.nat({ max: 119 }), { minLength: 1, maxLength: 4 });

describe("a replay", () => {
  for (const keepsSnapshot of [true, false]) {
    it(`with the snapshot restored equals the uninterrupted run and repeats nothing (keepsSnapshot ${keepsSnapshot})`, () => {
      fc.assert(
        fc.property(history, splits, ticks, (records, at, tickPattern) => {
          const options = { ...base, keepsSnapshot };
          const alerts = interrupted(records, at, tickPattern, options, true);
          assert.deepEqual(sorted(alerts), sorted(uninterrupted(records)));
        }),
        { numRuns: 400 },
      );
    });
  }

  it("without a snapshot loses nothing and changes nothing, where records tell groups and only too many is judged", () => {
    const options = {
      ...base,
      protocolProperty: "protocol",
      groups: groupsOf({ default: rulesWith(0), edge: rulesWith(0) }),
    };
    fc.assert(
      fc.property(history, splits, ticks, (records, at, tickPattern) => {
        // Each record tells all that is known of a device.
        const told = records
          .map((record) => ({
            ...record,
            properties: { ...record.properties, SecurityGroup: "edge", protocol: "mqtt" },
          }))
          .filter(({ source }) => source === "endpoint")
          .map((record, index) => ({ ...record, sequenceNumber: index }));
        if (told.length === 0) return;
        const alerts = interrupted(told, at, tickPattern, options, false);
        const expected = uninterrupted(told, options);
        for (const alert of alerts) {
          assert.deepEqual(
            expected.find((one) => one.id === alert.id),
            alert,
          );
        }
        assert.deepEqual(unique(alerts), sorted(expected));
      }),
      { numRuns: 300 },
    );
  });

  it("is the same with ticks and without", () => {
    fc.assert(
      fc.property(history, ticks, (records, tickPattern) => {
        const analyzer = createPartitionAnalyzer(base);
        const alerts = [...run(analyzer, records, tickPattern), ...analyzer.tick(endOf(records))];
        assert.deepEqual(sorted(alerts), sorted(uninterrupted(records)));
      }),
      { numRuns: 200 },
    );
  });

  it("judges devices apart: names exchanged, alerts exchanged", () => {
    const exchange: Readonly<Record<string, string>> = { a: "d", b: "c", c: "b", d: "a" };
    fc.assert(
      fc.property(history, (records) => {
        const other: readonly FleetRecord[] = JSON.parse(
          JSON.stringify(records).replace(
            /(device-?[iI]d\\*":\\*")([abcd])(\\*")/g,
            (_all, head, id, tail) => `${head}${exchange[id]}${tail}`,
          ),
        );
        const told = (alerts: readonly Alert[], map: (id: string) => string) =>
          alerts
            .map(
              (one) =>
                `${map(one.subject.slice(-1))} ${one.group} ${one.ruleType} ${one.windowStartMs} ${one.count} ${one.evidence.reason} ${one.evidence.value}`,
            )
            .sort();
        assert.deepEqual(
          told(uninterrupted(other), (id) => id),
          told(uninterrupted(records), (id) => exchange[id] ?? id),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("raises alerts of every kind in these histories", () => {
    const seen = new Set<string>();
    for (const records of fc.sample(history, { numRuns: 300, seed: 8 })) {
      for (const { ruleType, evidence } of uninterrupted(records))
        seen.add(`${ruleType} ${evidence.reason}`);
    }
    assert.deepEqual([...seen].sort(), [
      "AmqpC2DMessagesNotInAllowedRange too-many",
      "AmqpD2CMessagesNotInAllowedRange too-few",
      "AmqpD2CMessagesNotInAllowedRange too-many",
      "DirectMethodInvokesNotInAllowedRange too-few",
      "DirectMethodInvokesNotInAllowedRange too-many",
      "FailedLocalLoginsNotInAllowedRange too-few",
      "FailedLocalLoginsNotInAllowedRange too-many",
      "LocalUserNotAllowed not-allowed",
      "MqttD2CMessagesNotInAllowedRange too-few",
      "MqttD2CMessagesNotInAllowedRange too-many",
      "TwinUpdatesNotInAllowedRange too-few",
      "TwinUpdatesNotInAllowedRange too-many",
      "UnauthorizedOperationsNotInAllowedRange too-many",
    ]);
  });
});
