import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judged } from "./judged.ts";
import { certificateDevice, connectionLog, deviceTwin, exportedDevice, keyOf } from "./records.ts";

const TYPE = "IoT_SharedCredentials";

function withKey(id: string, primaryKey: string): object {
  return exportedDevice(id, {
    authentication: {
      symmetricKey: { primaryKey, secondaryKey: keyOf(`${id} other`) },
      type: "sas",
    },
  });
}

function displaced(time: string, more: object = {}): object {
  return connectionLog("gw-1", "device", {
    time,
    operationName: "deviceDisconnect",
    level: "Error",
    resultType: "400027",
    resultDescription: "ConnectionForcefullyClosedOnNewConnection",
    ...more,
  });
}

describe("shared credentials are healthy", () => {
  it("where every device of the export has keys and thumbprints of its own", () => {
    const { verdict } = judged([
      exportedDevice("gw-1"),
      exportedDevice("gw-2"),
      certificateDevice("gw-3", "A1".repeat(20)),
      certificateDevice("gw-4", "B2".repeat(20)),
      exportedDevice("gw-5", { authentication: { type: "certificateAuthority" } }),
      connectionLog("gw-1", "device"),
    ]);
    assert.equal(verdict(TYPE).state, "healthy");
    assert.deepEqual(verdict(TYPE).missing, []);
  });

  it("where one device is in two lists, and where its two keys are the same", () => {
    const key = keyOf("both");
    const device = exportedDevice("gw-1", {
      authentication: { symmetricKey: { primaryKey: key, secondaryKey: key } },
    });
    assert.equal(judged([device, device]).state(TYPE), "healthy");
  });

  it("and say what only a log would show", () => {
    const { missing } = judged([exportedDevice("gw-1")]).verdict(TYPE);
    assert.match(missing.join(), /Connections log/);
  });

  it("where a query gives an identity without its key, and the registry with it", () => {
    const { state, facts } = judged([deviceTwin("gw-1"), exportedDevice("gw-1")]);
    assert.equal(state(TYPE), "healthy");
    assert.equal(facts.credentials.identities, 1);
  });

  it("at two connections in an hour that displace each other, which a bad line does", () => {
    const { state } = judged([
      exportedDevice("gw-1"),
      displaced("2026-01-15T12:59:58Z"),
      displaced("2026-01-15T12:59:59Z"),
      displaced("2026-01-15T13:00:00Z"),
      displaced("2026-01-15T13:00:01Z"),
    ]);
    assert.equal(state(TYPE), "healthy");
  });
});

describe("shared credentials are unhealthy", () => {
  it("where a key serves two devices, primary here and secondary there", () => {
    const { verdict } = judged([
      exportedDevice("gw-1"),
      withKey("gw-2", keyOf("gw-1 2")),
      exportedDevice("gw-3"),
    ]);
    const { state, count, evidence } = verdict(TYPE);
    assert.equal(state, "unhealthy");
    assert.equal(count, 1);
    assert.deepEqual(
      { ...evidence[0], hash: undefined },
      {
        credential: "symmetric key",
        devices: "gw-1, gw-2",
        count: "2",
        hash: undefined,
      },
    );
    assert.match(evidence[0]?.["hash"] ?? "", /^[0-9a-f]{12}$/);
  });

  it("where a thumbprint serves two devices, in any way of writing it", () => {
    const { verdict } = judged([
      certificateDevice("gw-1", "a1".repeat(20)),
      certificateDevice("gw-2", Array.from({ length: 20 }, () => "A1").join(":")),
    ]);
    assert.equal(verdict(TYPE).evidence[0]?.["credential"], "X.509 thumbprint");
  });

  it("where one key serves many: the record names some and counts all", () => {
    const many = Array.from({ length: 30 }, (_, at) => withKey(`gw-${at + 10}`, keyOf("fleet")));
    const [record] = judged(many).verdict(TYPE).evidence;
    assert.equal(record?.["count"], "30");
    assert.match(record?.["devices"] ?? "", /^gw-10, gw-11, .* and 24 more$/);
  });

  it("where a device connects with a policy of the hub, by the log alone", () => {
    const { verdict } = judged([connectionLog("gw-7", "hub"), connectionLog("gw-8", "device")]);
    assert.equal(verdict(TYPE).state, "unhealthy");
    assert.equal(verdict(TYPE).evidence[0]?.["devices"], "gw-7");
    assert.match(verdict(TYPE).missing.join(), /identities/);
  });

  it("where an identity is displaced three times in an hour, whatever field says so", () => {
    const { verdict } = judged([
      displaced("2026-01-15T12:01:00Z"),
      displaced("2026-01-15T12:20:00Z", { resultType: 400027 }),
      displaced("2026-01-15T12:40:00Z", {
        resultType: null,
        properties: { deviceId: "gw-1", statusCode: 400027 },
      }),
    ]);
    assert.deepEqual(verdict(TYPE).evidence, [
      {
        credential: "identity in use twice (400027)",
        identity: "gw-1",
        count: "3",
        hour: "2026-01-15T12Z",
      },
    ]);
  });
});

describe("shared credentials are unknown", () => {
  it("without identities, and say how to get them", () => {
    const { state, missing } = judged([connectionLog("gw-1", "device")]).verdict(TYPE);
    assert.equal(state, "unknown");
    assert.match(missing[0] ?? "", /az iot hub device-identity export/);
  });

  it("where the export leaves the keys out", () => {
    const without = exportedDevice("gw-1", {
      authentication: { type: "sas", symmetricKey: { primaryKey: null, secondaryKey: null } },
    });
    const { state, missing } = judged([without, exportedDevice("gw-2")]).verdict(TYPE);
    assert.equal(state, "unknown");
    assert.match(missing[0] ?? "", /keys of 1 of 2 identities/);
  });

  it("where identities come from a query over twins, which has no keys", () => {
    assert.equal(judged([deviceTwin("gw-1")]).state(TYPE), "unknown");
    assert.equal(judged([deviceTwin("gw-1")], "identity").state(TYPE), "unknown");
  });
});

describe("records of identities and logs", () => {
  it("that are malformed are counted, skipped and named", () => {
    const { skipped, facts } = judged([
      exportedDevice("gw-1"),
      { authentication: { symmetricKey: { primaryKey: keyOf("nobody") } } },
      connectionLog("gw-1", "device", { properties: "{oops" }),
      { hello: "world" },
    ]);
    assert.equal(facts.credentials.identities, 1);
    assert.equal(skipped.count, 3);
    assert.deepEqual(
      skipped.records.map(({ source, subject }) => `${source} ${subject}`),
      ["saved.json line 2", "saved.json line 3", "saved.json line 4"],
    );
  });

  it("of categories that are not judged are of no use, and not malformed", () => {
    const { skipped } = judged([
      connectionLog("gw-1", "device", { category: "DeviceTelemetry" }),
      connectionLog("gw-1", "device", { category: "SomethingNew", properties: 7 }),
    ]);
    assert.equal(skipped.count, 0);
  });

  it("with authType as an object, or none at all, are read", () => {
    const { facts } = judged([
      connectionLog("gw-1", "", { properties: { deviceId: "gw-1", authType: { scope: "Hub" } } }),
      connectionLog("gw-2", "", { properties: { deviceId: "gw-2", authType: "{oops" } }),
      connectionLog("gw-3", "", { properties: { deviceId: "gw-3" } }),
    ]);
    assert.equal(facts.credentials.connectionRecords, 3);
    assert.deepEqual(facts.credentials.policyDevices, ["gw-1"]);
  });
});
