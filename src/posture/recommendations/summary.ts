import { utcTimestamp } from "../../parse/timestamps.ts";
import type { StateBook, StateEntry } from "./state-book.ts";
import type { HealthState } from "./verdict.ts";

/** One recommendation in reported properties. */
export interface SummaryEntry {
  readonly state: HealthState;
  /** Things that are wrong; absent unless unhealthy. */
  readonly count?: number;
  /** RFC 3339, UTC: since when the state is what it is. */
  readonly since?: string;
}

/** By type name, which is fit for a key of a twin. */
export type Summary = Readonly<Record<string, SummaryEntry>>;

/** All eight in full take about 750 bytes; the reported properties of a module have 32 KiB in all. */
const DEFAULT_MOST_BYTES = 2048;
const ORDER: readonly HealthState[] = ["unhealthy", "unknown", "healthy"];

/**
 * The states for the reported properties, in the order of type names. Where they would take more than
 * `mostBytes` of JSON, times go first, then healthy entries, unknown ones, unhealthy ones.
 */
export function summarise(book: StateBook, mostBytes = DEFAULT_MOST_BYTES): Summary {
  const full = summaryOf(book.entries, true);
  if (sizeOf(full) <= mostBytes) return full;
  const kept = [...book.entries].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  for (; kept.length > 0; kept.pop()) {
    const short = summaryOf(kept, false);
    if (sizeOf(short) <= mostBytes) return short;
  }
  return {};
}

function summaryOf(entries: readonly StateEntry[], withTimes: boolean): Summary {
  const sorted = [...entries].sort((a, b) => (a.type < b.type ? -1 : 1));
  return Object.fromEntries(
    sorted.map(({ type, state, count, sinceMs }) => [
      type,
      {
        state,
        ...(state === "unhealthy" ? { count } : {}),
        ...(withTimes ? { since: utcTimestamp(sinceMs) } : {}),
      },
    ]),
  );
}

/** Every character of a summary is one byte: names, words, digits. */
function sizeOf(summary: Summary): number {
  return JSON.stringify(summary).length;
}
