import type { JsonObject, JsonValue } from "../../contract/json.ts";

/** The value of a key as it is printed; empty for a value that is neither text nor number. */
export function word(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** nft writes one word where there is one, and a list where there are several. */
export function wordsOf(value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

function over(value: JsonObject): string {
  return value["inv"] === true ? "over " : "";
}

/**
 * A statement that keeps a state of its own, in a rule, a set or an element: `counter packets 1 bytes 60`.
 * Undefined for any other. Source: libnftables-json(5), counter, quota, limit, ct count.
 */
export function printStateful(kind: string, value: JsonObject): string | undefined {
  switch (kind) {
    case "counter":
      return `counter packets ${word(value, "packets")} bytes ${word(value, "bytes")}`;
    case "quota":
      return `quota ${over(value)}${word(value, "val")} ${word(value, "val_unit")}${used(value)}`;
    case "limit":
      return `limit ${rate(value)}`;
    case "ct count":
      return `ct count ${over(value)}${word(value, "val")}`;
    default:
      return undefined;
  }
}

function used(value: JsonObject): string {
  return value["used"] === undefined
    ? ""
    : ` used ${word(value, "used")} ${word(value, "used_unit")}`;
}

/** `rate over 10/second burst 5 packets`, `rate 10 mbytes/second`. */
export function rate(value: JsonObject): string {
  const unit = value["rate_unit"] === undefined ? "" : ` ${word(value, "rate_unit")}`;
  const burstUnit = value["burst_unit"] === undefined ? "packets" : word(value, "burst_unit");
  const hasBurst = value["burst"] !== undefined && value["burst"] !== 0;
  const burst = hasBurst ? ` burst ${word(value, "burst")} ${burstUnit}` : "";
  return `rate ${over(value)}${word(value, "rate")}${unit}/${word(value, "per")}${burst}`;
}
