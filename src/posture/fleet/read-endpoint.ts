import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { HUB_EVENTS } from "../alerts/hub-measures.ts";
import { type Occurrence, occurrencesOf, readAlertEvent } from "../alerts/occurrence.ts";
import {
  deviceIdOf,
  type Happening,
  hubOccurrence,
  protocolField,
  type RecordReading,
} from "./happening.ts";
import type { FleetRecord } from "./partition-analyzer.ts";
import type { ReadingRules } from "./reading-rules.ts";
import { recordTimeMs } from "./record-time.ts";

/** Interface ids of security messages: those of the classic agents. Source: azure-iot-device, Message. */
const SECURITY_INTERFACE = "urn:azureiot:Security:SecurityAgent:";
/** Messages with more events are not read: a message of 256 KB has no room for them. */
const MAX_EVENTS = 4_096;

/**
 * A record that the hub itself has put on the endpoint: `iothub-connection-device-id` says of whom, and
 * no device can set that. Undefined when the record has none.
 * Source: IoT Hub, "Non-telemetry event schemas", "Create and read IoT Hub messages".
 */
export function readEndpointRecord(
  record: FleetRecord,
  rules: ReadingRules,
): RecordReading | undefined {
  const { systemProperties } = record;
  const deviceId = deviceIdOf(systemProperties["iothub-connection-device-id"]);
  if (deviceId === undefined) return undefined;
  const source = systemProperties["iothub-message-source"] ?? "Telemetry";
  const base = { deviceId, presence: "seen" as const, ...enrichmentsOf(record, rules) };
  switch (typeof source === "string" ? source.toLowerCase() : "") {
    case "telemetry":
      return readMessage(record, rules, base);
    case "twinchangeevents":
      return one({ ...base, occurrences: twinUpdates(record, rules) });
    case "devicelifecycleevents":
      return one(lifecycle(record, base));
    case "deviceconnectionstateevents":
    case "digitaltwinchangeevents":
    case "devicejoblifecycleevents":
    case "mqttbrokermessages":
      return one({ ...base, occurrences: [] });
    default:
      return { happenings: [{ ...base, occurrences: [] }], skipped: ["unknown-message-source"] };
  }
}

type Base = Omit<Happening, "occurrences">;

function one(happening: Happening): RecordReading {
  return { happenings: [happening], skipped: [] };
}

/**
 * The group that the hub has stamped on the record. Where the twin has no such tag the hub stamps the
 * path itself. Source: IoT Hub, "Message enrichments".
 */
function enrichmentsOf(record: FleetRecord, rules: ReadingRules): Pick<Base, "group" | "protocol"> {
  const group = textProperty(record.properties, rules.groupProperty);
  const protocol = textProperty(record.properties, rules.protocolProperty);
  const told = protocolField(protocol).Protocol;
  return {
    ...(group === undefined ? {} : { group: group.startsWith("$twin.") ? "" : group }),
    ...(told === undefined ? {} : { protocol: told }),
  };
}

function textProperty(
  properties: FleetRecord["properties"],
  name: string | undefined,
): string | undefined {
  if (name === undefined || !Object.hasOwn(properties, name)) return undefined;
  const value = properties[name];
  return typeof value === "string" && value.length <= 260 ? value : undefined;
}

function readMessage(record: FleetRecord, rules: ReadingRules, base: Base): RecordReading {
  const { systemProperties, enqueuedAtMs, sequenceNumber } = record;
  const atMs = recordTimeMs(systemProperties["iothub-enqueuedtime"]) ?? enqueuedAtMs;
  const moduleId = systemProperties["iothub-connection-module-id"];
  const detail = typeof moduleId === "string" ? `message of module ${moduleId}` : "message";
  const message = hubOccurrence(HUB_EVENTS.deviceMessage, `sequence ${sequenceNumber}`, atMs, {
    Detail: detail,
  });
  if (!isSecurityMessage(record)) return one({ ...base, occurrences: [message] });
  const { occurrences, skipped } = agentOccurrences(record.body, rules);
  const isFromAgent =
    skipped[0] === "malformed-security-message" ? {} : { isFromAgent: true as const };
  return {
    happenings: [{ ...base, ...isFromAgent, occurrences: [message, ...occurrences] }],
    skipped,
  };
}

/** Ours have the property `kind`, those of the classic agents the interface id. */
function isSecurityMessage({ systemProperties, properties }: FleetRecord): boolean {
  if (properties["kind"] === "security") return true;
  const id = systemProperties["iothub-interface-id"] ?? systemProperties["ifid"];
  return typeof id === "string" && id.startsWith(SECURITY_INTERFACE);
}

interface AgentReading {
  readonly occurrences: readonly Occurrence[];
  readonly skipped: readonly string[];
}

function agentOccurrences(body: JsonValue | undefined, rules: ReadingRules): AgentReading {
  const events = isJsonObject(body) ? body["Events"] : undefined;
  if (!Array.isArray(events) || events.length > MAX_EVENTS) {
    return { occurrences: [], skipped: ["malformed-security-message"] };
  }
  const occurrences: Occurrence[] = [];
  const skipped: string[] = [];
  for (const event of events) {
    const name: unknown = isJsonObject(event) ? event["Name"] : undefined;
    // Snapshots are large and no rule asks for them: they are not read at all.
    if (typeof name === "string" && !rules.agentEvents.has(name)) continue;
    const read = readAlertEvent(event);
    if (read.ok) occurrences.push(...occurrencesOf(read.value));
    else skipped.push("malformed-event");
  }
  return { occurrences, skipped };
}

function twinUpdates(record: FleetRecord, rules: ReadingRules): readonly Occurrence[] {
  if (rules.twinUpdates !== "events") return [];
  const { properties, enqueuedAtMs, sequenceNumber, systemProperties } = record;
  const { opType } = properties;
  if (opType !== "updateTwin" && opType !== "replaceTwin") return [];
  const atMs = recordTimeMs(properties["operationTimestamp"]) ?? enqueuedAtMs;
  const moduleId = properties["moduleId"] ?? systemProperties["iothub-connection-module-id"];
  const whose = typeof moduleId === "string" ? ` of module ${moduleId}` : "";
  const item = { Detail: `${opType}${whose}${partsOf(record.body)}` };
  return [hubOccurrence(HUB_EVENTS.twinUpdate, `sequence ${sequenceNumber}`, atMs, item)];
}

/** Which sections of the twin an update concerns: never what they hold. */
function partsOf(body: JsonValue | undefined): string {
  if (!isJsonObject(body)) return "";
  const properties: JsonObject = isJsonObject(body["properties"]) ? body["properties"] : {};
  const parts = ["desired", "reported"].filter((part) => Object.hasOwn(properties, part));
  if (Object.hasOwn(body, "tags")) parts.push("tags");
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function lifecycle({ properties }: FleetRecord, base: Base): Happening {
  const isDeleted = properties["opType"] === "deleteDeviceIdentity";
  return { ...base, presence: isDeleted ? "deleted" : "seen", occurrences: [] };
}
