import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { parseJson } from "../../parse/json.ts";
import { plainText } from "../../parse/plain-text.ts";

/**
 * A field by its name in any case: services and docs of IoT Hub differ in it, and so do programs that
 * read what they write. The exact name wins.
 */
export function fieldOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (!isJsonObject(value)) return undefined;
  if (Object.hasOwn(value, name)) return value[name];
  const wanted = name.toLowerCase();
  for (const [key, one] of Object.entries(value)) if (key.toLowerCase() === wanted) return one;
  return undefined;
}

/** A field of a field of a field. */
export function fieldAt(
  value: JsonValue | undefined,
  ...names: readonly string[]
): JsonValue | undefined {
  return names.reduce<JsonValue | undefined>(fieldOf, value);
}

/** A text or number as one harmless line; empty where it is neither. */
export function lineOf(value: JsonValue | undefined, maxLength = 256): string {
  if (typeof value === "string") return plainText(value, maxLength);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** True and false, also as text in any case and as 1 and 0; undefined for anything else. */
export function truthOf(value: JsonValue | undefined): boolean | undefined {
  const text = lineOf(value).toLowerCase();
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}

/** Entries of an object; none where it is none. */
export function entriesOf(value: JsonValue | undefined): readonly (readonly [string, JsonValue])[] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

/** Elements of a list; of an object with numbers as keys, as twins had before they knew lists, its values. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(value)) return [...value];
  const entries = entriesOf(value);
  return entries.every(([key]) => /^\d{1,4}$/.test(key)) ? entries.map(([, one]) => one) : [];
}

/** An object that may stand in a string as JSON; undefined where it is none. */
export function objectOf(value: JsonValue | undefined): JsonObject | undefined {
  if (isJsonObject(value)) return value;
  if (typeof value !== "string") return undefined;
  const parsed = parseJson(value, "JSON in a string");
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

/** A time in ISO 8601 as milliseconds since the Unix epoch. Times before 1971 mean never. */
export function timeOf(value: JsonValue | undefined): number | undefined {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT/.test(value) || value.length > 40) {
    return undefined;
  }
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) || atMs < 31_536_000_000 ? undefined : atMs;
}
