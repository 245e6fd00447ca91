import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { DEVICE, type HubBench, MODULE, until, withHub } from "./hub-bench.ts";
import { connectPacket, field, publishPacket, type RawClient, sasToken } from "./raw-client.ts";

const RESPONSES = "$dps/registrations/res/#";
const GROUP_KEY = Buffer.from("the key of a whole enrolment group").toString("base64");
const options = {
  idScope: "0ne0000TEST",
  enrollmentGroupKey: GROUP_KEY,
  disabledRegistrations: ["gw2"],
};

function derived(registrationId: string): string {
  return createHmac("sha256", Buffer.from(GROUP_KEY, "base64"))
    .update(registrationId)
    .digest("base64");
}

async function knock(
  bench: HubBench,
  registrationId: string,
  keyBase64: string | undefined,
  change: {
    userName?: string;
    keyName?: string;
    pem?: { certificatePem: string; keyPem: string };
  } = {},
): Promise<RawClient> {
  const { pem } = change;
  const client = await bench.dial(
    pem === undefined ? {} : { cert: pem.certificatePem, key: pem.keyPem },
  );
  const resource = `${options.idScope}/registrations/${registrationId}`;
  const expirySeconds = Math.floor(bench.clock.nowMs() / 1_000) + 600;
  const token = { resource, expirySeconds, keyName: change.keyName ?? "registration" };
  const password = keyBase64 === undefined ? undefined : sasToken({ ...token, keyBase64 });
  const userName = change.userName ?? `${resource}/api-version=2019-03-31&ClientVersion=x%2F1`;
  client.send(connectPacket({ clientId: registrationId, userName, password }));
  return client;
}

interface Answer {
  readonly topic: string;
  readonly body: {
    readonly operationId?: string;
    readonly status?: string;
    readonly errorCode?: number;
    readonly registrationState?: Readonly<Record<string, string>>;
  };
}

async function ask(client: RawClient, path: string, body = ""): Promise<Answer> {
  client.send(publishPacket(`$dps/registrations/${path}`, body, { qos: 1 }));
  const { topic, payload } = await client.nextPublish();
  return { topic, body: JSON.parse(payload) };
}

async function register(client: RawClient, registrationId: string): Promise<Answer> {
  assert.equal((await client.connack()).code, 0);
  assert.deepEqual(await client.subscribe([RESPONSES], 1), [1]);
  const body = JSON.stringify({ registrationId });
  return ask(client, "PUT/iotdps-register/?$rid=1", body);
}

async function poll(client: RawClient, operationId = ""): Promise<Answer> {
  return ask(
    client,
    `GET/iotdps-get-operationstatus/?$rid=2&operationId=${encodeURIComponent(operationId)}`,
  );
}

const ownKey = (bench: HubBench): string =>
  field(bench.hub.connectionString(DEVICE), "SharedAccessKey");

describe("the provisioning service", () => {
  it(
    "assigns a device that has its own key to this hub",
    withHub(async (bench) => {
      const client = await knock(bench, "gw1", ownKey(bench));
      const first = await register(client, "gw1");
      assert.equal(first.topic, "$dps/registrations/res/202/?$rid=1&retry-after=1");
      assert.equal(first.body.status, "assigning");
      const second = await poll(client, first.body.operationId);
      assert.equal(second.topic, "$dps/registrations/res/200/?$rid=2");
      assert.equal(second.body.status, "assigned");
      assert.equal(second.body.registrationState?.["deviceId"], "gw1");
      const assigned = `localhost:${bench.hub.webSocketPort}`;
      assert.equal(second.body.registrationState?.["assignedHub"], assigned);
      await bench.enter(DEVICE, { userName: `${assigned}/gw1/?api-version=2021-04-12` });
      assert.deepEqual(bench.violations, []);
    }, options),
  );

  it(
    "takes a key derived from the group's; it is the device's key from then on",
    withHub(async (bench) => {
      const before = ownKey(bench);
      const client = await knock(bench, "gw1", derived("gw1"));
      assert.equal(ownKey(bench), before, "a login alone changes nothing");
      assert.match((await register(client, "gw1")).topic, /res\/202/);
      assert.equal(ownKey(bench), derived("gw1"));
      await bench.enter(DEVICE);
    }, options),
  );

  it(
    "takes a certificate; a registration it does not know is 404",
    withHub(async (bench) => {
      const pem = await bench.hub.issueCertificate(DEVICE);
      const client = await knock(bench, "gw1", undefined, { pem });
      assert.match((await register(client, "gw1")).topic, /res\/202/);
      const stranger = await bench.hub.issueCertificate({ deviceId: "nobody" });
      const unknown = await knock(bench, "nobody", undefined, { pem: stranger });
      const answer = await register(unknown, "nobody");
      assert.match(answer.topic, /res\/404\/\?\$rid=1$/);
      assert.equal(answer.body.errorCode, 404_201);
    }, options),
  );

  it(
    "tells a disabled enrolment",
    withHub(async (bench) => {
      const client = await knock(bench, "gw2", derived("gw2"));
      const first = await register(client, "gw2");
      const second = await poll(client, first.body.operationId);
      assert.equal(second.body.status, "disabled");
      assert.equal(second.body.registrationState?.["assignedHub"], undefined);
    }, options),
  );

  it(
    "refuses logins with code 5 and says why",
    withHub(async (bench) => {
      const pem = await bench.hub.issueCertificate(MODULE);
      const cases: readonly (readonly [RegExp, Promise<RawClient>])[] = [
        [/signature/, knock(bench, "gw1", derived("gw2"))],
        [/signature/, knock(bench, "nobody", ownKey(bench))],
        [/policy name/, knock(bench, "gw1", ownKey(bench), { keyName: "device" })],
        [/neither a token/, knock(bench, "gw1", undefined)],
        [/certificate is for/, knock(bench, "gw1", undefined, { pem })],
        [
          /no id scope/,
          knock(bench, "gw1", ownKey(bench), {
            userName: "0neOTHER/registrations/gw1/api-version=2019-03-31",
          }),
        ],
        [
          /api-version/,
          knock(bench, "gw1", ownKey(bench), {
            userName: "0ne0000TEST/registrations/gw1/api-version=x",
          }),
        ],
        [
          /client id/,
          knock(bench, "gw1", ownKey(bench), {
            userName: "0ne0000TEST/registrations/gw2/api-version=2019-03-31",
          }),
        ],
      ];
      for (const [reason, knocking] of cases) {
        const client = await knocking;
        assert.equal((await client.connack()).code, 5, String(reason));
        const told = (): boolean => bench.violations.some(({ what }) => reason.test(what));
        await until(`told ${reason}`, told);
      }
      assert.equal(bench.violations.length, cases.length);
    }, options),
  );

  it(
    "without a group says that there is no such registration",
    withHub(
      async (bench) => {
        const client = await knock(bench, "nobody", derived("nobody"));
        assert.equal((await client.connack()).code, 5);
        assert.match(bench.violations[0]?.what ?? "", /no registration 'nobody' \(401\)/);
      },
      { idScope: options.idScope },
    ),
  );

  it(
    "answers odd requests with 400 and 404, and ends what breaks its rules",
    withHub(async (bench) => {
      const client = await knock(bench, "gw1", ownKey(bench));
      await register(client, "gw1");
      for (const body of ["{broken", "{}", '{"registrationId":"gw2"}']) {
        assert.match((await ask(client, "PUT/iotdps-register/?$rid=1", body)).topic, /res\/400/);
      }
      assert.match((await poll(client, "4.other")).topic, /res\/404/);
      for (const topic of [
        "$dps/registrations/PUT/iotdps-register/",
        "$dps/registrations/DELETE/x/?$rid=1",
        "devices/gw1/messages/events/",
        "$iothub/twin/GET/?$rid=1",
      ]) {
        const wrong = await knock(bench, "gw1", ownKey(bench));
        assert.equal((await wrong.connack()).code, 0);
        wrong.send(publishPacket(topic));
        await wrong.closed();
      }
      const wrong = await knock(bench, "gw1", ownKey(bench));
      await assert.rejects(wrong.subscribe(["#"]), /closed before/);
      assert.equal(bench.violations.length, 5);
    }, options),
  );

  it(
    "keeps alive, and ends who is silent",
    withHub(async (bench) => {
      const client = await knock(bench, "gw1", ownKey(bench));
      await client.connack();
      await bench.clock.advance(60_000);
      assert.equal(await client.isEnded(), false);
      await bench.clock.advance(90_000);
      await client.closed();
    }, options),
  );
});
