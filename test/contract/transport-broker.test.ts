/** The plain MQTT transport over mosquitto. */
import assert from "node:assert/strict";
import { pbkdf2Sync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AgentError } from "../../src/contract/errors.ts";
import { parseBrokerUrl, topicOf } from "../../src/transport/mqtt/broker-address.ts";
import type { BrokerOptions } from "../../src/transport/transport-options.ts";
import { mosquittoMissing, startMosquitto } from "../support/mosquitto.ts";
import { connectRaw, type RawMessage } from "../support/raw-mqtt.ts";
import { startRelay } from "../support/relay.ts";
import { testCertificates } from "./mosquitto-bench.ts";
import { FAST, outgoing, Subject, until } from "./transport-bench.ts";

interface Set {
  readonly options: BrokerOptions;
  readonly received: readonly RawMessage[];
  readonly folder: string;
  readonly relay: Awaited<ReturnType<typeof startRelay>>;
}

async function withBroker(
  lines: (folder: string) => readonly string[],
  body: (set: Set) => Promise<void>,
) {
  const { authority, good } = await testCertificates();
  const folder = mkdtempSync(join(tmpdir(), "broker-"));
  const broker = await startMosquitto(good, authority.caPem, lines(folder));
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, authority.caPem);
  const received: RawMessage[] = [];
  const relay = await startRelay(broker.tlsPort);
  const listener = await connectRaw(broker.plainPort, "listener", (message) => {
    received.push(message);
  });
  await listener.subscribe(["#"]);
  const url = `mqtts://localhost:${relay.port}`;
  const options = { url, deviceId: "gw1", agentId: "agent", caFile, timing: FAST };
  try {
    await body({ options, received, folder, relay });
  } finally {
    listener.close();
    await relay.close();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const PASSWORD = "a password never to be seen";

/** A password file as mosquitto_passwd(1) writes it: PBKDF2, SHA-512. */
function passwordLines(folder: string): readonly string[] {
  const salt = Buffer.from("0123456789ab");
  const hash = pbkdf2Sync(PASSWORD, salt, 101, 64, "sha512").toString("base64");
  const file = join(folder, "users");
  writeFileSync(file, `agent:$7$101$${salt.toString("base64")}$${hash}\n`);
  return [`password_file ${file}`];
}

describe("the plain MQTT transport", { skip: mosquittoMissing ?? false, concurrency: 4 }, () => {
  for (const protocolVersion of [4, 5] as const) {
    it(`publishes to a topic per kind and waits for PUBACK, protocol ${protocolVersion}`, () =>
      withBroker(
        () => [],
        async ({ options, received }) => {
          const subject = await Subject.start({ kind: "mqtt", ...options, protocolVersion });
          try {
            await until("connected", () => subject.isConnected);
            assert.equal((await subject.send()).status, "acknowledged");
            const message = outgoing({ kind: "extension" });
            assert.equal((await subject.send(message)).status, "acknowledged");
            await until("both are there", () => received.length === 2);
            assert.deepEqual(
              received.map(({ topic }) => topic),
              ["gw1/agent/security", "gw1/agent/extension"],
            );
            assert.deepEqual(received[1]?.payload, Buffer.from(message.body));
            assert.equal(subject.transport.hasTwin, false);
            assert.equal((await subject.report({ a: 1 })).status, "refused");
            assert.equal((await subject.send({ meteredBytes: 999_999 })).status, "refused");
          } finally {
            await subject.stop();
          }
        },
      ));
  }

  it("comes back after a cut, and loses nothing that the sender keeps", () =>
    withBroker(
      () => [],
      async ({ options, received, relay }) => {
        const subject = await Subject.start({ kind: "mqtt", ...options });
        try {
          await until("connected", () => subject.isConnected);
          const sending = subject.send();
          relay.cut();
          await sending;
          assert.equal(await subject.sendUntilTaken({ messageId: "again" }), "acknowledged");
          assert.ok(subject.connections >= 2);
          await until("it is there", () => received.length >= 1);
        } finally {
          await subject.stop();
        }
      },
    ));

  it("shows its client certificate to a broker that asks", () =>
    withBroker(
      () => ["require_certificate true"],
      async ({ options, folder }) => {
        const { authority } = await testCertificates();
        const mine = await authority.issue({ commonName: "gw1" });
        const certificateFile = join(folder, "cert.pem");
        const keyFile = join(folder, "key.pem");
        writeFileSync(certificateFile, mine.certificatePem);
        writeFileSync(keyFile, mine.keyPem);
        const without = await Subject.start({ kind: "mqtt", ...options });
        await until("refused", () => without.faults().length > 0);
        await without.stop();
        assert.equal(without.connections, 0);
        const withIt = { ...options, certificateFile, keyFile };
        const subject = await Subject.start({ kind: "mqtt", ...withIt });
        try {
          await until("connected", () => subject.isConnected);
          assert.equal((await subject.send()).status, "acknowledged");
        } finally {
          await subject.stop();
        }
      },
    ));

  it("tells a wrong password as refused credentials, and never says it", () =>
    withBroker(passwordLines, async ({ options, folder }) => {
      const passwordFile = join(folder, "password");
      writeFileSync(passwordFile, "not the password\n");
      const withUser = { ...options, userName: "agent", passwordFile };
      const subject = await Subject.start({ kind: "mqtt", ...withUser });
      try {
        await until("refused", () => subject.faults().length > 0);
        assert.deepEqual([...new Set(subject.faults())], ["credentials"]);
        assert.equal(subject.connections, 0);
        writeFileSync(passwordFile, `${PASSWORD}\n`);
        await until("mended", () => subject.isConnected);
        const said = JSON.stringify([subject.statuses, subject.log.lines]);
        assert.ok(!said.includes(PASSWORD) && !said.includes("not the password"));
      } finally {
        await subject.stop();
      }
    }));
});

describe("a broker's address", () => {
  it("is read by scheme, with the usual ports", () => {
    const read = (text: string) => {
      const url = parseBrokerUrl(text);
      return url.ok ? Object.values(url.value).join(" ").trim() : "refused";
    };
    assert.equal(read("mqtts://broker"), "broker 8883 true");
    assert.equal(read("mqtt://broker:1884"), "broker 1884 false");
    assert.equal(read("wss://broker/path"), "broker 443 true /path");
    assert.equal(read("ws://[::1]:80"), "::1 80 false /mqtt");
    for (const bad of ["broker", "http://b", "mqtts://u:p@b", "mqtts://b/path", "mqtts://b c"]) {
      assert.equal(read(bad), "refused", bad);
    }
  });

  it("yields topics without wildcards, or none", () => {
    const ids = { deviceId: "gw1", agentId: "a" };
    const topic = (template: string) => {
      const made = topicOf({ ...ids, topic: template }, "security");
      return made.ok ? made.value : "refused";
    };
    assert.equal(topic("site/{deviceId}/{kind}"), "site/gw1/security");
    for (const bad of ["a/#", "a/+", "{unknown}", "ü", "", "a\u0000"]) {
      assert.equal(topic(bad), "refused", bad);
    }
    assert.equal(topicOf({ deviceId: "a/b", agentId: "a" }, "security").ok, false);
  });

  it("that is unusable stops the agent at start with a message", async () => {
    const options = { kind: "mqtt", url: "http://x", deviceId: "d", agentId: "a" } as const;
    await assert.rejects(
      Subject.start(options),
      (error) => error instanceof AgentError && error.code === "AGENT_CONFIG_INVALID",
    );
  });
});
