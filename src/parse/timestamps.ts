const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/**
 * Proleptic Gregorian date of a day number. `days` counts from 1970-01-01, negative before.
 * Source: Howard Hinnant, chrono-compatible low-level date algorithms, civil_from_days.
 */
function civilDate(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

function dateTime(ms: number): string {
  const whole = Math.floor(ms);
  const days = Math.floor(whole / DAY_MS);
  const { year, month, day } = civilDate(days);
  const rest = whole - days * DAY_MS;
  const hours = Math.floor(rest / 3_600_000);
  const minutes = Math.floor(rest / MINUTE_MS) % 60;
  const seconds = Math.floor(rest / 1_000) % 60;
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const time = `${digits(hours, 2)}:${digits(minutes, 2)}:${digits(seconds, 2)}`;
  return `${date}T${time}.${digits(rest % 1_000, 3)}`;
}

/** Earliest and latest instants with a four-digit year, which is all RFC 3339 can write. */
const EARLIEST_MS = -62_167_219_200_000 + DAY_MS;
const LATEST_MS = 253_402_300_799_999 - DAY_MS;

function writable(ms: number): number {
  if (!Number.isFinite(ms)) return 0;
  return Math.min(Math.max(ms, EARLIEST_MS), LATEST_MS);
}

/** RFC 3339 text of an instant in UTC: `2026-11-20T21:30:00.000Z`. `epochMs`: since the Unix epoch. */
export function utcTimestamp(epochMs: number): string {
  return `${dateTime(writable(epochMs))}Z`;
}

/**
 * RFC 3339 text of an instant in local time with its true offset: `2026-11-20T22:30:00.000+01:00`.
 * `offsetMinutes`: east of UTC positive.
 */
export function localTimestamp(epochMs: number, offsetMinutes: number): string {
  const size = Math.abs(Math.trunc(offsetMinutes));
  const sign = offsetMinutes < 0 ? "-" : "+";
  const offset = `${sign}${digits(Math.floor(size / 60), 2)}:${digits(size % 60, 2)}`;
  return `${dateTime(writable(epochMs) + Math.trunc(offsetMinutes) * MINUTE_MS)}${offset}`;
}
