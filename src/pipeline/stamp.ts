import { createHash } from "node:crypto";
import type { Clock } from "../contract/clock.ts";
import {
  EVENT_KINDS,
  type EventDraft,
  type PayloadItem,
  type SecurityEvent,
} from "../contract/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { Random } from "../contract/random.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { localTimestamp, utcTimestamp } from "../parse/timestamps.ts";

/** Gives a draft its identity and time: an event of security message schema 1.0. */
export type Stamp = (draft: EventDraft) => Result<SecurityEvent>;

/**
 * The stamp of this device. Absent fields are left out; `ExtraDetails` values become text. Error
 * `malformed`: a triggered event without payload, which schema 1.0 does not allow.
 */
export function createStamp(clock: Clock, random: Random): Stamp {
  return (draft) => {
    const kind = EVENT_KINDS[draft.name];
    const isEmpty = draft.payload.length === 0;
    if (isEmpty && kind.category === "Triggered") {
      return fail("malformed", draft.name, "a triggered event without payload");
    }
    const atMs = draft.occurredAtMs ?? clock.nowMs();
    return ok({
      Id: draft.key === undefined ? random.uuid() : uuidOf(`${draft.name} ${draft.key}`),
      TimestampLocal: localTimestamp(atMs, clock.utcOffsetMinutes(atMs)),
      TimestampUTC: utcTimestamp(atMs),
      Category: kind.category,
      Name: draft.name,
      EventType: kind.eventType,
      IsEmpty: isEmpty,
      PayloadSchemaVersion: "1.0",
      Payload: draft.payload.map(payloadItem),
    });
  };
}

/** An id that follows from a text. Source: RFC 9562 section 5.8, version 8: made of SHA-256. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  const parts = [
    ...[hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`],
    ...[`${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)],
  ];
  return parts.join("-");
}

function payloadItem(item: PayloadItem): JsonObject {
  const fields: [string, JsonValue][] = [];
  for (const [name, value] of Object.entries(item)) {
    if (value === undefined) continue;
    fields.push([name, isJsonObject(value) ? textValues(value) : value]);
  }
  return Object.fromEntries(fields);
}

function textValues(details: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(details)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}
