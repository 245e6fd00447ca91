import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type { ProcessFacts } from "../../src/contract/probe.ts";
import type { SecretMask } from "../../src/contract/secret-mask.ts";
import { plainText } from "../../src/parse/plain-text.ts";

const MOST_PATH = 4_096;
const MOST_COMMAND = 8_192;

/** What is known beside what /proc says. */
export interface CreateDetails {
  readonly source: string;
  readonly userName: string | undefined;
  readonly parentExecutable: string | undefined;
  readonly sha256: string | undefined;
}

/** Payload item of a process that could be read. */
export function createItem(
  process: ProcessFacts,
  known: CreateDetails,
  mask: SecretMask,
): PayloadItem {
  const { userId, unit, userUnit, container } = process;
  return {
    Executable: plainText(process.executable ?? "", MOST_PATH),
    ProcessId: process.processId,
    ParentProcessId: process.parentProcessId ?? 0,
    UserId: userId === undefined ? "" : String(userId),
    ...(known.userName === undefined ? {} : { UserName: known.userName }),
    CommandLine: plainText(mask.commandLine(process.args), MOST_COMMAND),
    ...knownDetails({
      Source: known.source,
      ParentExecutable: pathText(known.parentExecutable),
      ExecutableDeleted: process.isExecutableDeleted ? "true" : undefined,
      ExecutableSha256: known.sha256,
      Unit: unit === undefined ? undefined : plainText(unit),
      UserUnit: userUnit === undefined ? undefined : plainText(userUnit),
      Container: container === undefined ? undefined : plainText(container.id, 64),
      ContainerRuntime: container?.runtime,
    }),
  };
}

/** Payload item of a process that had ended before its program could be read. */
export function goneItem(
  processId: number,
  known: {
    readonly parentProcessId: number | undefined;
    readonly parentExecutable: string | undefined;
    readonly userId: number | undefined;
    readonly userName: string | undefined;
  },
  source: string,
): PayloadItem {
  return {
    Executable: "",
    ProcessId: processId,
    ParentProcessId: known.parentProcessId ?? 0,
    UserId: known.userId === undefined ? "" : String(known.userId),
    ...(known.userName === undefined ? {} : { UserName: known.userName }),
    CommandLine: "",
    ...knownDetails({
      Source: source,
      ParentExecutable: pathText(known.parentExecutable),
      Gone: "true",
    }),
  };
}

/** Source: wait(2): the low seven bits are the signal, the eighth the core dump. */
export function terminateItem(
  processId: number,
  executable: string,
  waitStatus: number,
  details: { readonly source: string; readonly isForked: boolean },
): PayloadItem {
  const signal = waitStatus & 0x7f;
  return {
    Executable: plainText(executable, MOST_PATH),
    ProcessId: processId,
    ExitStatus: signal === 0 ? (waitStatus >> 8) & 0xff : 128 + signal,
    ...knownDetails({
      Source: details.source,
      Signal: signal === 0 ? undefined : String(signal),
      CoreDumped: (waitStatus & 0x80) === 0 ? undefined : "true",
      Forked: details.isForked ? "true" : undefined,
    }),
  };
}

function pathText(path: string | undefined): string | undefined {
  return path === undefined ? undefined : plainText(path, MOST_PATH);
}
