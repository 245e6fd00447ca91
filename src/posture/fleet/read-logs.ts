import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { parseJsonObject } from "../../parse/json.ts";
import { HUB_EVENTS } from "../alerts/hub-measures.ts";
import type { Occurrence } from "../alerts/occurrence.ts";
import {
  deviceIdOf,
  type Happening,
  hubOccurrence,
  protocolField,
  type RecordReading,
} from "./happening.ts";
import type { ReadingRules } from "./reading-rules.ts";
import { recordTimeMs } from "./record-time.ts";

/** Categories that the hub's documentation lists. Source: "IoT Hub monitoring data reference". */
const CATEGORIES: ReadonlySet<string> = new Set([
  "Connections",
  "DeviceTelemetry",
  "C2DCommands",
  "C2DTwinOperations",
  "D2CTwinOperations",
  "DirectMethods",
  "FileUploadOperations",
  "DeviceIdentityOperations",
  "JobsOperations",
  "Routes",
  "TwinQueries",
  "Configurations",
  "DeviceStreams",
  "DistributedTracing",
]);
/** Entries of one batch that are looked at: an event of 1 MB has no room for more. */
const MAX_ENTRIES = 16_384;

/**
 * Reads a batch of diagnostic logs, `{"records":[…]}`. `properties` of an entry may be JSON text or an
 * object. An entry that cannot be used is skipped with a reason; those after it are read all the same.
 */
export function readLogBatch(
  entries: readonly JsonValue[],
  sequenceNumber: number,
  rules: ReadingRules,
): RecordReading {
  const happenings: Happening[] = [];
  const skipped: string[] = [];
  for (const [index, entry] of entries.slice(0, MAX_ENTRIES).entries()) {
    const read = readEntry(entry, `sequence ${sequenceNumber}.${index}`, rules);
    if (typeof read === "string") skipped.push(read);
    else if (read !== undefined) happenings.push(read);
  }
  if (entries.length > MAX_ENTRIES) skipped.push("too-many-log-records");
  return { happenings, skipped };
}

interface LogEntry {
  readonly category: string;
  readonly operation: string;
  readonly eventId: string;
  readonly atMs: number;
  readonly properties: JsonObject;
  readonly isRefusal: boolean;
}

/** A happening, a reason why not, or undefined where the entry concerns no device and no rule. */
function readEntry(
  entry: JsonValue,
  eventId: string,
  rules: ReadingRules,
): Happening | string | undefined {
  if (!isJsonObject(entry)) return "malformed-log-record";
  const { category, operationName } = entry;
  if (typeof category !== "string") return "malformed-log-record";
  if (!CATEGORIES.has(category)) return "unknown-log-category";
  const properties = propertiesOf(entry["properties"]);
  if (properties === undefined) return "malformed-log-properties";
  const isRefusal = isUnauthorized(entry, properties);
  const deviceId = deviceIdOf(properties["deviceId"]);
  if (deviceId === undefined) return isRefusal ? "no-device" : undefined;
  const atMs = recordTimeMs(entry["time"]);
  if (atMs === undefined) return "malformed-log-time";
  const operation = typeof operationName === "string" ? operationName.slice(0, 64) : "";
  const log = { category, operation, eventId, atMs, properties, isRefusal };
  return {
    deviceId,
    presence: isRefusal || isFailure(entry) ? "claimed" : "seen",
    ...connectedBy(log),
    occurrences: occurrencesOfLog(log, rules),
  };
}

/** Absent is an empty object. Undefined when it is there and no object. */
function propertiesOf(value: JsonValue | undefined): JsonObject | undefined {
  if (value === undefined || value === null || value === "") return {};
  if (isJsonObject(value)) return value;
  if (typeof value !== "string") return undefined;
  const parsed = parseJsonObject(value, "properties", { maxLength: 65_536 });
  return parsed.ok ? parsed.value : undefined;
}

function connectedBy({
  category,
  operation,
  isRefusal,
  properties,
}: LogEntry): Pick<Happening, "protocol"> {
  if (category !== "Connections" || isRefusal) return {};
  if (operation.toLowerCase() !== "deviceconnect") return {};
  const { Protocol } = protocolField(properties["protocol"]);
  return Protocol === undefined ? {} : { protocol: Protocol };
}

function occurrencesOfLog(log: LogEntry, rules: ReadingRules): readonly Occurrence[] {
  const { category, operation, eventId, atMs, properties } = log;
  const item = { ...protocolField(properties["protocol"]), Detail: detailOf(log) };
  const found: Occurrence[] = [];
  if (log.isRefusal) found.push(hubOccurrence(HUB_EVENTS.refusal, eventId, atMs, item));
  if (category === "DirectMethods") {
    found.push(hubOccurrence(HUB_EVENTS.methodCall, eventId, atMs, item));
  }
  const isTwin = category === "C2DTwinOperations" || category === "D2CTwinOperations";
  if (isTwin && rules.twinUpdates === "logs" && /update|replace/i.test(operation)) {
    if (!log.isRefusal) found.push(hubOccurrence(HUB_EVENTS.twinUpdate, eventId, atMs, item));
  }
  // The operation's name is not documented; there is no other with this word.
  const isPurge = category === "C2DCommands" && /purge/i.test(operation);
  if (isPurge && rules.queuePurges === "logs" && !log.isRefusal) {
    found.push(hubOccurrence(HUB_EVENTS.queuePurge, eventId, atMs, item));
  }
  return found;
}

/** Any category: level Error and status 401, or a result of 401xxx. Numbers may come as text. */
function isUnauthorized(entry: JsonObject, properties: JsonObject): boolean {
  if (!isFailure(entry)) return false;
  return (
    /^401(?:\d{3})?$/.test(codeOf(properties["statusCode"])) ||
    /^401\d{3}$/.test(codeOf(entry["resultType"])) ||
    /^401\d{3}\b/.test(codeOf(properties["errorCode"]))
  );
}

/** `Error` is also written as the number 2 of the event levels. Source: Azure Monitor, resource log schema. */
function isFailure({ level }: JsonObject): boolean {
  return typeof level === "string" ? level.toLowerCase() === "error" : level === 2;
}

function codeOf(value: JsonValue | undefined): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value.slice(0, 32).trim() : "";
}

/** Operation, module and address; never payloads or credentials. */
function detailOf({ category, operation, properties }: LogEntry): string {
  const { maskedIpAddress, moduleId } = properties;
  const scope = authScopeOf(properties);
  return [
    category,
    operation,
    typeof moduleId === "string" ? `module ${moduleId}` : "",
    typeof maskedIpAddress === "string" ? `from ${maskedIpAddress}` : "",
    scope === "" ? "" : `with credentials of the ${scope}`,
  ]
    .filter((part) => part !== "")
    .join(" ");
}

/** `authType` is JSON text within the JSON text: whose credentials were used. */
function authScopeOf(properties: JsonObject): string {
  const told = properties["authType"] ?? properties["authenticationType"];
  const read =
    typeof told === "string" ? parseJsonObject(told, "authType", { maxLength: 4_096 }) : undefined;
  const auth = isJsonObject(told) ? told : read?.ok === true ? read.value : {};
  const { scope } = auth;
  return typeof scope === "string" ? scope.slice(0, 16) : "";
}
