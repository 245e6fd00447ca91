import { readFileSync, realpathSync } from "node:fs";
import { endianness } from "node:os";
import { isatty } from "node:tty";
import { fail, type Result } from "../contract/result.ts";
import { effectiveCapabilities } from "../parse/capabilities.ts";
import { problemOf } from "./system-problem.ts";

/** What the process was started with. A snapshot: later changes do not show. */
export interface Environment {
  /** Environment variables; never logged, they may hold secrets. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Command-line arguments after the script. */
  readonly programArguments: readonly string[];
  /** The script that was started, links resolved; undefined when there is none. */
  readonly scriptPath: string | undefined;
  /** The Node binary. */
  readonly nodePath: string;
  /** `20.19.2`, without the v. */
  readonly nodeVersion: string;
  readonly processId: number;
  /** Effective user; -1 where the platform has none. */
  readonly userId: number;
  readonly groupId: number;
  readonly isRoot: boolean;
  /** Folder of systemd credentials. Source: systemd.exec(5), LoadCredential=. */
  readonly credentialsDirectory: string | undefined;
  /** Folder that lives until the device is off. Source: systemd.exec(5), RuntimeDirectory=. */
  readonly runtimeDirectory: string | undefined;
  /** What systemd wants to hear from the service; undefined outside of a unit of Type=notify. */
  readonly supervision: Supervision | undefined;
  /** True under systemd with its output in the journal. Source: systemd.exec(5), JOURNAL_STREAM. */
  readonly isJournal: boolean;
  /** `linux` */
  readonly platform: string;
  /** Node's name of the processor: `x64`, `arm64`, `arm`. */
  readonly architecture: string;
  readonly endianness: "LE" | "BE";
}

/** How systemd supervises this process. Source: sd_notify(3), sd_watchdog_enabled(3). */
export interface Supervision {
  /** NOTIFY_SOCKET: a path, or a name behind `@`. */
  readonly socket: string;
  /** Longest silence before systemd takes the process for wedged; undefined without a watchdog. */
  readonly watchdogMs: number | undefined;
}

/** Memory of this process in bytes. */
export interface MemoryFacts {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Memory outside the heap that JavaScript objects hold, buffers included. */
  readonly externalBytes: number;
}

/** The only reader of process.env, of the arguments and of the user the agent runs as. */
export function environment(): Environment {
  const userId = process.geteuid?.() ?? -1;
  return {
    variables: Object.freeze({ ...process.env }),
    programArguments: process.argv.slice(2),
    scriptPath: resolved(process.argv[1]),
    nodePath: process.execPath,
    nodeVersion: process.versions.node,
    processId: process.pid,
    userId,
    groupId: process.getegid?.() ?? -1,
    isRoot: userId === 0,
    credentialsDirectory: nonEmpty(process.env["CREDENTIALS_DIRECTORY"]),
    runtimeDirectory: nonEmpty(process.env["RUNTIME_DIRECTORY"]),
    supervision: supervision(),
    isJournal: nonEmpty(process.env["JOURNAL_STREAM"]) !== undefined,
    platform: process.platform,
    architecture: process.arch,
    endianness: endianness(),
  };
}

function supervision(): Supervision | undefined {
  const socket = nonEmpty(process.env["NOTIFY_SOCKET"]);
  if (socket === undefined) return undefined;
  const microseconds = Number(process.env["WATCHDOG_USEC"]);
  // The variables are inherited: they may be meant for a parent.
  const isMeant = [undefined, String(process.pid)].includes(nonEmpty(process.env["WATCHDOG_PID"]));
  const isOn = isMeant && Number.isSafeInteger(microseconds) && microseconds > 0;
  return { socket, watchdogMs: isOn ? microseconds / 1_000 : undefined };
}

/**
 * Effective capabilities of this process, such as `CAP_SYS_PTRACE`, in bit order. Errors: those of
 * reading a file; `malformed`. Source: proc_pid_status(5), capabilities(7).
 */
export function capabilities(): Result<readonly string[]> {
  const path = "/proc/self/status";
  try {
    const parsed = effectiveCapabilities(readFileSync(path, "utf8"));
    return parsed.ok ? parsed : fail(parsed.problem.code, path, parsed.problem.detail);
  } catch (error) {
    return problemOf(error, path);
  }
}

/** Memory of this process now. Source: getrusage(2) and the V8 heap statistics. */
export function memory(): MemoryFacts {
  const usage = process.memoryUsage();
  return {
    residentBytes: usage.rss,
    heapUsedBytes: usage.heapUsed,
    heapTotalBytes: usage.heapTotal,
    externalBytes: usage.external,
  };
}

/** True when text on that descriptor (1 or 2) may be coloured, by `allowsColour`. */
export function mayColour(descriptor: 1 | 2): boolean {
  return isatty(descriptor) && allowsColour(process.env);
}

/**
 * False when the variables ask for no colour: NO_COLOR set to anything but the empty text, or a terminal
 * that is `dumb`. Source: no-color.org.
 */
export function allowsColour(variables: Environment["variables"]): boolean {
  return nonEmpty(variables["NO_COLOR"]) === undefined && variables["TERM"] !== "dumb";
}

/** True when a person may be reading that descriptor (1 or 2). */
export function isTerminal(descriptor: 1 | 2): boolean {
  return isatty(descriptor);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function resolved(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return realpathSync(path);
  } catch {
    // The script may be gone or be no file (node -e): then there is no path to speak of.
    return undefined;
  }
}
