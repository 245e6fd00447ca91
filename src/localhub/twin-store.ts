import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { utcTimestamp } from "../parse/timestamps.ts";
import type { TwinDocument } from "./hub-contract.ts";

/** Limits of a twin. Source: IoT Hub documentation, understand device twins, size and format. */
const MAX_BYTES = 32_768;
const MAX_DEPTH = 10;
const MAX_KEY_BYTES = 1_024;
const MAX_TEXT_BYTES = 4_096;
const LARGEST_INTEGER = 2 ** 52;

type Side = "desired" | "reported";

/** One module's twin: desired and reported properties with versions and metadata. */
export interface TwinStore {
  document(): TwinDocument;
  /** Body of a twin GET. */
  wire(): JsonObject;
  /** Merges a patch (null deletes) and returns the new version. Error `malformed`: over a limit. */
  merge(side: Side, patch: JsonObject, nowMs: number): Result<number>;
  /** Replaces all properties of a side. */
  replace(side: Side, properties: JsonObject, nowMs: number): Result<number>;
}

interface Properties {
  values: JsonObject;
  version: number;
  updatedMs: number;
}

export function createTwinStore(desired: JsonObject, nowMs: number): TwinStore {
  const sides: Readonly<Record<Side, Properties>> = {
    desired: { values: desired, version: 1, updatedMs: nowMs },
    reported: { values: {}, version: 1, updatedMs: nowMs },
  };

  function store(side: Side, values: JsonObject, atMs: number): Result<number> {
    const fault = faultIn(values);
    if (fault !== undefined) return fail("malformed", `${side} properties`, fault);
    const properties = sides[side];
    properties.values = values;
    properties.version += 1;
    properties.updatedMs = atMs;
    return ok(properties.version);
  }

  function sideWire(side: Side): JsonObject {
    const { values, version, updatedMs } = sides[side];
    return { ...values, $metadata: metadataOf(values, version, updatedMs), $version: version };
  }

  return {
    document: () => ({ desired: sideWire("desired"), reported: sideWire("reported") }),
    wire: () => ({
      desired: { ...sides.desired.values, $version: sides.desired.version },
      reported: { ...sides.reported.values, $version: sides.reported.version },
    }),
    merge: (side, patch, atMs) => store(side, merged(sides[side].values, patch), atMs),
    replace: (side, properties, atMs) => store(side, merged({}, properties), atMs),
  };
}

function merged(target: JsonObject, patch: JsonObject): JsonObject {
  const result = new Map<string, JsonValue>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    const before = result.get(key);
    if (value === null) result.delete(key);
    else if (isJsonObject(value))
      result.set(key, merged(isJsonObject(before) ? before : {}, value));
    else result.set(key, value);
  }
  return Object.fromEntries(result);
}

/** Times of the last change, one level per object as the hub shows them. */
function metadataOf(values: JsonObject, version: number, updatedMs: number): JsonObject {
  const own = { $lastUpdated: utcTimestamp(updatedMs), $lastUpdatedVersion: version };
  const inner = Object.entries(values).map(([key, value]) => [
    key,
    isJsonObject(value) ? metadataOf(value, version, updatedMs) : own,
  ]);
  return { ...own, ...Object.fromEntries(inner) };
}

/** The first limit that properties break, in words. */
function faultIn(values: JsonObject): string | undefined {
  if (sizeOf(values) > MAX_BYTES) return `larger than ${MAX_BYTES} bytes`;
  return faultBelow(values, 1);
}

function faultBelow(value: JsonValue, depth: number): string | undefined {
  if (depth > MAX_DEPTH + 1) return `nested deeper than ${MAX_DEPTH} levels`;
  if (typeof value === "string" && Buffer.byteLength(value) > MAX_TEXT_BYTES) {
    return `a text longer than ${MAX_TEXT_BYTES} bytes`;
  }
  if (typeof value === "number" && Math.abs(value) > LARGEST_INTEGER)
    return "a number out of range";
  if (Array.isArray(value)) {
    const items: readonly JsonValue[] = value;
    return firstFault(items.map((item) => faultBelow(item, depth + 1)));
  }
  if (!isJsonObject(value)) return undefined;
  return firstFault(
    Object.entries(value).map(([key, inner]) => faultOfKey(key) ?? faultBelow(inner, depth + 1)),
  );
}

function firstFault(faults: readonly (string | undefined)[]): string | undefined {
  return faults.find((fault) => fault !== undefined);
}

function faultOfKey(key: string): string | undefined {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `a key longer than ${MAX_KEY_BYTES} bytes`;
  const isForbidden = [...key].some((letter) => letter <= " " || ".$".includes(letter));
  return isForbidden ? `the key '${key.slice(0, 40)}' has a forbidden character` : undefined;
}

/** Size as the hub counts: keys and texts in bytes, numbers 8, booleans 4. */
function sizeOf(value: JsonValue): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return 8;
  if (typeof value === "boolean") return 4;
  if (Array.isArray(value)) {
    const items: readonly JsonValue[] = value;
    return items.reduce<number>((sum, item) => sum + sizeOf(item), 0);
  }
  if (!isJsonObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, inner]) => sum + Buffer.byteLength(key) + sizeOf(inner),
    0,
  );
}
