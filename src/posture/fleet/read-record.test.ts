import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  connectLog,
  feedback,
  forwarded,
  type LooseRecord,
  lifecycle,
  logBatch,
  logEntry,
  message,
  twinChange,
  upload,
} from "../../../test/posture/fleet/records.ts";
import type { JsonValue } from "../../contract/json.ts";
import { readFleetRecord } from "./read-record.ts";
import type { ReadingRules } from "./reading-rules.ts";
import { recordTimeMs } from "./record-time.ts";

const AT_MS = 1_763_640_000_000;

const rules: ReadingRules = {
  groupProperty: "SecurityGroup",
  protocolProperty: undefined,
  twinUpdates: "events",
  queuePurges: "feedback",
  agentEvents: new Set(["Login", "ConnectionCreate", "ProcessCreate"]),
};

function read(record: LooseRecord, own: Partial<ReadingRules> = {}) {
  return readFleetRecord({ ...record, sequenceNumber: 7 }, { ...rules, ...own });
}

/** Each happening in one line: device, presence, group, protocol, and what happened. */
function lines(record: LooseRecord, own: Partial<ReadingRules> = {}): readonly string[] {
  return read(record, own).happenings.map(({ deviceId, presence, group, protocol, occurrences }) =>
    [
      deviceId,
      presence,
      ...(group === undefined ? [] : [`group '${group}'`]),
      ...(protocol === undefined ? [] : [`over ${protocol}`]),
      ...occurrences.map((one) => [one.name, one.item["Status"] ?? ""].join(" ").trim()),
    ].join(", "),
  );
}

describe("a record of the hub's endpoint", () => {
  it("is a message of the device that the hub names, and its group is the enrichment", () => {
    const record = message("gw-1", AT_MS, { SecurityGroup: "edge" });
    assert.deepEqual(lines(record), ["gw-1, seen, group 'edge', DeviceMessage"]);
  });

  it("has no group where the twin has no such tag: the hub stamps the path", () => {
    const record = message("gw-1", AT_MS, { SecurityGroup: "$twin.tags.SecurityGroup" });
    assert.deepEqual(lines(record), ["gw-1, seen, group '', DeviceMessage"]);
  });

  it("tells the protocol only where the owner has named a property for it", () => {
    const record = message("gw-1", AT_MS, { protocol: "mqttws" });
    assert.deepEqual(lines(record), ["gw-1, seen, DeviceMessage"]);
    assert.deepEqual(lines(record, { protocolProperty: "protocol" }), [
      "gw-1, seen, over Mqtt, DeviceMessage",
    ]);
  });

  it("cannot pass for a log, for feedback or for another device, whatever the device writes", () => {
    const forged: readonly JsonValue[] = [
      connectLog("victim", AT_MS, "Mqtt").body ?? null,
      [feedback("victim", AT_MS, "Rejected")],
      upload("victim", AT_MS),
    ];
    for (const body of forged) {
      const record = {
        ...message("gw-1", AT_MS, { deviceId: "victim", opType: "deleteDeviceIdentity" }),
        body,
      };
      assert.deepEqual(lines(record), ["gw-1, seen, DeviceMessage"]);
    }
  });

  it("is an update of a twin by the service, the device or a module, each named in the evidence", () => {
    assert.deepEqual(lines(twinChange("gw-1", AT_MS)), ["gw-1, seen, TwinUpdate"]);
    const replaced = twinChange("gw-1", AT_MS, "replaceTwin", { moduleId: "sensor" });
    const [happening] = read(replaced).happenings;
    assert.equal(
      happening?.occurrences[0]?.item["Detail"],
      "replaceTwin of module sensor (desired)",
    );
    assert.deepEqual(lines(twinChange("gw-1", AT_MS, "somethingNew")), ["gw-1, seen"]);
    assert.deepEqual(lines(twinChange("gw-1", AT_MS), { twinUpdates: "logs" }), ["gw-1, seen"]);
  });

  it("tells that a device is no more; that of a module tells that there is a device", () => {
    assert.deepEqual(lines(lifecycle("gw-1", AT_MS, "deleteDeviceIdentity")), ["gw-1, deleted"]);
    assert.deepEqual(lines(lifecycle("gw-1", AT_MS, "deleteModuleIdentity")), ["gw-1, seen"]);
    assert.deepEqual(lines(lifecycle("gw-1", AT_MS, "createDeviceIdentity")), ["gw-1, seen"]);
  });
});

describe("a record of diagnostic logs", () => {
  it("tells how a device is connected, from JSON text within JSON", () => {
    assert.deepEqual(lines(connectLog("gw-1", AT_MS, "MqttWs")), ["gw-1, seen, over Mqtt"]);
    assert.deepEqual(lines(connectLog("gw-1", AT_MS, "Carrier pigeon")), ["gw-1, seen"]);
  });

  it("names the scope of credentials that were refused, from JSON text within that text", () => {
    const authType = '{"scope":"hub","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}';
    const properties = {
      deviceId: "gw-1",
      protocol: "Amqp",
      authType,
      maskedIpAddress: "192.0.2.XXX",
    };
    const level = { level: "Error", resultType: "401003" };
    const [happening] = read(
      logBatch(AT_MS, [logEntry("Connections", "deviceConnect", AT_MS, properties, level)]),
    ).happenings;
    assert.equal(happening?.presence, "claimed", "whoever used the name need not be the device");
    assert.equal(happening?.protocol, undefined);
    assert.equal(
      happening?.occurrences[0]?.item["Detail"],
      "Connections deviceConnect from 192.0.2.XXX with credentials of the hub",
    );
  });

  const refused: readonly (readonly [string, JsonValue, JsonValue, JsonValue, boolean])[] = [
    ["a status as number", 401, null, "Error", true],
    ["a status as text", "401", null, "Error", true],
    ["a result as text", null, "401002", "Error", true],
    ["a result as number", null, 401_000, "Error", true],
    ["the level as number", "401", null, 2, true],
    ["no error", "401", "401003", "Information", false],
    ["another status", 404, "404001", "Error", false],
    ["a number that only begins so", 4_010_000, "4010", "Error", false],
    ["an object", { code: 401 }, ["401003"], "Error", false],
  ];
  for (const [what, statusCode, resultType, level, isRefusal] of refused) {
    it(`is ${isRefusal ? "" : "no "}refusal with ${what}`, () => {
      const properties = { deviceId: "gw-1", ...(statusCode === null ? {} : { statusCode }) };
      const fields = { level, ...(resultType === null ? {} : { resultType }) };
      const entry = logEntry("DeviceIdentityOperations", "get", AT_MS, properties, fields);
      const found = lines(logBatch(AT_MS, [entry])).join();
      assert.equal(found.includes("UnauthorizedOperation"), isRefusal);
    });
  }

  it("is read entry by entry: what is unknown or malformed costs only itself", () => {
    const good = logEntry("DirectMethods", "send", AT_MS, { deviceId: "gw-1", RequestSize: "1" });
    const { happenings, skipped } = read(
      logBatch(AT_MS, [
        { ...good, category: "QuantumOperations" },
        { ...good, category: 7 },
        { ...good, properties: "{not json" },
        { ...good, properties: 7 },
        { ...good, properties: '{"__proto__":{"deviceId":"x"}}' },
        { ...good, time: "soon" },
        "text",
        null,
        good,
        { ...good, properties: { deviceId: "gw-2" } },
        { ...good, properties: null },
      ]),
    );
    assert.deepEqual(skipped, [
      "unknown-log-category",
      "malformed-log-record",
      "malformed-log-properties",
      "malformed-log-properties",
      "malformed-log-properties",
      "malformed-log-time",
      "malformed-log-record",
      "malformed-log-record",
    ]);
    assert.deepEqual(
      happenings.map((one) => [one.deviceId, one.occurrences[0]?.eventId]),
      [
        ["gw-1", "sequence 7.8"],
        ["gw-2", "sequence 7.9"],
      ],
    );
  });
});

describe("a record of a forwarder", () => {
  it("is feedback, by words or numbers, with small or capital letters, alone, in a list or in a batch", () => {
    const one = feedback("gw-1", AT_MS, "Success");
    const capital = Object.fromEntries(
      Object.entries({ ...one, statusCode: 3 }).map(([name, value]) => [
        `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
        value,
      ]),
    );
    assert.deepEqual(lines(forwarded(AT_MS, one)), ["gw-1, seen, CommandFeedback Success"]);
    assert.deepEqual(lines(forwarded(AT_MS, [one, { ...one, statusCode: "1" }])), [
      "gw-1, seen, CommandFeedback Success",
      "gw-1, seen, CommandFeedback Expired",
    ]);
    assert.deepEqual(lines(forwarded(AT_MS, { Records: [capital] })), [
      "gw-1, seen, CommandFeedback Rejected",
    ]);
  });

  it("is one purge, however many messages of a device the batch tells of", () => {
    const purged = ["gw-1", "gw-1", "gw-2"].map((id) => feedback(id, AT_MS, "Purged"));
    assert.deepEqual(lines(forwarded(AT_MS, purged)), [
      "gw-1, seen, CommandFeedback Purged, QueuePurge Purged",
      "gw-1, seen, CommandFeedback Purged",
      "gw-2, seen, CommandFeedback Purged, QueuePurge Purged",
    ]);
    assert.equal(
      lines(forwarded(AT_MS, purged), { queuePurges: "logs" }).join().includes("QueuePurge"),
      false,
    );
  });

  it("is the notice of an upload, without the address of the file", () => {
    const record = forwarded(AT_MS, [upload("gw-1", AT_MS)]);
    assert.deepEqual(lines(record), ["gw-1, seen, FileUpload"]);
    assert.equal(
      read(record).happenings[0]?.occurrences[0]?.item["Detail"],
      "file gw-1/dump.bin, 1234 bytes",
    );
  });

  it("is skipped with a reason when it is nothing that is known", () => {
    assert.deepEqual(read(forwarded(AT_MS, "hello")).skipped, ["unknown-record"]);
    assert.deepEqual(read(forwarded(AT_MS, { a: 1 })).skipped, ["unknown-record"]);
    assert.deepEqual(read({ ...forwarded(AT_MS, null), body: undefined }).skipped, ["not-json"]);
  });
});

describe("the time of a record", () => {
  it("is read from text with and without an offset and from numbers", () => {
    assert.equal(recordTimeMs("2025-11-20T12:00:00Z"), AT_MS);
    assert.equal(recordTimeMs("2025-11-20T12:00:00.0000000"), AT_MS);
    assert.equal(recordTimeMs("2025-11-20T14:00:00+02:00"), AT_MS);
    assert.equal(recordTimeMs(AT_MS), AT_MS);
    assert.equal(recordTimeMs(String(AT_MS)), AT_MS);
    for (const value of ["", "UTC timestamp", "7", 1e300, Number.NaN, null, {}, undefined]) {
      assert.equal(recordTimeMs(value), undefined);
    }
  });
});

/** Field names that mean something here, with values of any kind. */
const field = fc.constantFrom(
  "records",
  "Records",
  "category",
  "operationName",
  "level",
  "resultType",
  "time",
  "properties",
  "deviceId",
  "statusCode",
  "originalMessageId",
  "blobName",
  "enqueuedTimeUtc",
  "Events",
  "Name",
  "TimestampUTC",
  "Payload",
  "ExtraDetails",
  "HitCount",
  "authType",
  "protocol",
  "__proto__",
);
const word = fc.constantFrom(
  "Connections",
  "DirectMethods",
  "deviceConnect",
  "Error",
  "401003",
  "2025-11-20T12:00:00Z",
  "gw-1",
  "Success",
  "Login",
  '{"deviceId":"gw-1"}',
  "{",
  "security",
  "",
  "\ud800",
  "x".repeat(300),
);
const { value: hostile } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    word,
    fc.constantFrom(null, true, 401, -1, 1e308),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(field, tie("value"), { maxKeys: 6 }),
  ),
}));
const bag = fc.dictionary(
  fc.constantFrom(
    "iothub-connection-device-id",
    "iothub-message-source",
    "iothub-enqueuedtime",
    "kind",
    "opType",
    "iothub-interface-id",
    "iothub-connection-module-id",
    "SecurityGroup",
    "operationTimestamp",
  ),
  fc.oneof(
    hostile,
    fc.constantFrom<JsonValue>("gw-1", "Telemetry", "twinChangeEvents", "security"),
  ),
);

describe("a hostile record", () => {
  it("never throws, and gives bounded ids and times that are whole", () => {
    const record = fc.record({
      source: fc.constantFrom<"endpoint" | "logs">("endpoint", "logs"),
      body: fc.option(hostile, { nil: undefined }),
      systemProperties: bag,
      properties: bag,
      enqueuedAtMs: fc.constant(AT_MS),
    });
    let happened = 0;
    fc.assert(
      fc.property(record, (one) => {
        for (const { deviceId, occurrences } of read(one).happenings) {
          happened += 1;
          assert.ok(deviceId.length > 0 && deviceId.length <= 128);
          for (const { firstMs, lastMs, hits } of occurrences) {
            assert.ok(Number.isSafeInteger(firstMs) && firstMs <= lastMs && hits >= 1);
          }
        }
      }),
      { numRuns: 2_000 },
    );
    assert.ok(happened > 100);
  });
});
