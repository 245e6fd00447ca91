import { readFileSync } from "node:fs";
import type { EventDraft, PayloadItem } from "../../src/contract/event.ts";

export interface TimedEvent {
  /** Milliseconds since the day began. */
  readonly atMs: number;
  readonly draft: EventDraft;
}

interface RecordedLine {
  readonly portion: "tick" | "hourly" | "daily" | "session";
  readonly atMs: number;
  readonly name: "ProcessCreate" | "ConnectionCreate";
  readonly item: PayloadItem;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SESSION_HOURS = [1.2, 7.6, 8.1, 9.7, 11.3, 14.9, 17.4, 22.8];

/** When each portion of the recording happens within a day. */
function startsOf(portion: RecordedLine["portion"]): readonly number[] {
  if (portion === "tick") return every(5 * MINUTE_MS, 0);
  if (portion === "hourly") return every(HOUR_MS, 17 * MINUTE_MS);
  if (portion === "daily") return [6 * HOUR_MS + 25 * MINUTE_MS];
  return SESSION_HOURS.map((hours) => hours * HOUR_MS);
}

function every(stepMs: number, firstMs: number): readonly number[] {
  const count = Math.ceil((DAY_MS - firstMs) / stepMs);
  return Array.from({ length: count }, (_, index) => firstMs + index * stepMs);
}

/**
 * A day of a gateway: the recorded portions laid out over 24 hours, a health tick every five minutes,
 * housekeeping every hour and every day, eight operator sessions. Process ids differ between
 * repetitions. What was recorded and how: docs/trace.md.
 */
export function loadGatewayDay(): readonly TimedEvent[] {
  const text = readFileSync(new URL("gateway-day.jsonl", import.meta.url), "utf8");
  const lines: readonly RecordedLine[] = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const events = lines.flatMap((line) =>
    startsOf(line.portion).map((startMs, repetition) => {
      const ProcessId = (Number(line.item["ProcessId"]) + repetition * 211) % 4_194_304;
      const payload = [{ ...line.item, ProcessId }];
      return { atMs: startMs + line.atMs, draft: { name: line.name, payload } };
    }),
  );
  return events.sort((a, b) => a.atMs - b.atMs);
}
