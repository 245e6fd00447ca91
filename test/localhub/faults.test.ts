import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { MODULE, until, withHub } from "./hub-bench.ts";
import { publishPacket, subscribePacket, TYPE } from "./raw-client.ts";

const EVENTS = "devices/gw1/modules/azureiotsecurity/messages/events/";
const TWIN_RESPONSES = "$iothub/twin/res/#";
const DESIRED = "$iothub/twin/PATCH/properties/desired/#";
const GET = publishPacket("$iothub/twin/GET/?$rid=1");
const REPORT = publishPacket("$iothub/twin/PATCH/properties/reported/?$rid=2", '{"a":1}');

describe("on demand, a hub", () => {
  it(
    "resets every connection",
    withHub(async (bench) => {
      const clients = [await bench.enter(), await bench.enter({ deviceId: "gw2" })];
      const codes: unknown[] = [];
      for (const { socket } of clients) {
        socket.on("error", (error: NodeJS.ErrnoException) => codes.push(error.code));
      }
      bench.hub.faults.dropConnections();
      assert.equal(bench.hub.connections.length, 0, "nobody is connected from then on");
      for (const client of clients) await client.closed();
      assert.deepEqual(codes, ["ECONNRESET", "ECONNRESET"]);
      await bench.enter();
    }),
  );

  it(
    "goes down and comes back on the same ports",
    withHub(async (bench) => {
      const { hub } = bench;
      const [port, webSocketPort] = [hub.port, hub.webSocketPort];
      const client = await bench.enter(MODULE, { isClean: false });
      await hub.faults.goDown();
      await hub.faults.goDown();
      await client.closed();
      await assert.rejects(bench.dial(), /ECONNREFUSED/);
      await hub.faults.resume();
      await hub.faults.resume();
      assert.deepEqual([hub.port, hub.webSocketPort], [port, webSocketPort]);
      const back = await bench.knock(MODULE, { isClean: false });
      assert.deepEqual(await back.connack(), { code: 0, isPresent: true });
    }),
  );

  it(
    "forgets sessions without ending connections",
    withHub(async (bench) => {
      const client = await bench.enter(MODULE, { isClean: false });
      await client.subscribe([DESIRED]);
      bench.hub.faults.loseSessions();
      bench.hub.patchDesired({ a: 1 });
      assert.match((await client.nextPublish()).topic, /version=2/);
      const back = await bench.knock(MODULE, { isClean: false });
      assert.deepEqual(await back.connack(), { code: 0, isPresent: false });
    }),
  );

  it(
    "takes messages without acknowledging them",
    withHub(async (bench) => {
      const client = await bench.enter();
      bench.hub.faults.withholdPuback(true);
      client.send(publishPacket(EVENTS, "x", { qos: 1 }));
      assert.equal(await client.isEnded(), false);
      assert.equal(bench.messages.length, 1);
      assert.deepEqual(
        client.packets.filter(({ type }) => type === TYPE.puback),
        [],
      );
      bench.hub.faults.withholdPuback(false);
      client.send(publishPacket(EVENTS, "x", { qos: 1, packetId: 5 }));
      assert.equal((await client.next(TYPE.puback)).body.readUInt16BE(0), 5);
    }),
  );

  it(
    "delays SUBACK; until then nothing is subscribed",
    withHub(async (bench) => {
      const client = await bench.enter();
      bench.hub.faults.delaySuback(300);
      client.send(subscribePacket(1, [DESIRED]));
      assert.equal(await client.isEnded(), false);
      bench.hub.patchDesired({ early: 1 });
      await bench.clock.advance(299);
      assert.equal(await client.isEnded(), false);
      assert.deepEqual(
        client.packets.filter(({ type }) => type === TYPE.suback),
        [],
      );
      await bench.clock.advance(1);
      await client.next(TYPE.suback);
      bench.hub.patchDesired({ late: 1 });
      assert.match((await client.nextPublish()).payload, /late/);
    }),
  );

  it(
    "leaves no timer behind when a client goes before its SUBACK",
    withHub(async (bench) => {
      const client = await bench.enter();
      bench.hub.faults.delaySuback(300);
      client.send(subscribePacket(1, [DESIRED]));
      assert.equal(await client.isEnded(), false);
      client.destroy();
      await until("it is gone", () => bench.disconnections.length === 1);
      assert.equal(bench.clock.armed, 0);
    }),
  );

  it(
    "slips one patch in before the next twin read is answered",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([TWIN_RESPONSES, DESIRED]);
      bench.hub.faults.patchBeforeNextTwinGet({ raced: 1 });
      client.send(GET);
      const [told, read] = [await client.nextPublish(), await client.nextPublish()];
      assert.deepEqual(JSON.parse(told.payload), { raced: 1, $version: 2 });
      assert.deepEqual(JSON.parse(read.payload).desired, { raced: 1, $version: 2 });
      client.send(GET);
      assert.deepEqual(JSON.parse((await client.nextPublish()).payload).desired.$version, 2);
    }),
  );

  it(
    "answers twin reads in any way or not at all, in the order asked for",
    withHub(async (bench) => {
      const { faults } = bench.hub;
      const client = await bench.enter();
      await client.subscribe([TWIN_RESPONSES]);
      faults.answerTwinGets({ status: 429 }, 2);
      faults.ignoreTwinGets(1);
      faults.answerTwinGets({ status: 500, body: { errorCode: 500_001 } }, 1);
      const seen: string[] = [];
      for (let at = 0; at < 5; at += 1) client.send(GET);
      for (let at = 0; at < 4; at += 1) {
        const { topic, payload } = await client.nextPublish();
        seen.push(`${topic.split("/")[3]} ${payload.slice(0, 12)}`);
      }
      assert.deepEqual(seen, ["429 ", "429 ", '500 {"errorCode"', '200 {"desired":{']);
    }),
  );

  it(
    "answers reported patches in any way; only success changes the twin",
    withHub(async (bench) => {
      const { faults } = bench.hub;
      const client = await bench.enter();
      await client.subscribe([TWIN_RESPONSES]);
      faults.answerReports({ status: 503 }, 1);
      faults.answerReports({ status: 200, body: {} }, 1);
      client.send(REPORT);
      assert.match((await client.nextPublish()).topic, /res\/503\/\?\$rid=2$/);
      assert.equal(bench.hub.twin().reported["a"], undefined);
      client.send(REPORT);
      const taken = await client.nextPublish();
      assert.match(taken.topic, /res\/200\/\?\$rid=2&\$version=2$/);
      assert.equal(bench.hub.twin().reported["a"], 1);
    }),
  );

  it(
    "throttles by ending the connection, which breaks no rule",
    withHub(async (bench) => {
      bench.hub.faults.throttle(2);
      for (let round = 0; round < 2; round += 1) {
        const client = await bench.enter();
        client.send(publishPacket(EVENTS, "x", { qos: 1 }));
        await client.closed();
      }
      const client = await bench.enter();
      client.send(publishPacket(EVENTS, "x", { qos: 1 }));
      await client.next(TYPE.puback);
      assert.equal(bench.messages.length, 1);
      assert.deepEqual(bench.violations, []);
    }),
  );

  it(
    "refuses logins until told otherwise",
    withHub(async (bench) => {
      bench.hub.faults.rejectAuthentication(true);
      assert.equal((await (await bench.knock()).connack()).code, 5);
      bench.hub.faults.rejectAuthentication(false);
      await bench.enter();
    }),
  );

  it(
    "ends connections as if their tokens had ended",
    withHub(async (bench) => {
      const client = await bench.enter();
      bench.hub.faults.expireTokens();
      await client.closed();
      assert.deepEqual(bench.disconnections, ["the token has expired"]);
    }),
  );

  it(
    "presents certificates that a client must refuse, then its own again",
    withHub(async (bench) => {
      const { faults } = bench.hub;
      for (const [which, code] of [
        ["other-host", "ERR_TLS_CERT_ALTNAME_INVALID"],
        ["untrusted", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
        ["expired", "CERT_HAS_EXPIRED"],
      ] as const) {
        await faults.presentCertificate(which);
        await assert.rejects(bench.dial(), { code }, which);
      }
      await faults.presentCertificate("expired");
      await faults.goDown();
      await faults.resume();
      await assert.rejects(bench.dial(), { code: "CERT_HAS_EXPIRED" });
      await faults.presentCertificate(undefined);
      await bench.enter();
    }),
  );

  it(
    "pushes any bytes as a desired patch",
    withHub(async (bench) => {
      const client = await bench.enter();
      await client.subscribe([DESIRED]);
      bench.hub.faults.pushRawDesired("{broken");
      const { topic, payload } = await client.nextPublish();
      assert.deepEqual([topic.split("=")[1], payload], ["2", "{broken"]);
      assert.equal(bench.hub.patchDesired({ a: 1 }), 3, "versions go on from there");
    }),
  );
});

describe("a hub that stops", () => {
  it(
    "ends every connection, frees its ports and leaves no timer",
    withHub(async (bench) => {
      const { hub, clock } = bench;
      const client = await bench.enter();
      const halfOpen = connect(hub.port, "127.0.0.1");
      halfOpen.on("error", () => undefined);
      await new Promise((done) => halfOpen.once("connect", done));
      await bench.dial();
      await hub.stop();
      await hub.stop();
      await client.closed();
      assert.equal(clock.armed, 0);
      await hub.faults.resume();
      await assert.rejects(bench.dial(), /ECONNREFUSED/);
    }),
  );
});
