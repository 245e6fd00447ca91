/** A bench over the local hub, which checks tokens and the protocol as a real hub does. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "../../src/contract/json.ts";
import type { LocalHub, TwinReply } from "../../src/localhub/hub-contract.ts";
import { parseJson } from "../../src/parse/json.ts";
import { startRelay } from "../support/relay.ts";
import { type Bench, FAST, type Telemetry } from "./transport-bench.ts";

export const IDENTITY = { deviceId: "gw1", moduleId: "azureiotsecurity" };

/** The suite's bodies are text; the hub takes values. Text that is no JSON travels as a JSON string. */
function replyOf(answer: { readonly status: number; readonly body?: string }): TwinReply {
  if (answer.body === undefined) return { status: answer.status };
  const parsed = parseJson(answer.body, "answer");
  const body: JsonValue = parsed.ok ? parsed.value : answer.body;
  return { status: answer.status, body };
}

function withoutSystemKeys(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith("$")));
}

function field(connectionString: string, name: string): string {
  const part = connectionString.split(";").find((one) => one.startsWith(`${name}=`));
  if (part === undefined) throw new Error(`the hub's connection string has no ${name}`);
  return part.slice(name.length + 1);
}

/** Takes over the hub: `stop` stops it, too. */
export async function localHubBench(hub: LocalHub): Promise<Bench> {
  const relay = await startRelay(hub.port);
  const folder = mkdtempSync(join(tmpdir(), "local-hub-"));
  const original = hub.connectionString(IDENTITY);
  const relayed = original.replace(field(original, "GatewayHostName"), `localhost:${relay.port}`);
  const connectionStringFile = join(folder, "connection-string");
  writeFileSync(connectionStringFile, relayed);
  const telemetry: Telemetry[] = [];
  const violations: string[] = [];
  const unobserve = hub.observe({
    onMessage: (message) => {
      const system = Object.entries(message.systemProperties).map(
        ([name, value]) => [`$.${name}`, value] as const,
      );
      telemetry.push({
        body: new TextDecoder().decode(message.body),
        properties: { ...message.properties, ...Object.fromEntries(system) },
      });
    },
    onViolation: (violation) => violations.push(violation.what),
  });
  const secret = field(original, "SharedAccessKey");
  const { faults } = hub;
  return {
    relay,
    secret,
    options: {
      identity: { source: "connection-string", connectionStringFile },
      network: { caFile: hub.caFile },
      timing: FAST,
    },
    telemetry: () => telemetry,
    desired: () => withoutSystemKeys(hub.twin(IDENTITY).desired),
    reported: () => withoutSystemKeys(hub.twin(IDENTITY).reported),
    patchDesired: (patch) => hub.patchDesired(patch, IDENTITY),
    invoke: (name, payload) =>
      hub.invokeMethod(name, payload, { identity: IDENTITY, timeoutMs: 5_000 }),
    answerTwinGets: (answer, count) => faults.answerTwinGets(replyOf(answer), count),
    answerReports: (answer, count) => faults.answerReports(replyOf(answer), count),
    ignoreTwinGets: (count) => faults.ignoreTwinGets(count),
    patchBeforeNextTwinGet: (patch) => faults.patchBeforeNextTwinGet(patch),
    pushRawDesired: (text) => faults.pushRawDesired(text),
    loseSessions: async () => {
      faults.loseSessions();
      faults.dropConnections();
    },
    withholdPuback: (on) => faults.withholdPuback(on),
    delaySuback: (delayMs) => faults.delaySuback(delayMs),
    throttle: (count) => faults.throttle(count),
    rejectAuthentication: (on) => faults.rejectAuthentication(on),
    expireTokens: () => faults.expireTokens(),
    wrongKey: () => relayed.replace(secret, Buffer.from("another key").toString("base64")),
    presentCertificate: (which) => faults.presentCertificate(which),
    serverNames: () => hub.connections.map((connection) => connection.serverName),
    violations: () => violations,
    stop: async () => {
      unobserve();
      await relay.close();
      await hub.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
