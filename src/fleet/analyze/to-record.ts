import type { ReceivedEventData } from "@azure/event-hubs";
import type { JsonValue } from "../../contract/json.ts";
import { parseJson } from "../../parse/json.ts";
import type { FleetRecord } from "../../posture/fleet/partition-analyzer.ts";

/** An event hub's event has at most 1 MB. Source: Event Hubs quotas and limits. */
const MAX_BODY_LENGTH = 1_100_000;
/** Properties of one record that are looked at; a device chooses the names of its own. */
const MAX_PROPERTIES = 256;
const MAX_DEPTH = 32;

/** What the event hub handed over, as the rules take it. A body that is no JSON is undefined, never a fault. */
export function toRecord(event: ReceivedEventData, source: FleetRecord["source"]): FleetRecord {
  return {
    source,
    body: bodyOf(event.body),
    systemProperties: propertiesOf(event.systemProperties),
    properties: propertiesOf(event.properties),
    enqueuedAtMs: event.enqueuedTimeUtc.getTime(),
    sequenceNumber: event.sequenceNumber,
  };
}

/** Read without the client's own parser, which has no bounds. */
function bodyOf(body: unknown): JsonValue | undefined {
  const text = textOf(body);
  if (text === undefined) return undefined;
  const parsed = parseJson(text, "event", { maxLength: MAX_BODY_LENGTH });
  return parsed.ok ? parsed.value : undefined;
}

function textOf(body: unknown): string | undefined {
  if (typeof body === "string") return body;
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : undefined;
}

/** Only JSON values, on an object without a prototype: names come from devices. */
function propertiesOf(
  properties: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, JsonValue>> {
  const found: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(properties ?? {}).slice(0, MAX_PROPERTIES)) {
    const json = jsonOf(value, MAX_DEPTH);
    if (json !== undefined) found[name] = json;
  }
  return found;
}

function jsonOf(value: unknown, depth: number): JsonValue | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array || typeof value !== "object" || depth === 0) return undefined;
  if (Array.isArray(value)) return value.flatMap((item) => jsonOf(item, depth - 1) ?? []);
  const found: Record<string, JsonValue> = Object.create(null);
  for (const [name, item] of Object.entries(value)) {
    const json = jsonOf(item, depth - 1);
    if (json !== undefined) found[name] = json;
  }
  return found;
}
