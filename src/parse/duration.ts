import { fail, ok, type Result } from "../contract/result.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

interface Unit {
  readonly letter: string;
  readonly ms: number;
}

/** Calendar units have a fixed length here: a duration must not depend on when it starts. */
const DATE_UNITS: readonly Unit[] = [
  { letter: "Y", ms: 365 * DAY_MS },
  { letter: "M", ms: 30 * DAY_MS },
  { letter: "W", ms: 7 * DAY_MS },
  { letter: "D", ms: DAY_MS },
];
const TIME_UNITS: readonly Unit[] = [
  { letter: "H", ms: HOUR_MS },
  { letter: "M", ms: MINUTE_MS },
  { letter: "S", ms: SECOND_MS },
];

/** Longer text is no duration that a person wrote. UTF-16 units. */
const MAX_LENGTH = 1024;

interface Part {
  readonly digits: string;
  readonly isFraction: boolean;
  readonly letter: string;
}

/**
 * Reads an ISO 8601 duration, such as `PT1H30M` or `P1DT12H`, as milliseconds, rounded. A year is 365
 * days and a month 30. Units come in order, each at most once; only the last one may carry a fraction.
 * Errors: `malformed` (also for signs, lower case and surrounding text), `too-large` (beyond
 * 2^53 ms, or text over 1024 characters).
 * Source: the duration pattern of the published module twin schema; ISO 8601-1 section 5.5.2.
 */
export function parseDurationMs(text: string): Result<number> {
  if (text.length > MAX_LENGTH) return fail("too-large", "duration", "too many characters");
  if (!text.startsWith("P")) return malformed();
  const body = text.slice(1);
  const timeAt = body.indexOf("T");
  const date = readParts(timeAt === -1 ? body : body.slice(0, timeAt));
  const time = timeAt === -1 ? [] : readParts(body.slice(timeAt + 1));
  if (date === undefined || time === undefined) return malformed();
  if (timeAt === -1 ? date.length === 0 : time.length === 0) return malformed();
  const parts = [...date, ...time];
  if (parts.slice(0, -1).some((part) => part.isFraction)) return malformed();
  const dateMs = sumMs(date, DATE_UNITS);
  const timeMs = sumMs(time, TIME_UNITS);
  if (dateMs === undefined || timeMs === undefined) return malformed();
  const totalMs = dateMs + timeMs;
  if (Number.isSafeInteger(totalMs)) return ok(totalMs);
  return fail("too-large", "duration", "longer than 2^53 milliseconds");
}

function malformed(): Result<never> {
  return fail("malformed", "duration", "no ISO 8601 duration such as PT1H30M");
}

/** Splits `1H30M` into its parts; undefined when anything else is in between. */
function readParts(text: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  const pattern = /([0-9]+(\.[0-9]+)?)([A-Z])/y;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) return undefined;
    const [, digits = "", fraction, letter = ""] = found;
    parts.push({ digits, isFraction: fraction !== undefined, letter });
  }
  return parts;
}

/** Sum of the parts, undefined when a unit is foreign, repeated or out of order. */
function sumMs(parts: readonly Part[], units: readonly Unit[]): number | undefined {
  let totalMs = 0;
  let next = 0;
  for (const part of parts) {
    const index = units.findIndex((unit, at) => at >= next && unit.letter === part.letter);
    const unit = units[index];
    if (unit === undefined) return undefined;
    next = index + 1;
    totalMs += Math.round(Number(part.digits) * unit.ms);
  }
  return totalMs;
}

/**
 * Prints whole milliseconds, 0 to 2^53, as the shortest canonical duration of days, hours, minutes
 * and seconds: `PT7M`, `PT1H30M`, `P50D`, `PT1.5S`, `PT0S`. What it prints reads back as the same value.
 */
export function formatDuration(durationMs: number): string {
  const days = Math.floor(durationMs / DAY_MS);
  const hours = Math.floor((durationMs % DAY_MS) / HOUR_MS);
  const minutes = Math.floor((durationMs % HOUR_MS) / MINUTE_MS);
  const secondsMs = durationMs % MINUTE_MS;
  const date = days > 0 ? `${days}D` : "";
  const time = [
    hours > 0 ? `${hours}H` : "",
    minutes > 0 ? `${minutes}M` : "",
    secondsMs > 0 ? `${secondsText(secondsMs)}S` : "",
  ].join("");
  if (date === "" && time === "") return "PT0S";
  return time === "" ? `P${date}` : `P${date}T${time}`;
}

function secondsText(secondsMs: number): string {
  const fraction = String(secondsMs % SECOND_MS).padStart(3, "0");
  const whole = String(Math.floor(secondsMs / SECOND_MS));
  return fraction === "000" ? whole : `${whole}.${fraction.replace(/0+$/, "")}`;
}
