import { type AuditRecord, parseAuditRecord } from "./audit-record.ts";

/** A program that was executed, as audit records tell: complete even when the process is long gone. */
export interface AuditedExec {
  readonly timeMs: number;
  readonly processId: number;
  readonly parentProcessId: number | undefined;
  /** Real user id. */
  readonly userId: number | undefined;
  readonly executable: string;
  /** The first 4 KiB of them. */
  readonly args: readonly string[];
}

/** Record types. Source: linux/audit.h. */
const SYSCALL = 1300;
const EXECVE = 1309;
const END_OF_EVENT = 1320;
const MOST_OPEN = 256;
const MOST_ARGUMENTS = 1_024;
const MOST_BYTES = 4_096;

interface OpenEvent {
  syscall: AuditRecord | undefined;
  readonly args: string[];
  bytes: number;
}

/** Puts the records of one event together, which come one by one and may be mixed with others. */
export interface ExecAssembler {
  /** One record; the execution that it completes. */
  take(type: number, text: string): AuditedExec | undefined;
}

/** Bounded: of more than 256 open events the oldest are given up. Source: audit.rules(7). */
export function createExecAssembler(): ExecAssembler {
  const open = new Map<number, OpenEvent>();

  function eventOf(serial: number): OpenEvent {
    const known = open.get(serial);
    if (known !== undefined) return known;
    const fresh: OpenEvent = { syscall: undefined, args: [], bytes: 0 };
    open.set(serial, fresh);
    const [oldest] = open.keys();
    if (open.size > MOST_OPEN && oldest !== undefined) open.delete(oldest);
    return fresh;
  }

  return {
    take(type, text) {
      if (type !== SYSCALL && type !== EXECVE && type !== END_OF_EVENT) return undefined;
      const record = parseAuditRecord(text);
      if (record === undefined) return undefined;
      if (type === SYSCALL) eventOf(record.serial).syscall = record;
      else if (type === EXECVE) addArguments(eventOf(record.serial), record);
      else {
        const event = open.get(record.serial);
        open.delete(record.serial);
        return event === undefined ? undefined : execOf(event);
      }
      return undefined;
    },
  };
}

/** `a0="ls" a1="-l"`; a long argument comes in parts: `a2_len=9000 a2[0]=… a2[1]=…`. */
function addArguments(event: OpenEvent, record: AuditRecord): void {
  for (const [name, value] of record.fields) {
    const index = /^a(\d{1,4})(?:\[\d{1,6}\])?$/.exec(name)?.[1];
    if (index === undefined) continue;
    const at = Number(index);
    if (at >= MOST_ARGUMENTS || event.bytes + value.length > MOST_BYTES) continue;
    event.bytes += value.length;
    event.args[at] = (event.args[at] ?? "") + value;
  }
}

function execOf({ syscall, args }: OpenEvent): AuditedExec | undefined {
  const processId = wholeNumber(syscall?.fields.get("pid"));
  const executable = syscall?.fields.get("exe");
  // An execution that failed has its arguments as well.
  if (syscall?.fields.get("success") !== "yes" || args.length === 0) return undefined;
  if (processId === undefined || executable === undefined) return undefined;
  return {
    timeMs: syscall.timeMs,
    processId,
    parentProcessId: wholeNumber(syscall.fields.get("ppid")),
    userId: wholeNumber(syscall.fields.get("uid")),
    executable,
    args: Array.from(args, (argument) => argument ?? ""),
  };
}

function wholeNumber(digits: string | undefined): number | undefined {
  return digits !== undefined && /^\d{1,10}$/.test(digits) ? Number(digits) : undefined;
}
