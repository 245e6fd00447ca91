import type { JsonObject, JsonValue } from "../../../src/contract/json.ts";
import { utcTimestamp } from "../../../src/parse/timestamps.ts";
import type { FleetRecord } from "../../../src/posture/fleet/partition-analyzer.ts";

/** A record that has no place in a partition yet. */
export type LooseRecord = Omit<FleetRecord, "sequenceNumber">;

type Properties = FleetRecord["properties"];

export const SECURITY_INTERFACE = "urn:azureiot:Security:SecurityAgent:1";

/** A record of the hub about a device. */
function ofDevice(
  deviceId: string,
  atMs: number,
  messageSource: string,
  properties: Properties,
  body?: JsonValue,
): LooseRecord {
  return {
    source: "endpoint",
    body,
    systemProperties: {
      "iothub-connection-device-id": deviceId,
      "iothub-connection-auth-method":
        '{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}',
      "iothub-connection-auth-generation-id": "638000000000000000",
      "iothub-enqueuedtime": atMs,
      "iothub-message-source": messageSource,
    },
    properties,
    enqueuedAtMs: atMs,
  };
}

export function message(deviceId: string, atMs: number, properties: Properties = {}): LooseRecord {
  return ofDevice(deviceId, atMs, "Telemetry", properties, { temperature: 21.5 });
}

export interface AgentEventText {
  readonly Id?: string;
  readonly Name: string;
  readonly TimestampUTC: string;
  readonly Payload: readonly JsonObject[];
}

export function agentEvent(
  name: string,
  atMs: number,
  item: JsonObject,
  id = `${name} ${atMs}`,
): AgentEventText {
  return { Id: id, Name: name, TimestampUTC: utcTimestamp(atMs), Payload: [item] };
}

/** A message of the agent: events that happened, told at `atMs`. */
export function agentMessage(
  deviceId: string,
  atMs: number,
  events: readonly AgentEventText[],
  properties: Properties = {},
): LooseRecord {
  const body = {
    AgentVersion: "0.1.0",
    AgentId: "0f0e0d0c-0000-4000-8000-000000000001",
    MessageSchemaVersion: "1.0",
    Events: events.map((event) => ({ ...event })),
  };
  return ofDevice(
    deviceId,
    atMs,
    "Telemetry",
    { kind: "security", schema: "1.0", ...properties },
    body,
  );
}

/** The same message as the classic agents send it. */
export function classicMessage(
  deviceId: string,
  atMs: number,
  events: readonly AgentEventText[],
): LooseRecord {
  const record = agentMessage(deviceId, atMs, events);
  const systemProperties = {
    ...record.systemProperties,
    "iothub-interface-id": SECURITY_INTERFACE,
  };
  return { ...record, properties: {}, systemProperties };
}

export function twinChange(
  deviceId: string,
  atMs: number,
  opType = "updateTwin",
  properties: Properties = {},
): LooseRecord {
  return ofDevice(
    deviceId,
    atMs,
    "twinChangeEvents",
    {
      hubName: "fleet-hub",
      deviceId,
      operationTimestamp: utcTimestamp(atMs),
      "iothub-message-schema": "twinChangeNotification",
      opType,
      ...properties,
    },
    { version: 4, properties: { desired: { interval: 5, $version: 7 } } },
  );
}

export function lifecycle(deviceId: string, atMs: number, opType: string): LooseRecord {
  return ofDevice(deviceId, atMs, "deviceLifecycleEvents", {
    hubName: "fleet-hub",
    deviceId,
    opType,
    operationTimestamp: utcTimestamp(atMs),
    "iothub-message-schema": "deviceLifecycleNotification",
  });
}

/** An entry of a diagnostic log, with its properties as JSON text. */
export function logEntry(
  category: string,
  operationName: string,
  atMs: number,
  properties: JsonObject,
  fields: JsonObject = {},
): JsonObject {
  return {
    time: utcTimestamp(atMs),
    resourceId:
      "/SUBSCRIPTIONS/00000000-0000-0000-0000-000000000000/RESOURCEGROUPS/FLEET/PROVIDERS/MICROSOFT.DEVICES/IOTHUBS/FLEET-HUB",
    operationName,
    category,
    level: "Information",
    properties: JSON.stringify(properties),
    location: "westeurope",
    ...fields,
  };
}

export function logBatch(atMs: number, entries: readonly JsonValue[]): LooseRecord {
  return {
    source: "logs",
    body: { records: entries },
    systemProperties: {},
    properties: {},
    enqueuedAtMs: atMs,
  };
}

/** What a forwarder has sent on: the body alone. */
export function forwarded(atMs: number, body: JsonValue): LooseRecord {
  return { source: "endpoint", body, systemProperties: {}, properties: {}, enqueuedAtMs: atMs };
}

export function connectLog(deviceId: string, atMs: number, protocol: string): LooseRecord {
  return logBatch(atMs, [
    logEntry("Connections", "deviceConnect", atMs, {
      deviceId,
      sdkVersion: "2021-04-12",
      protocol,
      authType: '{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}',
      maskedIpAddress: "192.0.2.XXX",
    }),
  ]);
}

export function feedback(deviceId: string, atMs: number, statusCode: JsonValue): JsonObject {
  return {
    originalMessageId: `command-${atMs}`,
    enqueuedTimeUtc: utcTimestamp(atMs),
    statusCode,
    description: typeof statusCode === "string" ? statusCode : "",
    deviceId,
    deviceGenerationId: "638000000000000000",
  };
}

export function upload(deviceId: string, atMs: number): JsonObject {
  return {
    deviceId,
    blobUri: `https://account.blob.example/container/${deviceId}/dump.bin`,
    blobName: `${deviceId}/dump.bin`,
    lastUpdatedTime: utcTimestamp(atMs),
    blobSizeInBytes: 1234,
    enqueuedTimeUtc: utcTimestamp(atMs),
  };
}

/** Records in the order of a partition: by time, numbered without gaps. */
export function inPartition(records: readonly LooseRecord[], firstNumber = 100): FleetRecord[] {
  return [...records]
    .sort((a, b) => a.enqueuedAtMs - b.enqueuedAtMs)
    .map((record, index) => ({ ...record, sequenceNumber: firstNumber + index }));
}
