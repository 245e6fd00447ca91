/** What /proc/[pid]/stat says of a process. Source: proc_pid_stat(5). */
export interface ProcessStat {
  readonly processId: number;
  /** Name of the main thread, at most 15 bytes unless it is a kernel worker; any characters. */
  readonly name: string;
  /** One letter: R running, S sleeping, Z zombie, … */
  readonly state: string;
  readonly parentProcessId: number;
  /** Field 22, clock ticks after boot: with the pid it names one process and no other. */
  readonly startTicks: number;
}

/**
 * Reads /proc/[pid]/stat; undefined when the text is cut off or is something else. The name may hold
 * blanks and brackets, so it ends at the last closing bracket.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf(" (");
  const close = text.lastIndexOf(") ");
  if (open < 1 || close < open) return undefined;
  const fields = text.slice(close + 2).split(" ");
  const processId = wholeNumber(text.slice(0, open));
  const parentProcessId = wholeNumber(fields[1]);
  const startTicks = wholeNumber(fields[19]);
  const state = fields[0] ?? "";
  if (processId === undefined || parentProcessId === undefined || startTicks === undefined) {
    return undefined;
  }
  return { processId, name: text.slice(open + 2, close), state, parentProcessId, startTicks };
}

function wholeNumber(text: string | undefined): number | undefined {
  const digits = text?.trim() ?? "";
  if (!/^\d{1,20}$/.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Boot time from /proc/stat, seconds since the Unix epoch; undefined without it. Source: proc_stat(5). */
export function parseBootTimeSeconds(text: string): number | undefined {
  return wholeNumber(/^btime (\d{1,15})$/m.exec(text)?.[1]);
}

/** Uptime from /proc/uptime, whole seconds; undefined when it is something else. Source: proc_uptime(5). */
export function parseUptimeSeconds(text: string): number | undefined {
  return wholeNumber(/^(\d{1,15})(?:\.\d+)? /.exec(text)?.[1]);
}
