import { isJsonObject, type JsonValue } from "../contract/json.ts";

/**
 * Text of any origin as printable ASCII of at most `maxLength` characters, so that it can travel in
 * a reported property or to a terminal. Everything else becomes `?`; a cut ends in `...`.
 */
export function printable(text: string, maxLength: number): string {
  const head = text.slice(0, maxLength + 1).replace(/[^\x20-\x7e]/g, "?");
  return head.length > maxLength ? `${head.slice(0, maxLength - 3)}...` : head;
}

/** What was found, for a message: a short JSON scalar, or the kind of what is nested. */
export function foundText(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isJsonObject(value)) return "an object";
  if (typeof value === "string") return `"${printable(value, 32)}"`;
  return printable(String(value), 32);
}

/** A value in force as text: strings as they are, lists separated by commas. */
export function valueText(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  return JSON.stringify(value);
}
