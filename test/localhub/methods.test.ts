import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AgentError } from "../../src/contract/errors.ts";
import { DEVICE, MODULE, withHub } from "./hub-bench.ts";
import { publishPacket } from "./raw-client.ts";

const METHODS = "$iothub/methods/POST/#";

/** Lets a case await what it expects to reject without an unhandled rejection in between. */
function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => error);
}

function saysWhy(error: unknown, why: RegExp): void {
  assert.ok(error instanceof AgentError, String(error));
  assert.equal(error.code, "AGENT_HUB_FAILED");
  assert.match(error.message, why);
}

describe("a direct method", () => {
  it(
    "reaches its client and brings back status and payload",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([METHODS]);
      const answered = bench.hub.invokeMethod("collectNow", { of: ["ports"] });
      const call = await client.nextPublish();
      const [, name, requestId] = /POST\/([^/]+)\/\?\$rid=(.+)$/.exec(call.topic) ?? [];
      assert.deepEqual([name, call.payload], ["collectNow", '{"of":["ports"]}']);
      client.send(publishPacket(`$iothub/methods/res/200/?$rid=${requestId}`, '{"ok":true}'));
      assert.deepEqual(await answered, { status: 200, payload: { ok: true } });
      assert.equal(await client.isEnded(), false);
    }),
  );

  it(
    "may be answered with nothing and with any status",
    withHub(async (bench) => {
      const client = await bench.enter(DEVICE);
      await client.subscribe([METHODS]);
      for (const status of [404, -1]) {
        const answered = bench.hub.invokeMethod("x", null, { identity: DEVICE });
        const requestId = (await client.nextPublish()).topic.split("$rid=")[1];
        client.send(publishPacket(`$iothub/methods/res/${status}/?$rid=${requestId}`));
        assert.deepEqual(await answered, { status, payload: null });
      }
    }),
  );

  it(
    "fails at once when nobody is connected or subscribed",
    withHub(async (bench) => {
      saysWhy(await outcome(bench.hub.invokeMethod("x", null)), /not connected \(404103\)/);
      await bench.enter();
      saysWhy(await outcome(bench.hub.invokeMethod("x", null)), /not subscribed/);
      saysWhy(
        await outcome(bench.hub.invokeMethod("x", null, { identity: { deviceId: "nobody" } })),
        /no identity nobody/,
      );
    }),
  );

  it(
    "fails when its time is over, and a late answer harms nobody",
    withHub(async (bench) => {
      const client = await bench.enter(MODULE, { keepAliveSeconds: 0 });
      await client.subscribe([METHODS]);
      const called = outcome(bench.hub.invokeMethod("slow", null, { timeoutMs: 5_000 }));
      const requestId = (await client.nextPublish()).topic.split("$rid=")[1];
      await bench.clock.advance(5_000);
      saysWhy(await called, /did not answer 'slow' within 5000 ms/);
      client.send(publishPacket(`$iothub/methods/res/200/?$rid=${requestId}`, "1"));
      assert.equal(await client.isEnded(), false);
    }),
  );

  it(
    "fails when its client goes or the hub stops",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([METHODS]);
      const first = outcome(bench.hub.invokeMethod("x", null));
      await client.nextPublish();
      client.destroy();
      saysWhy(await first, /no answer to 'x'/);
      const next = await bench.enter();
      await next.subscribe([METHODS]);
      const second = outcome(bench.hub.invokeMethod("x", null));
      await bench.hub.stop();
      saysWhy(await second, /no answer to 'x'/);
      assert.equal(bench.clock.armed, 0);
    }),
  );

  it(
    "is answered only by the client that was called",
    withHub(async (bench) => {
      const [client, device] = [await bench.enter(), await bench.enter(DEVICE)];
      await client.subscribe([METHODS]);
      const answered = bench.hub.invokeMethod("x", null);
      const requestId = (await client.nextPublish()).topic.split("$rid=")[1];
      device.send(publishPacket(`$iothub/methods/res/500/?$rid=${requestId}`, '"forged"'));
      assert.equal(await device.isEnded(), false);
      client.send(publishPacket(`$iothub/methods/res/200/?$rid=${requestId}`, '"mine"'));
      assert.deepEqual(await answered, { status: 200, payload: "mine" });
    }),
  );

  it(
    "takes 128 KB each way and not more, and only JSON",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([METHODS]);
      saysWhy(
        await outcome(bench.hub.invokeMethod("x", "y".repeat(131_071))),
        /larger than 128 KB/,
      );
      saysWhy(await outcome(bench.hub.invokeMethod("a/b", null)), /no method name/);
      const broken = outcome(bench.hub.invokeMethod("x", "y".repeat(131_070)));
      const first = (await client.nextPublish()).topic.split("$rid=")[1];
      client.send(publishPacket(`$iothub/methods/res/200/?$rid=${first}`, "{broken"));
      saysWhy(await broken, /no JSON/);
      const tooLarge = outcome(bench.hub.invokeMethod("x", null));
      const second = (await client.nextPublish()).topic.split("$rid=")[1];
      client.send(publishPacket(`$iothub/methods/res/200/?$rid=${second}`, Buffer.alloc(131_073)));
      saysWhy(await tooLarge, /larger than 128 KB/);
      await client.closed();
    }),
  );
});
