/** A bench over Debian's mosquitto, with a responder that answers as a hub. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeBag } from "../../src/transport/hub-topics.ts";
import { type Pem, type TestAuthority, testAuthority } from "../support/certificates.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import type { RawMessage } from "../support/raw-mqtt.ts";
import { startRelay } from "../support/relay.ts";
import { newTwin, type Responder, startResponder } from "../support/responder.ts";
import { type BadCertificate, type Bench, FAST, type Telemetry } from "./transport-bench.ts";

const KEY = Buffer.from("a key that must never be seen anywhere").toString("base64");

interface Certificates {
  readonly authority: TestAuthority;
  readonly good: Pem;
  readonly bad: Readonly<Record<BadCertificate, Pem>>;
}

let made: Promise<Certificates> | undefined;

async function makeCertificates(): Promise<Certificates> {
  const authority = await testAuthority("test CA");
  const other = await testAuthority("another CA");
  const names = ["localhost", "127.0.0.1"];
  const past = { notBefore: new Date(Date.now() - 9e8), notAfter: new Date(Date.now() - 1e8) };
  return {
    authority,
    good: await authority.issue({ commonName: "localhost", names }),
    bad: {
      "other-host": await authority.issue({ commonName: "other", names: ["other.example"] }),
      untrusted: await other.issue({ commonName: "localhost", names }),
      expired: await authority.issue({ commonName: "localhost", names, ...past }),
    },
  };
}

export function testCertificates(): Promise<Certificates> {
  made ??= makeCertificates();
  return made;
}

function telemetryOf(message: RawMessage): Telemetry {
  const bag = decodeBag(message.topic.split("/messages/events/")[1] ?? "");
  return {
    body: message.payload.toString("utf8"),
    properties: bag.ok ? Object.fromEntries(bag.value) : {},
  };
}

export async function mosquittoBench(
  certificate?: BadCertificate,
  extraLines: readonly string[] = [],
): Promise<Bench & { readonly plainPort: number }> {
  const { authority, good, bad } = await testCertificates();
  const pem = certificate === undefined ? good : bad[certificate];
  const broker = await startMosquitto(pem, authority.caPem, extraLines);
  const relay = await startRelay(broker.tlsPort);
  const folder = mkdtempSync(join(tmpdir(), "transport-"));
  const twin = newTwin();
  let responder: Responder = await startResponder(broker.plainPort, twin);
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, authority.caPem);
  const connectionStringFile = join(folder, "connection-string");
  const identity = "HostName=hub.example;DeviceId=gw1;ModuleId=azureiotsecurity";
  const gateway = `GatewayHostName=localhost:${relay.port}`;
  writeFileSync(connectionStringFile, `${identity};SharedAccessKey=${KEY};${gateway}\n`);
  return {
    plainPort: broker.plainPort,
    relay,
    secret: KEY,
    options: {
      identity: { source: "connection-string", connectionStringFile },
      network: { caFile },
      timing: FAST,
    },
    telemetry: () => responder.telemetry.map(telemetryOf),
    desired: () => twin.desired,
    reported: () => twin.reported,
    patchDesired: (patch) => responder.patchDesired(patch),
    patchSilently: (patch) => responder.patchSilently(patch),
    invoke: (name, payload) => responder.invoke(name, payload),
    invokeRaw: (name, payload) => responder.invokeRaw(name, payload),
    answerTwinGets: (answer, count) => responder.answerTwinGets(answer, count),
    answerReports: (answer, count) => responder.answerReports(answer, count),
    ignoreTwinGets: (count) => responder.answerTwinGets(undefined, count),
    patchBeforeNextTwinGet: (patch) => responder.patchBeforeNextTwinGet(patch),
    patchDuringNextTwinGet: (patch) => responder.patchDuringNextTwinGet(patch),
    pushRawDesired: (text) =>
      responder.pushRaw("$iothub/twin/PATCH/properties/desired/?$version=99", text),
    loseSessions: async () => {
      await broker.kill();
      await broker.restart();
      responder = await startResponder(broker.plainPort, twin);
    },
    stop: async () => {
      responder.close();
      await relay.close();
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
