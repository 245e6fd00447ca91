/** The same hub, seen by a client library that others wrote. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { type HubBench, MODULE, until, withHub } from "./hub-bench.ts";

const EVENTS = "devices/gw1/modules/azureiotsecurity/messages/events/";

interface Seen {
  readonly client: MqttClient;
  readonly packets: {
    readonly topic: string;
    readonly text: string;
    readonly packet: IPublishPacket;
  }[];
}

async function connected(
  bench: HubBench,
  options: IClientOptions = {},
  url?: string,
): Promise<Seen> {
  const { clientId, userName = "", password = "" } = bench.sound();
  const client = await connectAsync(url ?? `mqtts://localhost:${bench.hub.port}`, {
    ca: bench.caPem,
    clientId,
    username: userName,
    password,
    reconnectPeriod: 0,
    ...options,
  });
  const packets: Seen["packets"] = [];
  client.on("message", (topic, body, packet) =>
    packets.push({ topic, text: body.toString(), packet }),
  );
  return { client, packets };
}

describe("the mqtt package", () => {
  for (const way of ["mqtts", "wss"] as const) {
    it(
      `sends, reads its twin, is told patches and answers methods over ${way}`,
      withHub(async (bench) => {
        const url = `wss://localhost:${bench.hub.webSocketPort}/$iothub/websocket`;
        const { client, packets } = await connected(bench, {}, way === "wss" ? url : undefined);
        const granted = await client.subscribeAsync({
          "$iothub/twin/res/#": { qos: 0 },
          "$iothub/twin/PATCH/properties/desired/#": { qos: 2 },
          "$iothub/methods/POST/#": { qos: 1 },
        });
        assert.deepEqual(
          granted.map(({ qos }) => qos),
          [0, 1, 1],
        );
        await client.publishAsync(`${EVENTS}%24.mid=1&a=b`, "body", { qos: 1 });
        assert.equal(bench.messages[0]?.properties["a"], "b");
        await client.publishAsync("$iothub/twin/GET/?$rid=g1", "");
        await until("the twin", () => packets.length === 1);
        assert.equal(packets[0]?.topic, "$iothub/twin/res/200/?$rid=g1");
        bench.hub.patchDesired({ level: 1 });
        await until("the patch", () => packets.length === 2);
        assert.equal(packets[1]?.text, '{"level":1,"$version":2}');
        const answered = bench.hub.invokeMethod("ping", 1);
        await until("the call", () => packets.length === 3);
        const requestId = packets[2]?.topic.split("$rid=")[1];
        await client.publishAsync(`$iothub/methods/res/200/?$rid=${requestId}`, "2", { qos: 1 });
        assert.deepEqual(await answered, { status: 200, payload: 2 });
        await client.endAsync();
        assert.deepEqual(bench.violations, []);
        assert.deepEqual(bench.disconnections, ["the client disconnected"]);
      }),
    );
  }

  it(
    "finds its session again, and none after the hub forgot it",
    withHub(async (bench) => {
      const present: boolean[] = [];
      for (const isForgotten of [false, false, true]) {
        if (isForgotten) bench.hub.faults.loseSessions();
        const seen = await connected(bench, { clean: false });
        present.push(bench.connections.at(-1)?.isSessionResumed ?? false);
        await seen.client.endAsync();
      }
      assert.deepEqual(present, [false, true, false]);
    }),
  );

  it(
    "is told of a refusal with its code",
    withHub(async (bench) => {
      await assert.rejects(connected(bench, { password: "wrong" }), { code: 5 });
      assert.deepEqual(bench.violations[0]?.identity, MODULE);
    }),
  );

  it(
    "is cut off for quality of service 2",
    withHub(async (bench) => {
      const { client } = await connected(bench);
      client.on("error", () => undefined);
      const closed = new Promise((done) => client.once("close", () => done(undefined)));
      client.publish(EVENTS, "x", { qos: 2 }, () => undefined);
      await closed;
      assert.match(bench.violations[0]?.what ?? "", /quality of service 2/);
      await client.endAsync(true);
    }),
  );
});
