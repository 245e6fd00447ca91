/** What /proc/[pid]/status says of a process; undefined for what is missing. Source: proc_pid_status(5). */
export interface ProcessStatus {
  readonly name: string | undefined;
  readonly parentProcessId: number | undefined;
  /** Real user id. */
  readonly userId: number | undefined;
}

export function parseProcessStatus(text: string): ProcessStatus {
  return {
    name: /^Name:\t(.{1,64})$/m.exec(text)?.[1],
    parentProcessId: wholeNumber(/^PPid:\t(\d{1,10})$/m.exec(text)?.[1]),
    userId: wholeNumber(/^Uid:\t(\d{1,10})\t/m.exec(text)?.[1]),
  };
}

function wholeNumber(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

/** Arguments from /proc/[pid]/cmdline; what the text cuts off ends the last one. */
export function parseCommandLine(text: string): readonly string[] {
  // A process that rewrites its title (setproctitle) fills what is left with NULs.
  const trimmed = text.replace(/\0+$/, "");
  return trimmed === "" ? [] : trimmed.split("\0");
}
