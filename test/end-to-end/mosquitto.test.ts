/** The built agent over Debian's mosquitto and a responder: a second implementation of the other side. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import { startBundle, until } from "../support/bundle.ts";
import { testAuthority } from "../support/certificates.ts";
import { mosquittoMissing, startMosquitto } from "../support/mosquitto.ts";
import { NO_PUBLISHED_SCHEMAS, publishedMessageValidator } from "../support/published-schema.ts";
import { newTwin, startResponder } from "../support/responder.ts";
import { type Envelope, OBJECT } from "./agent-rig.ts";

const KEY = Buffer.from("a key that must never be seen anywhere").toString("base64");

const TWIN: JsonObject = {
  [OBJECT]: {
    highPriorityMessageFrequency: { value: "PT1S" },
    lowPriorityMessageFrequency: { value: "PT1S" },
    snapshotFrequency: { value: "PT2S" },
  },
};

async function startAll(test: TestContext, transport: string) {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-mosquitto-"));
  const authority = await testAuthority("test CA");
  const server = await authority.issue({ commonName: "localhost", names: ["localhost"] });
  const broker = await startMosquitto(server, authority.caPem);
  const twin = { ...newTwin(), desired: TWIN };
  const responder = await startResponder(broker.plainPort, twin);
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, authority.caPem);
  const connectionStringFile = join(folder, "connection-string");
  const identity = "HostName=hub.example;DeviceId=gw1;ModuleId=azureiotsecurity";
  const gateway = `GatewayHostName=localhost:${broker.tlsPort}`;
  writeFileSync(connectionStringFile, `${identity};SharedAccessKey=${KEY};${gateway}\n`, {
    mode: 0o600,
  });
  const config = join(folder, "config.json");
  writeFileSync(
    config,
    JSON.stringify({
      transport,
      iothub: { connectionStringFile, caFile },
      stateDirectory: join(folder, "state"),
      firstSnapshotDelaySeconds: 0,
      firstSnapshotJitterSeconds: 0,
    }),
  );
  const agent = startBundle(["run", "--config", config]);
  test.after(async () => {
    agent.child.kill("SIGKILL");
    await agent.exit;
    responder.close();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const envelopes = (): readonly Envelope[] =>
    responder.telemetry
      .filter(({ topic }) => topic.includes("kind=security"))
      .map((message) => JSON.parse(message.payload.toString("utf8")));
  const reported = (name: string): JsonValue | undefined => {
    const object = twin.reported[OBJECT];
    const value = isJsonObject(object) ? object[name] : undefined;
    return isJsonObject(value) ? value["value"] : undefined;
  };
  return { agent, responder, envelopes, reported };
}

describe("the agent over mosquitto", { skip: mosquittoMissing }, () => {
  for (const transport of ["iothub", "iothub-sdk"]) {
    it(`sends valid messages, obeys its twin and reports it, by ${transport}`, async (test) => {
      const { agent, responder, envelopes, reported } = await startAll(test, transport);
      await until(() => {
        const names = envelopes().flatMap((envelope) => envelope.Events.map((event) => event.Name));
        return ["ListeningPorts", "LocalUsers", "SystemInformation"].every((name) =>
          names.some((seen) => seen === name),
        );
      }, "the first snapshot");
      await until(() => reported("snapshotFrequency") === "PT2S", "reported properties");
      responder.patchDesired({
        [OBJECT]: { ...objectOf(TWIN), snapshotFrequency: { value: "PT5H" } },
      });
      await until(() => reported("snapshotFrequency") === "PT5H", "the changed value");
      assert.equal(agent.child.exitCode, null);
      assert.doesNotMatch(agent.errors(), new RegExp(KEY));
      if (NO_PUBLISHED_SCHEMAS !== undefined) return test.skip(NO_PUBLISHED_SCHEMAS);
      assert.deepEqual(envelopes().flatMap(publishedMessageValidator()), []);
    });
  }
});

function objectOf(twin: JsonObject): JsonObject {
  const object = twin[OBJECT];
  return isJsonObject(object) ? object : {};
}
