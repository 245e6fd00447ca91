/** What a running process costs, as the kernel tells. */
import { readdirSync, readFileSync } from "node:fs";

export interface Memory {
  readonly rss: number;
  readonly pss: number;
  /** Clean and dirty pages that nobody else has. */
  readonly private: number;
  /** Highest RSS so far. */
  readonly peak: number;
}

/** Sums since the process began. */
export interface Activity {
  readonly cpuMs: number;
  /** Times that a thread gave up the processor to wait, and so was woken afterwards. */
  readonly wakeUps: number;
  /** Bytes that its writes will cost the disk. */
  readonly diskBytes: number;
}

/** Source: proc_pid_smaps(5), smaps_rollup; proc_pid_status(5), VmHWM. */
export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return {
    rss: kilobytes(rollup, "Rss"),
    pss: kilobytes(rollup, "Pss"),
    private: kilobytes(rollup, "Private_Clean") + kilobytes(rollup, "Private_Dirty"),
    peak: kilobytes(status, "VmHWM"),
  };
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) * 1_024;
}

/**
 * Of all threads and of children that ended. Source: Documentation/scheduler/sched-stats.rst, schedstat,
 * in nanoseconds; proc_pid_status(5), voluntary_ctxt_switches; proc_pid_io(5), write_bytes;
 * proc_pid_stat(5), cutime and cstime, in hundredths of a second.
 */
export function activityOf(pid: number): Activity {
  let [cpuMs, wakeUps] = [0, 0];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const text = (file: string): string => textOr(`/proc/${pid}/task/${thread}/${file}`, "");
    cpuMs += Number(text("schedstat").split(" ")[0]) / 1e6;
    wakeUps += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(text("status"))?.[1] ?? 0);
  }
  const fields = textOr(`/proc/${pid}/stat`, "").split(") ").at(-1)?.split(" ") ?? [];
  const io = textOr(`/proc/${pid}/io`, "");
  return {
    cpuMs: cpuMs + (Number(fields[13]) + Number(fields[14])) * 10,
    wakeUps,
    diskBytes: Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0),
  };
}

/** A thread may end between the listing and the look. */
function textOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
