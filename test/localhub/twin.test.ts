import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../../src/contract/json.ts";
import { createTwin, type Twin } from "../../src/localhub/twin-store.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { DEVICE, MODULE, OTHER, withHub } from "./hub-bench.ts";
import { publishPacket, type RawClient, TYPE } from "./raw-client.ts";

const TWIN_RESPONSES = "$iothub/twin/res/#";
const DESIRED = "$iothub/twin/PATCH/properties/desired/#";

async function readTwin(client: RawClient, requestId = "r1"): Promise<JsonObject> {
  client.send(publishPacket(`$iothub/twin/GET/?$rid=${requestId}`, " "));
  const answer = await client.nextPublish();
  assert.equal(answer.topic, `$iothub/twin/res/200/?$rid=${requestId}`);
  return JSON.parse(answer.payload);
}

async function report(client: RawClient, body: string): Promise<readonly [string, string]> {
  client.send(publishPacket("$iothub/twin/PATCH/properties/reported/?$rid=r2", body));
  const answer = await client.nextPublish();
  return [answer.topic, answer.payload];
}

describe("a twin read", () => {
  it(
    "answers desired and reported with their versions and without metadata",
    withHub(
      async (bench) => {
        const client = await bench.enter();
        await client.subscribe([TWIN_RESPONSES]);
        assert.deepEqual(await readTwin(client), {
          desired: { a: { b: 1 }, $version: 1 },
          reported: { $version: 1 },
        });
        bench.hub.patchDesired({ a: { c: [1, null] } });
        assert.deepEqual(await readTwin(client, "7f&x=1".split("&")[0]), {
          desired: { a: { b: 1, c: [1, null] }, $version: 2 },
          reported: { $version: 1 },
        });
      },
      { desired: { a: { b: 1 } } },
    ),
  );

  it(
    "is answered only to a client that subscribed to answers",
    withHub(async (bench) => {
      const client = await bench.enter();
      client.send(publishPacket("$iothub/twin/GET/?$rid=1", "", { qos: 1 }));
      await client.next(TYPE.puback);
      assert.equal(await client.isEnded(), false);
      assert.equal(client.packets.filter(({ type }) => type === TYPE.publish).length, 0);
    }),
  );

  it(
    "shows each identity its own twin",
    withHub(async (bench) => {
      bench.hub.patchDesired({ mine: true }, OTHER);
      const client = await bench.enter(DEVICE);
      await client.subscribe([TWIN_RESPONSES]);
      assert.deepEqual((await readTwin(client))["desired"], { $version: 1 });
      assert.equal(bench.hub.twin(OTHER).desired["mine"], true);
    }),
  );
});

describe("a reported patch", () => {
  it(
    "is merged, counted and told; null deletes",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([TWIN_RESPONSES]);
      const first = await report(client, '{"agent":{"state":"ok","n":1},"old":true}');
      assert.deepEqual(first, ["$iothub/twin/res/204/?$rid=r2&$version=2", ""]);
      const second = await report(client, '{"agent":{"n":null},"old":null,"new":{"x":null}}');
      assert.deepEqual(second, ["$iothub/twin/res/204/?$rid=r2&$version=3", ""]);
      const { $metadata: metadata, ...reported } = bench.hub.twin().reported;
      assert.deepEqual(reported, { agent: { state: "ok" }, new: {}, $version: 3 });
      assert.ok(metadata);
      assert.deepEqual(
        bench.reported.map(({ version }) => version),
        [2, 3],
      );
    }),
  );

  const text = (bytes: number): string => "x".repeat(bytes);
  const nested = (levels: number): string => `${'{"k":'.repeat(levels)}1${"}".repeat(levels)}`;

  const REFUSED: readonly (readonly [string, string])[] = [
    ["no JSON", "{broken"],
    ["nothing", ""],
    ["an array", "[1]"],
    ["a text", '"x"'],
    ["a key with a dot", '{"a.b":1}'],
    ["a key with a dollar", '{"$version":1}'],
    ["a key with a space", '{"a b":1}'],
    ["a key with a control character", '{"a\\u0007":1}'],
    ["an empty key", '{"":1}'],
    ["a forbidden key below", '{"a":[{"b.c":1}]}'],
    ["a key of more than 1 KB", `{"${text(1_025)}":1}`],
    ["a text of more than 4 KB", `{"a":"${text(4_097)}"}`],
    ["4 KB of characters in more bytes", `{"a":"${"ü".repeat(2_049)}"}`],
    ["an integer beyond 2^52", '{"a":4503599627370497}'],
    ["eleven levels", nested(12)],
    ["the prototype", '{"__proto__":{"a":1}}'],
    [
      "more than 32 KB",
      `{${Array.from({ length: 9 }, (_, at) => `"k${at}":"${text(4_000)}"`).join(",")}}`,
    ],
  ];

  it(
    `is refused with 400 and changes nothing: ${REFUSED.map(([name]) => name).join("; ")}`,
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([TWIN_RESPONSES]);
      for (const [name, body] of REFUSED) {
        const [topic, answer] = await report(client, body);
        assert.equal(topic, "$iothub/twin/res/400/?$rid=r2", name);
        assert.equal(JSON.parse(answer).errorCode, 400_004, name);
      }
      assert.equal(bench.hub.twin().reported["$version"], 1);
      assert.deepEqual(bench.reported, []);
    }),
  );

  it(
    "at the limits is taken",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([TWIN_RESPONSES]);
      for (const body of [
        `{"${text(1_024)}":1}`,
        `{"a":"${text(4_096)}","b":-4503599627370496,"c":1.5,"d":false}`,
        nested(11),
      ]) {
        assert.match((await report(client, body))[0], /res\/204/);
      }
    }),
  );
});

describe("desired properties", () => {
  it(
    "are told as a patch with their version, to a subscribed client only",
    withHub(async (bench) => {
      const { hub } = bench;
      const client = await bench.enter();
      hub.patchDesired({ early: 1 });
      await client.subscribe([DESIRED]);
      assert.equal(hub.patchDesired({ a: { b: 1 }, early: null }), 3);
      const told = await client.nextPublish();
      assert.equal(told.topic, "$iothub/twin/PATCH/properties/desired/?$version=3");
      assert.deepEqual(JSON.parse(told.payload), { a: { b: 1 }, early: null, $version: 3 });
      client.destroy();
    }),
  );

  it(
    "are not kept for a client that is away",
    withHub(async (bench) => {
      const first = await bench.enter(MODULE, { isClean: false });
      await first.subscribe([DESIRED]);
      first.destroy();
      await first.closed();
      await new Promise((done) => setImmediate(done));
      while (bench.hub.connections.length > 0) await new Promise((done) => setTimeout(done, 2));
      bench.hub.patchDesired({ missed: 1 });
      const second = await bench.enter(MODULE, { isClean: false });
      assert.equal(await second.isEnded(), false);
      assert.equal(second.packets.filter(({ type }) => type === TYPE.publish).length, 0);
    }),
  );

  it(
    "are replaced whole; what went away is told as null",
    withHub(
      async (bench) => {
        const client = await bench.enter();
        await client.subscribe([DESIRED]);
        const version = bench.hub.replaceDesired({ keep: { x: 1 }, add: [1], $version: 99 });
        const told = JSON.parse((await client.nextPublish()).payload);
        assert.deepEqual(told, {
          gone: null,
          keep: { y: null, x: 1 },
          add: [1],
          $version: version,
        });
        const { $metadata: _, ...desired } = bench.hub.twin().desired;
        assert.deepEqual(desired, { keep: { x: 1 }, add: [1], $version: 2 });
      },
      { desired: { gone: 1, keep: { x: 1, y: 2 } } },
    ),
  );

  it(
    "beyond the limits are refused in words",
    withHub(async ({ hub }) => {
      assert.throws(() => hub.patchDesired({ "a.b": 1 }), /key holds/);
      assert.throws(() => hub.replaceDesired({ a: "x".repeat(5_000) }), /longer than 4 KB/);
      assert.throws(() => hub.patchDesired({}, { deviceId: "nobody" }), /no identity nobody/);
      assert.equal(hub.twin().desired["$version"], 1);
    }),
  );
});

function twinOf(desired: JsonObject, clock = new FakeClock()): Twin {
  const twin = createTwin(desired, clock);
  assert.ok(twin.ok);
  return twin.value;
}

describe("the metadata of a twin", () => {
  it("tells for each property when and in which version it changed", () => {
    const clock = new FakeClock({ startMs: Date.UTC(2026, 0, 1) });
    const twin = twinOf({ a: { b: 1, c: 2 }, list: [1] }, clock);
    clock.jumpWall(60_000);
    twin.patchDesired({ a: { c: 3 }, list: null });
    const before = { $lastUpdated: "2026-01-01T00:00:00.000Z", $lastUpdatedVersion: 1 };
    const after = { $lastUpdated: "2026-01-01T00:01:00.000Z", $lastUpdatedVersion: 2 };
    assert.deepEqual(twin.document().desired["$metadata"], {
      ...after,
      a: { ...after, b: before, c: after },
    });
    twin.patchReported({ x: 1 });
    const { $lastUpdated } = after;
    assert.deepEqual(twin.document().reported["$metadata"], { $lastUpdated, x: { $lastUpdated } });
  });
});

const leaf = fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom("x", "y"));
const properties = fc.dictionary(
  fc.constantFrom("a", "b", "c"),
  fc.oneof(leaf, fc.dictionary(fc.constantFrom("d", "e"), leaf)),
);

describe("a replaced twin", () => {
  it("equals what a client makes of the patch that it was told", () => {
    fc.assert(
      fc.property(properties, properties, (before, wanted) => {
        const hub = twinOf(before);
        const client = twinOf(before);
        const change = hub.replaceDesired(wanted);
        assert.ok(change.ok && client.patchDesired(change.value.patch).ok);
        const { $version: _v, ...have } = Object(hub.deviceView()["desired"]);
        assert.deepEqual(have, JSON.parse(JSON.stringify(wanted)));
        assert.deepEqual(client.deviceView()["desired"], hub.deviceView()["desired"]);
      }),
    );
  });
});
