const DAY_MS = 86_400_000;
/** Longest text that is looked at: nine digits of a second and an offset. */
const MAX_LENGTH = 40;

/**
 * An RFC 3339 timestamp with its offset as ms since the Unix epoch, fractions of a millisecond cut off;
 * undefined for everything else, dates that do not exist among it. A leap second counts as the second
 * after. Source: RFC 3339 section 5.6; Howard Hinnant, days_from_civil.
 */
export function timestampMs(text: string): number | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const found =
    /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/.exec(
      text,
    );
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const [fraction = "", sign = "+", offsetHours = "0", offsetMinutes = "0"] = found.slice(7);
  if (!isDate(year, month, day) || !isWithin(hour, 23)) return undefined;
  if (!isWithin(minute, 59) || !isWithin(second, 60)) return undefined;
  if (!isWithin(Number(offsetHours), 23) || !isWithin(Number(offsetMinutes), 59)) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === "-" ? -1 : 1);
  const seconds = ((hour ?? 0) * 60 + (minute ?? 0) - offset) * 60 + (second ?? 0);
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, "0"));
  return daysFromCivil(year ?? 0, month ?? 0, day ?? 0) * DAY_MS + seconds * 1_000 + milliseconds;
}

function isWithin(value: number | undefined, max: number): boolean {
  return value !== undefined && value <= max;
}

function isDate(year = 0, month = 0, day = 0): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}
