import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";

/** Limits of twin properties. Source: IoT Hub documentation, "Understand device twins", limits. */
const MAX_DEPTH = 10;
const MAX_KEY_BYTES = 1_024;
const MAX_TEXT_BYTES = 4_096;
const MAX_SECTION_BYTES = 32_768;
const MAX_INTEGER = 4_503_599_627_370_496;
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys must not hold them
const FORBIDDEN_IN_KEYS = /[\u0000-\u001f\u007f-\u009f.$ ]/;

/** Why the hub refuses a patch or document by its keys, values or depth; undefined when it is fine. */
export function propertyFault(value: JsonValue, depth = 0): string | undefined {
  if (typeof value === "string") {
    return Buffer.byteLength(value) > MAX_TEXT_BYTES ? "a text is longer than 4 KB" : undefined;
  }
  if (typeof value === "number") {
    const isTooLarge = Number.isInteger(value) && Math.abs(value) > MAX_INTEGER;
    return isTooLarge || !Number.isFinite(value) ? "a number is beyond 2^52" : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth > MAX_DEPTH) return "properties are nested deeper than 10 levels";
  if (!isJsonObject(value)) return firstFault(value, depth);
  for (const key of Object.keys(value)) {
    const fault = keyFault(key);
    if (fault !== undefined) return fault;
  }
  return firstFault(Object.values(value), depth);
}

function firstFault(values: readonly JsonValue[], depth: number): string | undefined {
  for (const value of values) {
    const fault = propertyFault(value, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function keyFault(key: string): string | undefined {
  if (key === "") return "a key is empty";
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return "a key is longer than 1 KB";
  if (FORBIDDEN_IN_KEYS.test(key)) return "a key holds a control character, '.', '$' or a space";
  return undefined;
}

/** Why the hub refuses a whole section by its size; undefined when it fits. */
export function sizeFault(section: JsonObject): string | undefined {
  const size = sizeOf(section);
  return size > MAX_SECTION_BYTES ? `properties would take ${size} of 32768 bytes` : undefined;
}

/** Texts and keys count their UTF-8 bytes, numbers 8, booleans 4. */
function sizeOf(value: JsonValue): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return 8;
  if (typeof value === "boolean") return 4;
  if (value === null) return 0;
  if (!isJsonObject(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), 0);
  return Object.entries(value).reduce(
    (sum, [key, item]) => sum + Buffer.byteLength(key) + sizeOf(item),
    0,
  );
}
