import type { ProcessFacts } from "../contract/probe.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { parseControlGroup } from "../parse/cgroup.ts";
import { parseCommandLine, parseProcessStatus } from "../parse/proc-status.ts";

const MAX_COMMAND_BYTES = 4_096;
const MAX_STATUS_BYTES = 4_096;
const MAX_GROUP_BYTES = 4_096;
const DELETED = / \(deleted\)$/;

/** Reading below /proc. */
export interface ProcessReads {
  readonly readStart: (path: string, maxBytes: number) => Result<Uint8Array>;
  readonly readLink: (path: string) => Result<string>;
  readonly exists: (path: string) => boolean;
}

const GONE = "the process is gone";

const utf8 = new TextDecoder();

/**
 * See `Probe.process`. The order matters: a process that is about to end loses its program and its
 * arguments first. Four small reads, about 60 µs.
 */
export function readProcess(reads: ProcessReads, processId: number): Result<ProcessFacts> {
  const folder = `/proc/${processId}`;
  // In a storm most are gone: asking costs a tenth of two refusals.
  if (!reads.exists(folder)) return fail("not-found", folder, GONE);
  const text = (path: string, maxBytes: number): string | undefined => {
    const read = reads.readStart(path, maxBytes);
    return read.ok ? utf8.decode(read.value) : undefined;
  };
  const target = reads.readLink(`${folder}/exe`);
  const command = text(`${folder}/cmdline`, MAX_COMMAND_BYTES);
  // Gone, and nobody left to wait for it: three more attempts would find nothing either.
  if (!target.ok && command === undefined) return fail("not-found", folder, GONE);
  const status = text(`${folder}/status`, MAX_STATUS_BYTES);
  const group = text(`${folder}/cgroup`, MAX_GROUP_BYTES);
  const link = target.ok ? target.value : undefined;
  const { unit, userUnit, container } = group === undefined ? {} : parseControlGroup(group);
  return ok({
    processId,
    ...parseProcessStatus(status ?? ""),
    executable: link?.replace(DELETED, ""),
    hasEnded: !target.ok && target.problem.code === "not-found" && !command,
    isExecutableDeleted: link !== undefined && DELETED.test(link),
    args: parseCommandLine(command ?? ""),
    unit,
    userUnit,
    container,
  });
}
