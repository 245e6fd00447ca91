import assert from "node:assert/strict";
import { connect as tcpConnect } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parsePublishTopic } from "../../src/localhub/hub-topics.ts";
import { decodePropertyBag, encodePairs } from "../../src/localhub/property-bag.ts";
import { parseUserName } from "../../src/localhub/user-name.ts";
import { MODULE, startBench, until, withHub } from "./hub-bench.ts";
import { connectPacket, packet, publishPacket, subscribePacket, TYPE } from "./raw-client.ts";

const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength });

describe("garbage", () => {
  it("instead of CONNECT ends a connection or is waited over, and the hub lives on", async () => {
    const bench = await startBench();
    try {
      await fc.assert(
        fc.asyncProperty(bytes(400), async (garbage) => {
          const client = await bench.dial();
          client.send(garbage);
          client.socket.end();
          await client.closed();
        }),
        { numRuns: 60 },
      );
      await bench.enter();
      assert.equal(bench.hub.connections.length, 1);
      assert.equal(bench.messages.length, 0);
    } finally {
      await bench.stop();
    }
  });

  it("after a login, in sound frames and broken ones, never harms the hub", async () => {
    const bench = await startBench();
    try {
      const framed = fc
        .tuple(fc.integer({ min: 0, max: 255 }), bytes(120))
        .map(([first, body]) => packet(first, body));
      const altered = fc
        .tuple(
          fc.constantFrom(
            publishPacket("devices/gw1/modules/azureiotsecurity/messages/events/a=b", "x", {
              qos: 1,
            }),
            subscribePacket(1, ["$iothub/twin/res/#", "$iothub/methods/POST/#"]),
            publishPacket("$iothub/twin/PATCH/properties/reported/?$rid=1", '{"a":1}'),
          ),
          fc.nat(),
          fc.integer({ min: 0, max: 255 }),
        )
        .map(([sound, at, value]) => {
          const copy = Buffer.from(sound);
          copy[at % copy.length] = value;
          return copy;
        });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(framed, altered, bytes(60).map(Buffer.from)), {
            minLength: 1,
            maxLength: 5,
          }),
          async (parts) => {
            const client = await bench.knock();
            client.send(...parts);
            client.socket.end();
            await client.closed();
          },
        ),
        { numRuns: 120 },
      );
      assert.ok(bench.violations.length > 50, `only ${bench.violations.length} were noticed`);
      const survivor = await bench.enter();
      assert.equal(await survivor.isEnded(), false);
    } finally {
      await bench.stop();
    }
  });

  it(
    "instead of TLS is survived",
    withHub(async (bench) => {
      for (const port of [bench.hub.port, bench.hub.webSocketPort]) {
        const socket = tcpConnect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.write("GET / HTTP/1.1\r\n\r\n");
        socket.resume();
        await new Promise((done) => socket.once("close", done));
      }
      await bench.enter();
    }),
  );

  it(
    "that claims to be huge is not waited for",
    withHub(async (bench) => {
      const client = await bench.enter();
      client.send(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x01]));
      await client.closed();
      assert.match(bench.violations[0]?.what ?? "", /not MQTT/);
    }),
  );
});

describe("a packet", () => {
  it(
    "may come byte by byte, or many at once",
    withHub(async (bench) => {
      const topic = "devices/gw1/modules/azureiotsecurity/messages/events/";
      const client = await bench.dial();
      for (const byte of connectPacket(bench.sound())) client.send(Buffer.from([byte]));
      assert.equal((await client.connack()).code, 0);
      for (const byte of publishPacket(topic, "slow", { qos: 1 })) client.send(Buffer.from([byte]));
      await client.next(TYPE.puback);
      const many = Array.from({ length: 200 }, (_, at) =>
        publishPacket(topic, String(at), { qos: 1, packetId: at + 1 }),
      );
      client.send(...many);
      await until("all are there", () => bench.messages.length === 201);
      const bodies = bench.messages.slice(1).map(({ body }) => Buffer.from(body).toString());
      assert.deepEqual(
        bodies,
        many.map((_, at) => String(at)),
      );
      assert.deepEqual(bench.violations, []);
    }),
  );

  it(
    "after the one that ended the connection is not looked at",
    withHub(async (bench) => {
      const topic = "devices/gw1/modules/azureiotsecurity/messages/events/";
      const client = await bench.enter();
      client.send(publishPacket(topic, "x", { qos: 2 }), publishPacket(topic, "y", { qos: 1 }));
      await client.closed();
      assert.equal(bench.messages.length, 0);
      assert.equal(bench.violations.length, 1);
    }),
  );
});

describe("a client that does not read", () => {
  it(
    "is cut off before what waits for it takes much memory",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe(["$iothub/twin/PATCH/properties/desired/#"]);
      client.socket.pause();
      const text = "x".repeat(4_000);
      const patch = { a: text, b: text, c: text, d: text, e: text, f: text };
      for (let round = 0; round < 2_000 && bench.disconnections.length === 0; round += 1) {
        bench.hub.patchDesired(patch);
      }
      assert.deepEqual(bench.disconnections, ["the client does not read"]);
    }),
  );
});

const ascii = fc.string({
  unit: fc.constantFrom(..."ab c%&=/+?#$.'\"~"),
  minLength: 1,
  maxLength: 12,
});

describe("a property bag", () => {
  it("is read back as it was written", () => {
    const names = ascii.filter((name) => name !== "$.");
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(names, ascii), { selector: ([name]) => name }),
        (pairs) => {
          const bag = decodePropertyBag(encodePairs(pairs));
          assert.ok(bag.ok);
          const back = [
            ...Object.entries(bag.value.properties),
            ...Object.entries(bag.value.systemProperties).map(([name, value]) => [
              `$.${name}`,
              value,
            ]),
          ];
          assert.deepEqual(new Map(back as [string, string][]), new Map(pairs));
          const metered = pairs.reduce(
            (sum, [name, value]) => sum + value.length + (name.startsWith("$.") ? 0 : name.length),
            0,
          );
          assert.equal(bag.value.meteredBytes, metered);
        },
      ),
    );
  });

  it("with `__proto__` is a property like any other", () => {
    const bag = decodePropertyBag("__proto__=polluted");
    assert.ok(bag.ok);
    assert.deepEqual(Object.entries(bag.value.properties), [["__proto__", "polluted"]]);
    assert.equal(Reflect.get({}, "polluted"), undefined);
  });

  it("may end with a slash, which is not part of it", () => {
    const bag = decodePropertyBag("a=b&%24.on=out1/");
    assert.ok(bag.ok);
    assert.deepEqual(
      [bag.value.properties, bag.value.systemProperties],
      [{ a: "b" }, { on: "out1" }],
    );
  });
});

describe("any text", () => {
  it("as topic, bag or user name is read or refused, never thrown on", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        decodePropertyBag(text);
        parseUserName(text);
        const topic = parsePublishTopic(text, MODULE);
        assert.ok(["wrong", "events", "twin-get", "report", "method-reply"].includes(topic.kind));
      }),
    );
  });
});
