import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { testAuthority } from "../support/certificates.ts";
import { DEVICE, type HubBench, MODULE, OTHER, startBench, until, withHub } from "./hub-bench.ts";
import { type ConnectFields, field } from "./raw-client.ts";

type Change = (bench: HubBench) => Partial<ConnectFields>;

const nowSeconds = (bench: HubBench): number => Math.floor(bench.clock.nowMs() / 1_000);

const ACCEPTED: readonly (readonly [string, Change])[] = [
  ["the form of the documentation", () => ({})],
  [
    "a model id and a client type",
    ({ hub }) => ({
      userName: `${hub.hostName}/gw1/azureiotsecurity/?api-version=2021-04-12&model-id=dtmi:a:b;1&DeviceClientType=x%2F1%20(y)`,
    }),
  ],
  [
    "the older form without a question mark",
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/azureiotsecurity/api-version=2018-06-30` }),
  ],
  [
    "the older form without the slash",
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/azureiotsecurity?api-version=2018-06-30` }),
  ],
  [
    "the hub's name with a port",
    ({ hub }) => ({
      userName: `${hub.hostName}:8883/gw1/azureiotsecurity/?api-version=2021-04-12`,
    }),
  ],
  [
    "the dialled name in user name and token",
    (bench) => ({
      userName: `localhost:${bench.hub.port}/gw1/azureiotsecurity/?api-version=2021-04-12`,
      password: bench.token(MODULE, { resource: "localhost/devices/gw1/modules/azureiotsecurity" }),
    }),
  ],
  [
    "a token for the device that holds it",
    (bench) => ({
      password: bench.token(MODULE, { resource: `${bench.hub.hostName}/devices/gw1` }),
    }),
  ],
  [
    "a token for the whole hub",
    (bench) => ({ password: bench.token(MODULE, { resource: bench.hub.hostName }) }),
  ],
  [
    "a token that ended four minutes ago",
    (bench) => ({ password: bench.token(MODULE, { expirySeconds: nowSeconds(bench) - 240 }) }),
  ],
];

const REFUSED: readonly (readonly [string, RegExp, Change])[] = [
  ["no user name", /user name/, () => ({ userName: undefined, password: undefined })],
  [
    "a user name without api-version",
    /api-version/,
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/azureiotsecurity/` }),
  ],
  [
    "an empty api-version",
    /api-version/,
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/azureiotsecurity/?api-version=` }),
  ],
  [
    "an api-version that is no date",
    /api-version is malformed/,
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/azureiotsecurity/?api-version=2021-13-45` }),
  ],
  [
    "an api-version older than modules",
    /older than 2017-11-08/,
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/azureiotsecurity/?api-version=2017-06-30` }),
  ],
  [
    "a broken escape",
    /user name/,
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/azureiotsecurity/?api-version=%zz` }),
  ],
  [
    "too many parts",
    /user name/,
    ({ hub }) => ({ userName: `${hub.hostName}/gw1/a/b/?api-version=2021-04-12` }),
  ],
  [
    "another hub in the user name",
    /another hub/,
    () => ({ userName: "other.azure-devices.net/gw1/azureiotsecurity/?api-version=2021-04-12" }),
  ],
  [
    "an unknown module",
    /no identity gw1\/nobody/,
    ({ hub }) => ({
      clientId: "gw1/nobody",
      userName: `${hub.hostName}/gw1/nobody/?api-version=2021-04-12`,
    }),
  ],
  ["a client id of somebody else", /client id/, () => ({ clientId: "gw1" })],
  ["no password", /neither a token nor/, () => ({ password: undefined })],
  ["a password that is no token", /no shared access signature/, () => ({ password: "secret" })],
  ["a token without fields", /lacks sr/, () => ({ password: "SharedAccessSignature x" })],
  [
    "a token with a fractional expiry",
    /lacks sr/,
    (bench) => ({ password: bench.token(MODULE).replace(/se=\d+/, "se=12.5") }),
  ],
  [
    "a very long token",
    /too long/,
    () => ({ password: `SharedAccessSignature ${"a".repeat(9_000)}` }),
  ],
  [
    "a token of another key",
    /signature/,
    (bench) => ({
      password: bench.token(MODULE, {
        keyBase64: field(bench.hub.connectionString(OTHER), "SharedAccessKey"),
      }),
    }),
  ],
  [
    "a token whose expiry was changed",
    /signature/,
    (bench) => ({ password: bench.token(MODULE).replace(/se=\d+/, "se=9999999999") }),
  ],
  [
    "a token for a neighbour",
    /another resource/,
    (bench) => ({
      password: bench.token(MODULE, { resource: `${bench.hub.hostName}/devices/gw2` }),
    }),
  ],
  [
    "a token for the beginning of a name",
    /another resource/,
    (bench) => ({
      password: bench.token(MODULE, { resource: `${bench.hub.hostName}/devices/gw` }),
    }),
  ],
  [
    "a token for what lies below",
    /another resource/,
    (bench) => ({
      password: bench.token(MODULE, {
        resource: `${bench.hub.hostName}/devices/gw1/modules/azureiotsecurity/x`,
      }),
    }),
  ],
  [
    "a token for another hub",
    /another resource/,
    (bench) => ({
      password: bench.token(MODULE, { resource: "other.net/devices/gw1/modules/azureiotsecurity" }),
    }),
  ],
  [
    "a token with a policy name",
    /policy name/,
    (bench) => ({ password: bench.token(MODULE, { keyName: "device" }) }),
  ],
  [
    "a token that ended six minutes ago",
    /expired/,
    (bench) => ({ password: bench.token(MODULE, { expirySeconds: nowSeconds(bench) - 360 }) }),
  ],
  [
    "a will on a foreign topic",
    /will/,
    () => ({ will: { topic: "devices/gw2/messages/events/", payload: "x" } }),
  ],
  [
    "a will with quality of service 2",
    /will/,
    () => ({
      will: {
        topic: "devices/gw1/modules/azureiotsecurity/messages/events/",
        payload: "x",
        qos: 2,
      },
    }),
  ],
];

describe("a login", () => {
  it("is accepted in every documented form", async () => {
    const bench = await startBench();
    try {
      for (const [name, change] of ACCEPTED) {
        const client = await bench.knock(MODULE, change(bench));
        assert.equal((await client.connack()).code, 0, `${name}: ${bench.violations.at(-1)?.what}`);
        assert.equal(await client.isEnded(), false, name);
      }
      assert.deepEqual(bench.violations, []);
    } finally {
      await bench.stop();
    }
  });

  it("is refused with code 5 and a reason in words", async () => {
    const bench = await startBench();
    try {
      for (const [name, reason, change] of REFUSED) {
        const before = bench.violations.length;
        const client = await bench.knock(MODULE, change(bench));
        assert.equal((await client.connack()).code, 5, name);
        await client.closed();
        assert.equal(bench.violations.length, before + 1, name);
        assert.match(bench.violations.at(-1)?.what ?? "", reason, name);
      }
      assert.equal(bench.connections.length, 0);
      const said = JSON.stringify([bench.violations, bench.log.lines]);
      assert.doesNotMatch(said, /sig=|SharedAccessSignature /, "a secret was said");
    } finally {
      await bench.stop();
    }
  });

  it(
    "names the identity that was refused",
    withHub(async (bench) => {
      const client = await bench.knock(MODULE, { password: "x" });
      await client.closed();
      assert.deepEqual(bench.violations[0]?.identity, MODULE);
    }),
  );

  it(
    "is for MQTT 3.1.1 only",
    withHub(async (bench) => {
      for (const level of [3, 5]) {
        const client = await bench.knock(MODULE, { level });
        // A CONNECT of MQTT 5 without its properties is no packet at all: then there is no answer.
        const answered = await client.connack().catch(() => ({ code: 1 }));
        assert.equal(answered.code, 1);
        await client.closed();
      }
      assert.equal(bench.violations.length, 2);
    }),
  );

  it(
    "of a device may use an older api-version than one of a module",
    withHub(async (bench) => {
      const userName = `${bench.hub.hostName}/gw1/?api-version=2016-11-14`;
      await bench.enter(DEVICE, { userName });
      const tooOld = await bench.knock(DEVICE, {
        userName: userName.replace("2016-11", "2016-10"),
      });
      assert.equal((await tooOld.connack()).code, 5);
    }),
  );

  it(
    "with an unpublished api-version is refused when that is asked for",
    withHub(
      async (bench) => {
        const userName = `${bench.hub.hostName}/gw1/azureiotsecurity/?api-version=2022-02-02`;
        const client = await bench.knock(MODULE, { userName });
        assert.equal((await client.connack()).code, 5);
        assert.match(bench.violations[0]?.what ?? "", /unknown/);
        await bench.enter();
      },
      { requireKnownApiVersion: true },
    ),
  );

  it(
    "must come within 30 seconds",
    withHub(async (bench) => {
      const client = await bench.dial();
      await until("the hub waits", () => bench.clock.armed === 1);
      await bench.clock.advance(29_999);
      assert.equal(client.isClosed, false);
      await bench.clock.advance(1);
      await client.closed();
    }),
  );

  it(
    "must be the first packet",
    withHub(async (bench) => {
      const client = await bench.dial();
      client.send(Buffer.from([0xc0, 0]));
      await client.closed();
      assert.match(bench.violations[0]?.what ?? "", /no CONNECT/);
    }),
  );

  it(
    "twice on one connection ends it",
    withHub(async (bench) => {
      const client = await bench.enter();
      const { connectPacket } = await import("./raw-client.ts");
      client.send(connectPacket(bench.sound()));
      await client.closed();
      assert.match(bench.violations[0]?.what ?? "", /connect is not allowed/);
    }),
  );
});

describe("a token", () => {
  it(
    "ends its connection when it ends",
    withHub(async (bench) => {
      const client = await bench.enter(MODULE, {
        password: bench.token(MODULE, { expirySeconds: nowSeconds(bench) + 100 }),
        keepAliveSeconds: 0,
      });
      await bench.clock.advance(98_000);
      assert.equal(await client.isEnded(), false);
      await bench.clock.advance(3_000);
      await client.closed();
      assert.deepEqual(bench.disconnections, ["the token has expired"]);
      assert.equal(bench.clock.armed, 0, "no timer may be left");
    }),
  );

  it(
    "that is over, within the drift, lasts to the end of the drift",
    withHub(async (bench) => {
      const password = bench.token(MODULE, { expirySeconds: nowSeconds(bench) - 240 });
      const client = await bench.enter(MODULE, { password, keepAliveSeconds: 0 });
      await bench.clock.advance(50_000);
      assert.equal(await client.isEnded(), false);
      await bench.clock.advance(15_000);
      await client.closed();
    }),
  );
});

describe("an identity", () => {
  it(
    "has one connection: a newer one evicts the older",
    withHub(async (bench) => {
      const older = await bench.enter();
      const device = await bench.enter(DEVICE);
      const newer = await bench.enter();
      await older.closed();
      assert.match(bench.disconnections[0] ?? "", /400027/);
      assert.equal(await newer.isEnded(), false);
      assert.equal(await device.isEnded(), false, "the device is another identity");
      assert.deepEqual(
        bench.hub.connections.map(({ identity }) => identity),
        [DEVICE, MODULE],
      );
      assert.deepEqual(bench.violations, []);
    }),
  );
});

describe("a client certificate", () => {
  const tls = (pem: { certificatePem: string; keyPem: string }) => ({
    cert: pem.certificatePem,
    key: pem.keyPem,
  });

  it(
    "of the hub's CA lets its identity in, without a token and without an end",
    withHub(async (bench) => {
      for (const identity of [MODULE, DEVICE]) {
        const pem = await bench.hub.issueCertificate(identity);
        const client = await bench.knock(identity, { password: undefined }, tls(pem));
        assert.equal((await client.connack()).code, 0, bench.violations.at(-1)?.what);
      }
      bench.hub.faults.expireTokens();
      assert.equal(bench.hub.connections.length, 2, "a certificate has no token that could end");
    }),
  );

  it(
    "goes with a token as well",
    withHub(async (bench) => {
      const pem = await bench.hub.issueCertificate(MODULE);
      const client = await bench.knock(MODULE, {}, tls(pem));
      assert.equal((await client.connack()).code, 0);
    }),
  );

  it(
    "of somebody else is refused, even with a sound token",
    withHub(async (bench) => {
      const pem = await bench.hub.issueCertificate(OTHER);
      for (const change of [{}, { password: undefined }]) {
        const client = await bench.knock(MODULE, change, tls(pem));
        assert.equal((await client.connack()).code, 5);
        assert.match(bench.violations.at(-1)?.what ?? "", /certificate is for 'gw2'/);
      }
    }),
  );

  it("of another CA is refused, unless its thumbprint is allowed", async () => {
    const stranger = await testAuthority("Somebody else");
    const pem = await stranger.issue({ commonName: "gw1/azureiotsecurity" });
    const der = new X509Certificate(pem.certificatePem).raw;
    for (const [algorithm, isAllowed] of [
      ["sha1", true],
      ["sha256", true],
      ["sha256", false],
    ] as const) {
      const print = createHash(algorithm).update(der).digest("hex").toUpperCase();
      const bench = await startBench({ allowedThumbprints: isAllowed ? [print] : [] });
      try {
        const client = await bench.knock(MODULE, { password: undefined }, tls(pem));
        assert.equal((await client.connack()).code, isAllowed ? 0 : 5);
        if (!isAllowed) assert.match(bench.violations[0]?.what ?? "", /not trusted/);
      } finally {
        await bench.stop();
      }
    }
  });
});

describe("a connection", () => {
  it(
    "is told with address, TLS version and server name",
    withHub(async (bench) => {
      await bench.enter();
      const [connection] = bench.connections;
      assert.match(connection?.remote ?? "", /^127\.0\.0\.1:\d+$/);
      assert.equal(connection?.tlsVersion, "TLSv1.3");
      assert.equal(connection?.serverName, "localhost");
      assert.equal(connection?.via, "mqtt");
      assert.equal(connection?.isSessionResumed, false);
    }),
  );

  it(
    "works with TLS 1.2 and not below",
    withHub(async (bench) => {
      const client = await bench.knock(MODULE, {}, { maxVersion: "TLSv1.2" });
      assert.equal((await client.connack()).code, 0);
      assert.equal(bench.connections[0]?.tlsVersion, "TLSv1.2");
      await assert.rejects(bench.dial({ minVersion: "TLSv1", maxVersion: "TLSv1.1" }));
    }),
  );

  it(
    "never resumes an older TLS session, so that the certificate is always shown",
    withHub(async (bench) => {
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const first = await bench.dial({ maxVersion });
        const session = first.socket.getSession();
        const second = await bench.dial({
          maxVersion,
          ...(session === undefined ? {} : { session }),
        });
        assert.equal(second.socket.isSessionReused(), false);
      }
    }),
  );
});
