/** Figures as text. */
import type { Measurement, Unit } from "../benchmark.ts";

const BYTE_UNITS: Partial<Record<Unit, string>> = {
  bytes: "",
  "bytes per day": " per day",
  "bytes per hour": " per hour",
};

/** `12.3 MB`, `0.42 ms`, `5.1 ×`: three digits that matter, 1 MB being 1,000,000 bytes. */
export function formatValue(value: number, unit: Unit): string {
  const suffix = BYTE_UNITS[unit];
  if (suffix !== undefined) return `${formatBytes(value)}${suffix}`;
  if (unit === "exponent") return value.toFixed(2);
  if (unit === "count") return digits(value);
  if (unit === "ms" && Math.abs(value) >= 1_000) return `${digits(value / 1_000)} s`;
  return `${digits(value)} ${unit}`;
}

function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  if (size >= 1e6) return `${digits(bytes / 1e6)} MB`;
  if (size >= 1e3) return `${digits(bytes / 1e3)} kB`;
  return `${digits(bytes)} B`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return String(Number(value.toPrecision(2)));
}

/** `low to high`; `-` for a single run. */
export function formatSpread({ low, high, unit, repetitions }: Measurement): string {
  if (repetitions < 2 && low === high) return "-";
  return `${formatValue(low, unit)} to ${formatValue(high, unit)}`;
}

/** `≤ 1.3 ×: met`; undefined where nothing is promised. */
export function formatLimit({ limit, better, median, unit }: Measurement): string | undefined {
  if (limit === undefined) return undefined;
  const isMet = better === "lower" ? median <= limit : median >= limit;
  return `${better === "lower" ? "≤" : "≥"} ${formatValue(limit, unit)}: ${isMet ? "met" : "**missed**"}`;
}
