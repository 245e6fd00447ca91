import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEVICE, MODULE, OTHER, until, withHub } from "./hub-bench.ts";
import { packet, publishPacket, TYPE, text } from "./raw-client.ts";

const EVENTS = "devices/gw1/modules/azureiotsecurity/messages/events/";
const TWIN_RESPONSES = "$iothub/twin/res/#";
const DESIRED = "$iothub/twin/PATCH/properties/desired/#";
const METHODS = "$iothub/methods/POST/#";
const DEVICEBOUND = "devices/gw1/messages/devicebound/#";

describe("a device-to-cloud message", () => {
  it(
    "arrives with body, properties and metered size, and is acknowledged",
    withHub(async (bench) => {
      const client = await bench.enter();
      const bag = "kind=security&odd=a%20b%26c%3D&%24.mid=m1&%24.ct=application%2Fjson&flag";
      client.send(publishPacket(EVENTS + bag, '{"a":1}', { qos: 1, packetId: 77 }));
      assert.equal((await client.next(TYPE.puback)).body.readUInt16BE(0), 77);
      const [message] = bench.messages;
      assert.deepEqual(message?.identity, MODULE);
      assert.equal(Buffer.from(message?.body ?? []).toString(), '{"a":1}');
      assert.deepEqual(message?.properties, { kind: "security", odd: "a b&c=", flag: "" });
      assert.deepEqual(message?.systemProperties, { mid: "m1", ct: "application/json" });
      // 7 of body, 2 + 16 of system values, 12 + 9 + 4 of application names and values.
      assert.equal(message?.meteredBytes, 7 + 18 + 25);
      assert.equal(message?.units, 1);
      assert.equal(message?.receivedAtMs, bench.clock.nowMs());
    }),
  );

  it(
    "is metered in units of 4096 bytes, properties included",
    withHub(async (bench) => {
      const client = await bench.enter();
      for (const size of [0, 4_096, 4_097, 4_094]) {
        const bag = size === 4_094 ? "ab=c" : "";
        client.send(publishPacket(EVENTS + bag, Buffer.alloc(size), { qos: 1 }));
        await client.next(TYPE.puback);
      }
      assert.deepEqual(
        bench.messages.map(({ units }) => units),
        [1, 1, 2, 2],
      );
    }),
  );

  it(
    "is seen to be a duplicate by its id, per identity",
    withHub(async (bench) => {
      const [module, device] = [await bench.enter(), await bench.enter(DEVICE)];
      for (const id of ["a", "b", "a"]) {
        module.send(publishPacket(`${EVENTS}%24.mid=${id}`, "", { qos: 1 }));
        await module.next(TYPE.puback);
      }
      module.send(publishPacket(EVENTS), publishPacket(EVENTS));
      await until("five messages", () => bench.messages.length === 5);
      device.send(publishPacket("devices/gw1/messages/events/%24.mid=a", "", { qos: 1 }));
      await device.next(TYPE.puback);
      assert.deepEqual(
        bench.messages.map(({ isDuplicate }) => isDuplicate),
        [false, false, true, false, false, false],
      );
    }),
  );

  it(
    "may be 256 KB with its properties and not a byte more",
    withHub(async (bench) => {
      const client = await bench.enter();
      client.send(publishPacket(`${EVENTS}ab=c`, Buffer.alloc(262_141), { qos: 1 }));
      await client.next(TYPE.puback);
      client.send(publishPacket(`${EVENTS}ab=c`, Buffer.alloc(262_142), { qos: 1 }));
      await client.closed();
      assert.equal(bench.messages.length, 1);
      assert.match(bench.violations[0]?.what ?? "", /262145 bytes/);
    }),
  );

  it(
    "becomes a message with mqtt-retain instead of being retained",
    withHub(async (bench) => {
      const client = await bench.enter();
      client.send(publishPacket(EVENTS, "x", { qos: 1, retain: true }));
      await client.next(TYPE.puback);
      assert.deepEqual(bench.messages[0]?.properties, { "mqtt-retain": "true" });
    }),
  );
});

/** Publishes that end the connection, and the reason that is told. */
const WRONG_PUBLISHES: readonly (readonly [string, RegExp, Buffer])[] = [
  ["quality of service 2", /quality of service 2/, publishPacket(EVENTS, "", { qos: 2 })],
  ["packet id 0", /without a packet id/, publishPacket(EVENTS, "", { qos: 1, packetId: 0 })],
  ["the device's topic", /publish to/, publishPacket("devices/gw1/messages/events/")],
  ["another device's topic", /publish to/, publishPacket("devices/gw2/messages/events/")],
  ["a longer topic", /publish to/, publishPacket(EVENTS.replace("events/", "eventsx/"))],
  ["an unknown topic", /publish to/, publishPacket("hello")],
  ["an empty topic", /publish to/, publishPacket("")],
  ["a wildcard", /publish to/, publishPacket("devices/#")],
  ["an unknown hub topic", /publish to/, publishPacket("$iothub/twin/DELETE/?$rid=1")],
  ["a twin read without $rid", /without \$rid/, publishPacket("$iothub/twin/GET/")],
  ["a method answer without $rid", /without \$rid/, publishPacket("$iothub/methods/res/200/")],
  ["a method answer without status", /publish to/, publishPacket("$iothub/methods/res/x/?$rid=1")],
  ["a broken escape", /escape/, publishPacket(`${EVENTS}a=%zz`)],
  ["a value that is not ASCII", /not ASCII/, publishPacket(`${EVENTS}a=%C3%BC`)],
  ["a name that is not ASCII", /not ASCII/, publishPacket(`${EVENTS}%C3%BC=a`)],
  ["a control character", /not ASCII/, publishPacket(`${EVENTS}a=%00`)],
  ["a property without a name", /name is empty/, publishPacket(`${EVENTS}=a`)],
];

/** Packets that are not MQTT, or not a client's. */
const WRONG_PACKETS: readonly (readonly [string, RegExp, Buffer])[] = [
  ["a reserved type", /not MQTT/, Buffer.from([0x00, 0])],
  ["the type of MQTT 5", /not MQTT/, Buffer.from([0xf0, 0])],
  ["both bits of quality of service", /not MQTT/, Buffer.from([0x36, 2, 0, 0])],
  ["wrong flags", /not MQTT/, Buffer.from([0x80, 5, 0, 1, 0, 0, 0])],
  ["a length of five bytes", /not MQTT/, Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f])],
  ["a length beyond every limit", /not MQTT/, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])],
  [
    "a text beyond its packet",
    /not MQTT/,
    packet(0x30, Buffer.from([0xff, 0xff]), Buffer.from("a")),
  ],
  ["an acknowledgement without an id", /packet id/, Buffer.from([0x40, 0])],
  ["a subscription without an id", /not MQTT|packet id/, Buffer.from([0x82, 0])],
  ["a subscription without a topic", /SUBSCRIBE/, packet(0x82, Buffer.from([0, 1]))],
  [
    "a subscription with id 0",
    /packet id/,
    packet(0x82, Buffer.from([0, 0]), text(METHODS), Buffer.from([0])),
  ],
  ["CONNACK", /connack is not allowed/, Buffer.from([0x20, 2, 0, 0])],
  ["SUBACK", /suback is not allowed/, Buffer.from([0x90, 3, 0, 1, 0])],
  ["PUBREL", /pubrel is not allowed/, Buffer.from([0x62, 2, 0, 1])],
];

describe("a connection ends, and the reason is told, on", () => {
  for (const [group, cases] of [
    ["publish with", WRONG_PUBLISHES],
    ["the packet", WRONG_PACKETS],
  ] as const) {
    it(
      `${group}: ${cases.map(([name]) => name).join("; ")}`,
      withHub(async (bench) => {
        for (const [name, reason, bytes] of cases) {
          const before = bench.violations.length;
          const client = await bench.enter();
          client.send(bytes);
          await client.closed();
          assert.equal(bench.violations.length, before + 1, name);
          assert.match(bench.violations.at(-1)?.what ?? "", reason, name);
          assert.deepEqual(bench.violations.at(-1)?.identity, MODULE, name);
        }
        assert.equal(bench.messages.length, 0);
      }),
    );
  }

  it(
    "a subscription that the hub does not have, or more than five topics",
    withHub(async (bench) => {
      const { subscribePacket } = await import("./raw-client.ts");
      for (const filters of [
        ["#"],
        ["$iothub/#"],
        ["$iothub/twin/res/+"],
        ["$iothub/twin/res/200/#"],
        [METHODS, "devices/gw1/modules/azureiotsecurity/messages/devicebound/#"],
        [DEVICEBOUND],
        ["devices/gw1/modules/azureiotsecurity/inputs/#"],
        Array.from({ length: 6 }, () => METHODS),
      ]) {
        const client = await bench.enter();
        client.send(subscribePacket(1, filters));
        await client.closed();
      }
      assert.equal(bench.violations.length, 8);
      const device = await bench.enter(DEVICE);
      device.send(subscribePacket(1, ["devices/gw2/messages/devicebound/#"]));
      await device.closed();
    }),
  );
});

describe("a subscription", () => {
  it(
    "to what is documented is granted, with quality of service 1 at most",
    withHub(async (bench) => {
      const client = await bench.enter();
      assert.deepEqual(await client.subscribe([TWIN_RESPONSES, DESIRED, METHODS], 0), [0, 0, 0]);
      assert.deepEqual(await client.subscribe([TWIN_RESPONSES], 1), [1]);
      assert.deepEqual(await client.subscribe([TWIN_RESPONSES], 2), [1]);
      const device = await bench.enter(DEVICE);
      assert.deepEqual(await device.subscribe([DEVICEBOUND], 1), [1]);
      assert.deepEqual(bench.violations, []);
    }),
  );

  it(
    "ends with UNSUBSCRIBE",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([DESIRED]);
      client.send(packet(0xa2, Buffer.from([0, 9]), text(DESIRED)));
      assert.equal((await client.next(TYPE.unsuback)).body.readUInt16BE(0), 9);
      bench.hub.patchDesired({ a: 1 });
      assert.equal(await client.isEnded(), false);
      assert.deepEqual(
        client.packets.filter(({ type }) => type === TYPE.publish),
        [],
      );
    }),
  );
});

describe("a session", () => {
  it(
    "with CleanSession 0 keeps its subscriptions; with 1 it is gone",
    withHub(async (bench) => {
      const keep = { isClean: false };
      const first = await bench.knock(MODULE, keep);
      assert.deepEqual(await first.connack(), { code: 0, isPresent: false });
      await first.subscribe([DESIRED]);
      first.destroy();
      const second = await bench.knock(MODULE, keep);
      assert.deepEqual(await second.connack(), { code: 0, isPresent: true });
      assert.equal(bench.connections.at(-1)?.isSessionResumed, true);
      bench.hub.patchDesired({ a: 1 });
      assert.equal((await second.nextPublish()).payload, '{"a":1,"$version":2}');
      const clean = await bench.knock(MODULE);
      assert.deepEqual(await clean.connack(), { code: 0, isPresent: false });
      bench.hub.patchDesired({ a: 2 });
      assert.equal(await clean.isEnded(), false);
      assert.equal(clean.packets.filter(({ type }) => type === TYPE.publish).length, 0);
      const last = await bench.knock(MODULE, keep);
      assert.deepEqual(await last.connack(), { code: 0, isPresent: false });
    }),
  );
});

describe("keep-alive", () => {
  it(
    "ends a connection that is silent for 1.5 times what it promised",
    withHub(async (bench) => {
      const client = await bench.enter(MODULE, { keepAliveSeconds: 10 });
      await bench.clock.advance(10_000);
      assert.equal(await client.isEnded(), false);
      await bench.clock.advance(14_999);
      assert.equal(client.isClosed, false);
      await bench.clock.advance(1);
      await client.closed();
      assert.match(bench.disconnections[0] ?? "", /keep-alive/);
      assert.equal(bench.clock.armed, 0);
    }),
  );

  it(
    "waits at most 1767 seconds, whatever was promised",
    withHub(async (bench) => {
      const password = bench.token(MODULE, {
        expirySeconds: Math.floor(bench.clock.nowMs() / 1_000) + 86_400,
      });
      for (const keepAliveSeconds of [0, 65_535]) {
        const client = await bench.enter(MODULE, { keepAliveSeconds, password });
        await bench.clock.advance(1_766_999);
        assert.equal(client.isClosed, false);
        await bench.clock.advance(1);
        await client.closed();
      }
    }),
  );
});

describe("a will", () => {
  const will = { topic: `${EVENTS}a=b`, payload: "gone", qos: 1, retain: true };

  it(
    "is stored as telemetry when the connection ends without a word",
    withHub(async (bench) => {
      const client = await bench.enter(MODULE, { will });
      client.destroy();
      await until("the will", () => bench.messages.length === 1);
      assert.deepEqual(bench.messages[0]?.properties, {
        a: "b",
        "iothub-MessageType": "Will",
        "mqtt-retain": "true",
      });
      assert.equal(Buffer.from(bench.messages[0]?.body ?? []).toString(), "gone");
    }),
  );

  it(
    "is forgotten when the client says DISCONNECT",
    withHub(async (bench) => {
      const client = await bench.enter(MODULE, { will });
      client.send(Buffer.from([0xe0, 0]));
      await client.closed();
      await until("disconnected", () => bench.disconnections.length === 1);
      assert.deepEqual(bench.messages, []);
    }),
  );
});

describe("a cloud-to-device message", () => {
  const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

  it(
    "waits for its device and is sent again until it is acknowledged",
    withHub(async (bench) => {
      const { hub } = bench;
      hub.sendToDevice(bytes("one"), { properties: { "a b": "c" }, messageId: "m1" });
      const first = await bench.enter(DEVICE, { isClean: false });
      // A new session of a persistent client keeps what waits at the hub.
      await first.subscribe([DEVICEBOUND], 1);
      const sent = await first.nextPublish();
      assert.equal(sent.topic.startsWith("devices/gw1/messages/devicebound/%24.mid=m1&"), true);
      assert.match(sent.topic, /a%20b=c$/);
      assert.deepEqual([sent.payload, sent.qos, sent.isRepeat], ["one", 1, false]);
      first.destroy();
      const second = await bench.enter(DEVICE, { isClean: false });
      const again = await second.nextPublish();
      assert.deepEqual([again.payload, again.isRepeat], ["one", true]);
      const id = Buffer.alloc(2);
      id.writeUInt16BE(again.packetId ?? 0);
      second.send(packet(0x40, id));
      assert.equal(await second.isEnded(), false);
      const third = await bench.enter(DEVICE, { isClean: false });
      assert.equal(await third.isEnded(), false);
      assert.equal(third.packets.filter(({ type }) => type === TYPE.publish).length, 0);
    }),
  );

  it(
    "is dropped by a clean session, and forgotten once sent without quality of service",
    withHub(async (bench) => {
      bench.hub.sendToDevice(bytes("dropped"));
      const client = await bench.enter(DEVICE);
      await client.subscribe([DEVICEBOUND], 0);
      bench.hub.sendToDevice(bytes("live"));
      assert.equal((await client.nextPublish()).payload, "live");
      const next = await bench.enter(DEVICE, { isClean: false });
      await next.subscribe([DEVICEBOUND], 1);
      assert.equal(await next.isEnded(), false);
      assert.equal(next.packets.filter(({ type }) => type === TYPE.publish).length, 0);
    }),
  );

  it(
    "is refused over 64 KB, over 50 that wait, and for modules",
    withHub(async ({ hub }) => {
      assert.throws(() => hub.sendToDevice(new Uint8Array(65_536)), /64 KB/);
      assert.throws(() => hub.sendToDevice(bytes("x"), { identity: MODULE }), /modules/);
      for (let at = 0; at < 50; at += 1) hub.sendToDevice(bytes("x"), { identity: OTHER });
      assert.throws(() => hub.sendToDevice(bytes("x"), { identity: OTHER }), /403004/);
    }),
  );
});
