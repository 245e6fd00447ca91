import { fail, ok, type Result } from "../contract/result.ts";

/** Properties of a message, as a topic carries them. */
export interface PropertyBag {
  readonly properties: Readonly<Record<string, string>>;
  /** Names without `$.`. */
  readonly systemProperties: Readonly<Record<string, string>>;
  /** What the hub meters of them: system values plus application names and values, bytes. */
  readonly meteredBytes: number;
}

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * Name and value pairs of `a=1&b=2`, each side URL-decoded; a name without `=` has an empty value.
 * Problem `malformed` on a broken escape. Source: IoT Hub documentation, "Use MQTT", property bag.
 */
export function decodePairs(text: string): Result<readonly (readonly [string, string])[]> {
  const pairs: (readonly [string, string])[] = [];
  for (const part of text.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = decoded(at < 0 ? part : part.slice(0, at));
    const value = decoded(at < 0 ? "" : part.slice(at + 1));
    if (name === undefined || value === undefined) {
      return fail("malformed", "properties", "a percent escape is broken");
    }
    pairs.push([name, value]);
  }
  return ok(pairs);
}

/**
 * Reads the last part of an events topic. One closing slash is ignored: SDKs send it with `$.on`.
 * Problem `malformed`: broken escapes, nameless properties, text outside printable ASCII.
 */
export function decodePropertyBag(bag: string): Result<PropertyBag> {
  const pairs = decodePairs(bag.endsWith("/") ? bag.slice(0, -1) : bag);
  if (!pairs.ok) return pairs;
  const application = new Map<string, string>();
  const system = new Map<string, string>();
  for (const [name, value] of pairs.value) {
    if (!PRINTABLE_ASCII.test(name) || !PRINTABLE_ASCII.test(value)) {
      return fail("malformed", "properties", "a name or value is not ASCII");
    }
    const isSystem = name.startsWith("$.");
    if (name === "" || name === "$.") return fail("malformed", "properties", "a name is empty");
    if (isSystem) system.set(name.slice(2), value);
    else application.set(name, value);
  }
  return ok(propertyBag(application, system));
}

/** A bag of decoded properties; names and values are ASCII, so their length is their size. */
export function propertyBag(
  application: ReadonlyMap<string, string>,
  system: ReadonlyMap<string, string>,
): PropertyBag {
  let meteredBytes = 0;
  for (const [name, value] of application) meteredBytes += name.length + value.length;
  for (const value of system.values()) meteredBytes += value.length;
  return {
    properties: Object.fromEntries(application),
    systemProperties: Object.fromEntries(system),
    meteredBytes,
  };
}

/** Inverse of `decodePairs`. */
export function encodePairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}

/** URL-decoded text, undefined for a broken escape. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A URIError is the only way the language reports a broken escape.
    return undefined;
  }
}
