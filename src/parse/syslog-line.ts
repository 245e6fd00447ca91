/** One line of a text log such as /var/log/auth.log. */
export interface SyslogLine {
  /** Wall clock ms. */
  readonly timeMs: number;
  readonly program: string;
  /** 0 where the line does not say. */
  readonly processId: number;
  readonly text: string;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_MS = 86_400_000;

/** What a line without a year and without a zone is read by. */
export interface LogClock {
  nowMs(): number;
  utcOffsetMinutes(atMs: number): number;
}

/**
 * Reads a line: the traditional form `Nov 21 05:57:51 host sshd[12]: text`, local time without a year, which
 * is the latest that does not lie in the future; or an RFC 3339 time stamp. Undefined for anything else.
 * Source: RFC 3164 section 4.1, RFC 3339, rsyslog's file formats.
 */
export function parseSyslogLine(line: string, clock: LogClock): SyslogLine | undefined {
  const found =
    /^(?:([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)|(\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d))) \S{1,255} ([^\s[:]{1,64})(?:\[(\d{1,10})\])?: (.*)$/s.exec(
      line,
    );
  if (found === null) return undefined;
  const [, month, day, hour, minute, second, stamp, program = "", pid, text = ""] = found;
  const timeMs =
    stamp === undefined
      ? traditionalMs([month, day, hour, minute, second], clock)
      : Date.parse(stamp);
  if (timeMs === undefined || Number.isNaN(timeMs)) return undefined;
  return { timeMs, program, processId: Number(pid ?? 0), text };
}

function traditionalMs(
  parts: readonly (string | undefined)[],
  clock: LogClock,
): number | undefined {
  const [name = "", ...digits] = parts;
  const month = MONTHS.indexOf(name);
  const [day = 0, hour = 0, minute = 0, second = 0] = digits.map(Number);
  if (month < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const nowMs = clock.nowMs();
  const year = new Date(nowMs).getUTCFullYear();
  // A clock of another machine, or of summer time, may be ahead a little.
  for (const candidate of [year + 1, year, year - 1]) {
    const local = Date.UTC(candidate, month, day, hour, minute, second);
    const atMs = local - clock.utcOffsetMinutes(local) * 60_000;
    if (atMs <= nowMs + DAY_MS) return atMs;
  }
  return undefined;
}
