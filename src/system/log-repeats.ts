import type { Clock } from "../contract/clock.ts";
import type { Log, LogFields } from "../contract/log.ts";

const WINDOW_MS = 600_000;
/** Different warnings remembered at a time; beyond it the oldest is forgotten. */
const MOST_KEYS = 256;

/** A log that must be told of the end, so that counts still held back are written. */
export interface ClosableLog extends Log {
  /** Writes the counts of repeats not yet written. Safe to call twice; the log stays usable. */
  close(): void;
}

interface Repeated {
  readonly level: "warn" | "error";
  readonly message: string;
  readonly endMs: number;
  count: number;
  /** Fields of the last repeat: the freshest numbers. */
  fields: LogFields;
}

/**
 * Writes a warning or error once and holds back its repeats for ten minutes; then, if there were any,
 * writes it again with the last fields and `repeated`, their number. A repeat has the same level,
 * message, and text and boolean fields; numbers may differ, as counts and durations do.
 * No timer runs: windows are looked at whenever anything is logged, of any level, and at `close`.
 */
export function withoutRepeats(inner: Log, clock: Clock): ClosableLog {
  const open = new Map<string, Repeated>();

  function end(key: string, repeated: Repeated): void {
    open.delete(key);
    if (repeated.count === 0) return;
    inner[repeated.level]({ ...repeated.fields, repeated: repeated.count }, repeated.message);
  }

  function endDue(): void {
    const nowMs = clock.monotonicMs();
    // Windows are equally long, so the map, in order of insertion, is in order of their end.
    for (const [key, repeated] of open) {
      if (repeated.endMs > nowMs) return;
      end(key, repeated);
    }
  }

  function loudly(level: "warn" | "error", fields: LogFields, message: string): void {
    const key = keyOf(level, fields, message);
    const running = open.get(key);
    const isRepeat =
      running !== undefined && (running.count > 0 || running.endMs > clock.monotonicMs());
    if (isRepeat) {
      running.count += 1;
      running.fields = fields;
    }
    // Writes this repeat too, as part of the count, when it falls due together with its window.
    endDue();
    if (!isRepeat) inner[level](fields, message);
    if (open.has(key)) return;
    const [oldest] = open;
    if (oldest !== undefined && open.size >= MOST_KEYS) end(oldest[0], oldest[1]);
    open.set(key, { level, message, endMs: clock.monotonicMs() + WINDOW_MS, count: 0, fields });
  }

  return {
    error: (fields, message) => loudly("error", fields, message),
    warn: (fields, message) => loudly("warn", fields, message),
    info(fields, message) {
      endDue();
      inner.info(fields, message);
    },
    debug(fields, message) {
      endDue();
      inner.debug(fields, message);
    },
    close() {
      for (const [key, repeated] of [...open]) end(key, repeated);
    },
  };
}

function keyOf(level: string, fields: LogFields, message: string): string {
  const words = Object.entries(fields)
    .filter(([, value]) => typeof value !== "number")
    .map(([name, value]) => [name, String(value)])
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return JSON.stringify([level, message, words]);
}
