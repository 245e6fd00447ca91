import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { AgentError } from "../contract/errors.ts";
import { environment } from "./environment.ts";
import { ensurePrivateFolder, readSmallText, removeQuietly } from "./files.ts";
import { errorName, problemOf } from "./system-problem.ts";

/** `.lock-PID-START-BOOT`: the name alone says who holds it, so the file can stay empty. */
const LOCK_NAME = /^\.lock-(\d{1,10})-(\d{1,20})-([0-9a-f]{1,36})$/;

interface Holder {
  readonly processId: number;
  /** Clock ticks after boot at which the process started: tells a reused pid apart. */
  readonly startTicks: string;
  /** Hexadecimal digits of the kernel's boot id. */
  readonly bootId: string;
}

/** Lets go of the folder. Safe to call twice. */
export type ReleaseLock = () => void;

/**
 * Makes this process the only agent that uses a state folder, until the returned function is called or
 * the process ends in any way, `kill -9` included. Makes the folder as `ensurePrivateFolder` does.
 *
 * Each agent first puts down a file that carries its own identity in its name and then looks for
 * others: whoever lived when we looked is seen, so two can refuse each other but never both go on, and
 * the file of a dead holder can be removed by anybody, since nobody else could have made it.
 *
 * Throws AGENT_STATE_LOCKED with the pid of the holder, AGENT_STATE_UNUSABLE as `ensurePrivateFolder`.
 * Not covered: agents in different pid namespaces that share one folder. Source: proc_pid_stat(5).
 */
export function lockFolder(path: string): ReleaseLock {
  ensurePrivateFolder(path);
  const own = ownHolder(path);
  const ownFile = join(path, `.lock-${own.processId}-${own.startTicks}-${own.bootId}`);
  createMarker(path, ownFile, own);
  try {
    for (const name of readdirSync(path)) {
      const other = holderOf(name);
      const file = join(path, name);
      if (other === undefined || file === ownFile) continue;
      if (isAlive(other, own.bootId)) throw locked(path, other.processId);
      removeQuietly(file);
    }
  } catch (error) {
    removeQuietly(ownFile);
    throw error instanceof AgentError ? error : unusable(path, error);
  }
  let isHeld = true;
  return () => {
    if (isHeld) removeQuietly(ownFile);
    isHeld = false;
  };
}

function createMarker(path: string, ownFile: string, own: Holder): void {
  try {
    closeSync(openSync(ownFile, "wx", 0o600));
  } catch (error) {
    // The name holds our pid and start time: if it exists, this very process has locked already.
    if (errorName(error) === "EEXIST") throw locked(path, own.processId);
    throw unusable(path, error);
  }
}

function ownHolder(path: string): Holder {
  const { processId } = environment();
  const process = processStat(processId);
  const bootId = readSmallText("/proc/sys/kernel/random/boot_id", 256);
  if (process === undefined || !bootId.ok) {
    throw new AgentError("AGENT_STATE_UNUSABLE", `the folder ${path} cannot be locked`, {
      remedy: "Mount /proc: the agent reads /proc/self/stat and the kernel's boot id from it.",
    });
  }
  const bootDigits = bootId.value.replace(/[^0-9a-f]/g, "");
  return { processId, startTicks: process.startTicks, bootId: bootDigits };
}

function holderOf(fileName: string): Holder | undefined {
  const [, processId = "", startTicks = "", bootId = ""] = LOCK_NAME.exec(fileName) ?? [];
  return processId === "" ? undefined : { processId: Number(processId), startTicks, bootId };
}

function isAlive(holder: Holder, currentBootId: string): boolean {
  if (holder.bootId !== currentBootId) return false;
  const process = processStat(holder.processId);
  // A zombie has ended; only its parent has not noticed yet.
  if (process === undefined || process.state === "Z" || process.state === "X") return false;
  return process.startTicks === holder.startTicks;
}

/** Fields 3 and 22, counted behind the last `)`: the command name may hold spaces and brackets. */
function processStat(processId: number): { state: string; startTicks: string } | undefined {
  const read = readSmallText(`/proc/${processId}/stat`, 4096);
  if (!read.ok) return undefined;
  const fields = read.value.slice(read.value.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}

function locked(path: string, processId: number): AgentError {
  return new AgentError(
    "AGENT_STATE_LOCKED",
    `the state folder ${path} is in use by the agent with process id ${processId}`,
    { remedy: `Stop that agent (process ${processId}), or give this one its own state folder.` },
  );
}

function unusable(path: string, error: unknown): AgentError {
  const problem = problemOf(error, path);
  const detail = problem.ok ? "" : `: ${problem.problem.detail}`;
  return new AgentError("AGENT_STATE_UNUSABLE", `the folder ${path} cannot be locked${detail}`, {
    remedy: "Check that the agent's user owns the folder and that its file system has space.",
    cause: error,
  });
}
