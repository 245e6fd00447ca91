import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
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

/** Outcomes by their number in the service's libraries. Source: azure-iot-sdk-csharp, FeedbackStatusCode. */
const STATUSES = ["Success", "Expired", "DeliveryCountExceeded", "Rejected", "Purged"] as const;
const MAX_NOTICES = 4_096;

/**
 * Reads feedback on commands and notifications of file uploads, which a forwarder has taken from the
 * hub's service endpoint: one record or a list of them, in the service's spelling or with capitals.
 * Undefined when the body is nothing of the kind.
 * Source: IoT Hub, "Send cloud-to-device messages" (message feedback), "Upload files" (file upload notifications).
 */
export function readNotices(
  body: JsonValue,
  sequenceNumber: number,
  rules: ReadingRules,
): RecordReading | undefined {
  const entries = entriesOf(body);
  const [first] = entries;
  if (!isNotice(first)) return undefined;
  const happenings: Happening[] = [];
  const skipped: string[] = [];
  const purged = new Set<string>();
  for (const [index, entry] of entries.slice(0, MAX_NOTICES).entries()) {
    const read = readNotice(entry, `sequence ${sequenceNumber}.${index}`);
    if (typeof read === "string") skipped.push(read);
    else happenings.push({ ...read, occurrences: withPurge(read, purged, rules) });
  }
  if (entries.length > MAX_NOTICES) skipped.push("too-many-notices");
  return { happenings, skipped };
}

function entriesOf(body: JsonValue): readonly JsonValue[] {
  if (Array.isArray(body)) return body;
  if (!isJsonObject(body)) return [];
  const records = field(body, "records");
  return Array.isArray(records) ? records : [body];
}

/** A field by its name or by its name with a capital letter. */
function field(value: JsonObject, name: string): JsonValue | undefined {
  return value[name] ?? value[`${name.slice(0, 1).toUpperCase()}${name.slice(1)}`];
}

function isNotice(entry: JsonValue | undefined): boolean {
  if (!isJsonObject(entry)) return false;
  return field(entry, "statusCode") !== undefined
    ? field(entry, "originalMessageId") !== undefined
    : field(entry, "blobName") !== undefined || field(entry, "blobUri") !== undefined;
}

function readNotice(entry: JsonValue, eventId: string): Happening | string {
  if (!isJsonObject(entry) || !isNotice(entry)) return "malformed-notice";
  const deviceId = deviceIdOf(field(entry, "deviceId"));
  if (deviceId === undefined) return "no-device";
  const atMs = recordTimeMs(field(entry, "enqueuedTimeUtc") ?? field(entry, "enqueuedTime"));
  if (atMs === undefined) return "malformed-notice-time";
  const base = { deviceId, presence: "seen" as const };
  const status = field(entry, "statusCode");
  if (status === undefined) {
    const item = { Detail: uploadDetail(entry) };
    return { ...base, occurrences: [hubOccurrence(HUB_EVENTS.fileUpload, eventId, atMs, item)] };
  }
  const word = statusOf(status);
  if (word === undefined) return "unknown-feedback-status";
  const item = {
    ...protocolField(field(entry, "protocol")),
    Status: word,
    Detail: `${word} ${messageIdOf(entry)}`.trim(),
  };
  return { ...base, occurrences: [hubOccurrence(HUB_EVENTS.commandFeedback, eventId, atMs, item)] };
}

function statusOf(value: JsonValue): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") return undefined;
  if (/^\d$/.test(text)) return STATUSES[Number(text)];
  return STATUSES.find((status) => status.toLowerCase() === text.toLowerCase());
}

function messageIdOf(entry: JsonObject): string {
  const id = field(entry, "originalMessageId");
  return typeof id === "string" ? `message ${id.slice(0, 64)}` : "";
}

function uploadDetail(entry: JsonObject): string {
  const name = field(entry, "blobName");
  const bytes = field(entry, "blobSizeInBytes");
  // The address may hold a signature, so the name alone is told.
  return [
    typeof name === "string" ? `file ${name.slice(0, 120)}` : "file",
    typeof bytes === "number" || typeof bytes === "string"
      ? `${String(bytes).slice(0, 16)} bytes`
      : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Feedback tells each purged message: those of one device in one batch are one purge. */
function withPurge(
  { deviceId, occurrences }: Happening,
  purged: Set<string>,
  rules: ReadingRules,
): readonly Occurrence[] {
  const [first] = occurrences;
  if (rules.queuePurges !== "feedback" || first?.item["Status"] !== "Purged") return occurrences;
  if (purged.has(deviceId)) return occurrences;
  purged.add(deviceId);
  const { eventId, firstMs, item } = first;
  return [...occurrences, hubOccurrence(HUB_EVENTS.queuePurge, eventId, firstMs, item)];
}
