import type { Clock } from "../contract/clock.ts";
import {
  EXTENSION_PAYLOADS,
  EXTENSION_SCHEMA_VERSION,
  type ExtensionDraft,
  type ExtensionEvent,
} from "../contract/extension.ts";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import type { Random } from "../contract/random.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { check, describeFault } from "../contract/schema.ts";
import { localTimestamp, utcTimestamp } from "../parse/timestamps.ts";

/** Lists that may lose their last entries, the least important list first. */
const SHORTENED = ["Samples", "Evidence", "Missing"] as const;

/**
 * Gives an extension draft its identity and time. Error `malformed`: it is not as the published schema of
 * its payload says.
 */
export function stampExtension(
  draft: ExtensionDraft,
  clock: Clock,
  random: Random,
): Result<ExtensionEvent> {
  const [fault] = check(EXTENSION_PAYLOADS[draft.name], draft.item);
  if (fault !== undefined) {
    return fail("malformed", draft.name, describeFault({ ...fault, found: "another value" }));
  }
  const atMs = clock.nowMs();
  return ok({
    Id: draft.id ?? random.uuid(),
    TimestampLocal: localTimestamp(atMs, clock.utcOffsetMinutes(atMs)),
    TimestampUTC: utcTimestamp(atMs),
    Category: draft.category,
    Name: draft.name,
    EventType: "Security",
    IsEmpty: false,
    PayloadSchemaVersion: EXTENSION_SCHEMA_VERSION,
    Payload: [Object.fromEntries(Object.entries(draft.item).filter(isPresent))],
  });
}

function isPresent(entry: [string, JsonValue | undefined]): entry is [string, JsonValue] {
  return entry[1] !== undefined;
}

/**
 * The event, or a copy whose lists were shortened from the end until its JSON has at most `maxBytes`; how
 * many records of evidence went is told in it. What is left without any list is below 8 KiB.
 */
export function fitExtension<E extends { readonly Payload: readonly JsonObject[] }>(
  event: E,
  maxBytes: number,
): E {
  let fitting = event;
  for (const name of SHORTENED) {
    while (Buffer.byteLength(JSON.stringify(fitting)) > maxBytes && entriesIn(fitting, name) > 0) {
      const item = fitting.Payload[0] ?? {};
      fitting = { ...fitting, Payload: [shortened(item, name)] };
    }
  }
  return fitting;
}

function entriesIn(event: { readonly Payload: readonly JsonObject[] }, name: string): number {
  const list = event.Payload[0]?.[name];
  return Array.isArray(list) ? list.length : 0;
}

/** Loses the second half of a list, or its only entry. */
function shortened(item: JsonObject, name: string): JsonObject {
  const value = item[name];
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [];
  const kept = list.slice(0, Math.floor(list.length / 2));
  const before = item["EvidenceOmitted"];
  const omitted = (typeof before === "number" ? before : 0) + list.length - kept.length;
  return { ...item, [name]: kept, ...(name === "Evidence" ? { EvidenceOmitted: omitted } : {}) };
}
