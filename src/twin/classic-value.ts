import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { Fault } from "../contract/schema.ts";
import type { Settings } from "../contract/settings.ts";
import { formatDuration, parseDurationMs } from "../parse/duration.ts";
import type { ClassicProperty } from "./classic-names.ts";
import { foundText } from "./found-text.ts";

/** A desired property once its wrapper is off: the setting's value, or why there is none. */
export type ClassicReading =
  | { readonly status: "absent" }
  | { readonly status: "good"; readonly value: JsonValue }
  /** `found` and `expected` in words, short printable ASCII. */
  | { readonly status: "bad"; readonly found: string; readonly expected: string };

/** Reads one property as the twin holds it: `{"value": x}`, null or undefined for nothing. */
export function readProperty(
  property: ClassicProperty,
  wire: JsonValue | undefined,
): ClassicReading {
  if (wire === undefined || wire === null) return { status: "absent" };
  const expected = expectedText(property);
  if (!isJsonObject(wire)) {
    const found = `a bare ${foundText(wire)}`;
    return { status: "bad", found, expected: `{"value": ${expected}}` };
  }
  if (!Object.hasOwn(wire, "value")) {
    return {
      status: "bad",
      found: 'an object without "value"',
      expected: `{"value": ${expected}}`,
    };
  }
  const value = wire["value"];
  const read = value === undefined ? undefined : readValue(property, value);
  if (read === undefined) return { status: "bad", found: foundText(value), expected };
  return { status: "good", value: read };
}

/** The setting's value in its inner form, undefined when type or bounds are wrong. */
function readValue(property: ClassicProperty, value: JsonValue): JsonValue | undefined {
  if (typeof value === "object") return undefined;
  const inner = property.form === "duration" ? durationOf(value) : value;
  if (inner === undefined) return undefined;
  const faults: Fault[] = [];
  property.schema.read(inner, faults);
  return faults.length === 0 ? inner : undefined;
}

function durationOf(value: JsonValue): number | undefined {
  if (typeof value !== "string") return undefined;
  const parsed = parseDurationMs(value);
  return parsed.ok ? parsed.value : undefined;
}

/** The form a property takes, in words: `ISO 8601 duration from PT1S to P36500D`. */
export function expectedText(property: ClassicProperty): string {
  if (property.form === "plain") return property.schema.expected;
  const bounds = property.schema.jsonSchema();
  return `ISO 8601 duration from ${bound(bounds, "minimum")} to ${bound(bounds, "maximum")}`;
}

function bound(schema: JsonObject, key: string): string {
  const value = schema[key];
  return typeof value === "number" ? formatDuration(value) : "any";
}

/** The wire form of a property's value in these settings, canonical: `PT1H30M`, `High`, `4096`. */
export function wireValue(property: ClassicProperty, settings: Settings): JsonValue {
  const value = innerValue(property, settings);
  return property.form === "duration" && typeof value === "number" ? formatDuration(value) : value;
}

/** The inner value of a property in these settings. */
export function innerValue(property: ClassicProperty, settings: Settings): JsonValue {
  let value: JsonValue = settings;
  for (const key of property.path) value = isJsonObject(value) ? (value[key] ?? null) : null;
  return value;
}
