import assert from "node:assert/strict";
import { type RequestOptions, request } from "node:https";
import { describe, it } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { createWebSocketStream, WebSocket } from "ws";
import { DEVICE, type HubBench, MODULE, OTHER, until, withHub } from "./hub-bench.ts";
import { connectPacket, field, publishPacket } from "./raw-client.ts";

function openWebSocket(bench: HubBench, path: string, protocols: string[]): WebSocket {
  const url = `wss://localhost:${bench.hub.webSocketPort}${path}`;
  const socket = new WebSocket(url, protocols, { ca: bench.caPem });
  socket.on("error", () => undefined);
  return socket;
}

describe("MQTT over WebSockets", () => {
  it(
    "works like MQTT over TLS",
    withHub(async (bench) => {
      const socket = openWebSocket(bench, "/$iothub/websocket?iothub-no-client-cert=true", [
        "mqtt",
      ]);
      const stream = createWebSocketStream(socket);
      const received: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => received.push(chunk));
      stream.on("error", () => undefined);
      stream.write(connectPacket(bench.sound()));
      await until("CONNACK", () => Buffer.concat(received).length === 4);
      assert.deepEqual([...Buffer.concat(received)], [0x20, 2, 0, 0]);
      assert.equal(socket.protocol, "mqtt");
      assert.equal(bench.connections[0]?.via, "websocket");
      assert.equal(bench.connections[0]?.serverName, "localhost");
      const topic = "devices/gw1/modules/azureiotsecurity/messages/events/";
      const message = publishPacket(topic, Buffer.alloc(200_000), { qos: 1 });
      stream.write(message.subarray(0, 100));
      stream.write(message.subarray(100));
      await until("PUBACK", () => Buffer.concat(received).length === 8);
      assert.equal(bench.messages[0]?.body.length, 200_000);
      stream.write(Buffer.from([0xe0, 0]));
      await until("the end", () => socket.readyState === WebSocket.CLOSED);
      assert.deepEqual(bench.disconnections, ["the client disconnected"]);
    }),
  );

  it(
    "is refused elsewhere and without its subprotocol",
    withHub(async (bench) => {
      for (const [path, protocols, status] of [
        ["/", ["mqtt"], 404],
        ["/$iothub/websocket", ["amqp"], 400],
        ["/$iothub/websocket", [], 400],
      ] as const) {
        const socket = openWebSocket(bench, path, [...protocols]);
        const answered = await new Promise((resolve) => {
          socket.on("unexpected-response", (_request, response) => resolve(response.statusCode));
          socket.on("open", () => resolve("open"));
        });
        assert.equal(answered, status);
        socket.terminate();
      }
    }),
  );

  it(
    "shares identity, session and faults with MQTT over TLS",
    withHub(async (bench) => {
      const first = await bench.enter();
      const socket = openWebSocket(bench, "/$iothub/websocket", ["mqtt"]);
      const stream = createWebSocketStream(socket);
      stream.on("error", () => undefined);
      stream.resume();
      stream.write(connectPacket(bench.sound()));
      await first.closed();
      assert.equal(bench.hub.connections[0]?.via, "websocket");
      bench.hub.faults.dropConnections();
      await until("the end", () => socket.readyState === WebSocket.CLOSED);
    }),
  );
});

interface Answer {
  readonly status: number;
  readonly body: { authentication?: { type: string; symmetricKey: { primaryKey: string } } };
}

function ask(bench: HubBench, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: "localhost",
        port: bench.hub.webSocketPort,
        path,
        ca: bench.caPem,
        agent: false,
        headers: { authorization: bench.token(DEVICE) },
        ...options,
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }),
        );
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

describe("the registry", () => {
  const PATH = "/devices/gw1/modules/azureiotsecurity?api-version=2020-09-30";

  it(
    "gives a device the key of its module",
    withHub(async (bench) => {
      const { status, body } = await ask(bench, PATH);
      assert.equal(status, 200);
      const { type, symmetricKey } = body.authentication ?? {};
      assert.equal(type, "sas");
      const key = field(bench.hub.connectionString(MODULE), "SharedAccessKey");
      assert.equal(symmetricKey?.primaryKey, key);
      const pem = await bench.hub.issueCertificate(DEVICE);
      const tls = { cert: pem.certificatePem, key: pem.keyPem, headers: {} };
      assert.equal((await ask(bench, PATH, tls)).status, 200);
    }),
  );

  it(
    "refuses others, and what it does not have",
    withHub(async (bench) => {
      const header = (authorization: string) => ({ headers: { authorization } });
      const foreign = await bench.hub.issueCertificate(OTHER);
      const cases: readonly (readonly [string, RequestOptions, number])[] = [
        [PATH, header(""), 401],
        [PATH, header("SharedAccessSignature x"), 401],
        [PATH, header(bench.token(OTHER)), 401],
        [PATH, header(bench.token(MODULE)), 401],
        [PATH, header(bench.token(DEVICE, { expirySeconds: 1 })), 401],
        [PATH, { cert: foreign.certificatePem, key: foreign.keyPem, headers: {} }, 401],
        [PATH.replace("gw1", "nobody"), {}, 401],
        [PATH.replace("azureiotsecurity", "nobody"), {}, 404],
        [PATH.split("?")[0] ?? "", {}, 400],
        [PATH, { method: "DELETE" }, 405],
        ["/devices/gw1?api-version=2020-09-30", {}, 404],
        ["/devices/%zz/modules/x?api-version=2020-09-30", {}, 404],
        ["/", {}, 404],
      ];
      for (const [path, options, status] of cases) {
        const answer = await ask(bench, path, options);
        assert.equal(answer.status, status, `${path} ${JSON.stringify(options)}`);
        assert.equal(answer.body.authentication, undefined);
      }
      assert.equal(bench.violations.length, 7);
    }),
  );

  it(
    "survives what is no HTTP",
    withHub(async (bench) => {
      const socket = tlsConnect({
        port: bench.hub.webSocketPort,
        host: "localhost",
        ca: bench.caPem,
      });
      socket.on("error", () => undefined);
      socket.write("\0\0garbage\r\n\r\n");
      socket.resume();
      await new Promise((done) => socket.once("close", done));
      assert.equal((await ask(bench, PATH)).status, 200);
    }),
  );
});
