import type { LogFields } from "../contract/log.ts";

/** Longest text of a field; what comes from outside may be of any length. */
const LONGEST_TEXT = 300;
const MASK = "[masked: looks like a secret]";
/**
 * Shapes of secrets that IoT Hub clients handle. A net below the rule that no secret is logged, not a
 * replacement for it. Source: IoT Hub, control access with shared access signatures; RFC 7468.
 */
const SECRET_SHAPES = [
  /SharedAccessKey\s*(?:=|%3d)/i,
  /SharedAccessSignature/i,
  /sig(?:=|%3d)/i,
  /BEGIN\s+(?:[A-Z0-9]+\s+){0,3}PRIVATE\s+KEY/i,
] as const;
/** Names that the log line itself uses. */
const OWN_NAMES: ReadonlySet<string> = new Set(["level", "time", "msg"]);

/**
 * Fields as they may be written: text cut at 300 characters, text that looks like a secret replaced as a
 * whole, a field named like a part of the line (`level`, `time`, `msg`) given a trailing `_`, undefined
 * fields left out.
 */
export function writableFields(fields: LogFields): LogFields {
  const result: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const key = OWN_NAMES.has(name) ? `${name}_` : name;
    result[key] = typeof value === "string" ? writableText(value) : value;
  }
  return result;
}

/** A text as it may be written: at most 300 characters, and replaced when it looks like a secret. */
export function writableText(text: string): string {
  // Cut first: what is cut off cannot leak, and the patterns see a bounded text.
  const cut = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text;
  return SECRET_SHAPES.some((shape) => shape.test(cut)) ? MASK : cut;
}
