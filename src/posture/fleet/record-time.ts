import { timestampMs } from "../alerts/event-time.ts";

/** Last moment that the language takes for a date. Source: ECMA-262, time values. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/**
 * A time as the hub writes it, in ms since the Unix epoch: RFC 3339 text, the same without an offset
 * (UTC), a number of ms, or such a number as text. Undefined for everything else.
 */
export function recordTimeMs(value: unknown): number | undefined {
  if (typeof value === "number") {
    return Number.isFinite(value) && Math.abs(value) <= MAX_TIME_MS ? Math.floor(value) : undefined;
  }
  if (typeof value !== "string" || value.length > 40) return undefined;
  if (/^\d{12,14}$/.test(value)) return Number(value);
  return timestampMs(value) ?? timestampMs(`${value}Z`);
}
