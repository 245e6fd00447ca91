import { boolean, integer, optional, record, text, textMap } from "../../src/contract/schema.ts";

export const processesSettings = record({
  source: text({
    default: "auto",
    maxLength: 16,
    form: "auto, connector or polling",
    accepts: (word) => ["auto", "connector", "polling"].includes(word),
    doc: "Where processes are learnt from; auto takes the best that works",
  }),
  pollSeconds: integer({
    default: 10,
    min: 1,
    max: 3_600,
    unit: "seconds",
    doc: "Time between two looks at /proc, where nothing better works",
  }),
  hashExecutables: boolean({
    default: false,
    doc: "Add the SHA-256 of the executable, computed once per file",
  }),
});

const processId = integer({ min: 0, doc: "Process id; 0 in an aggregate" });
const executable = text({
  maxLength: 4_096,
  doc: "Path of the program: link /proc/[pid]/exe; empty when it could not be read",
});

export const processCreatePayload = record({
  Executable: executable,
  ProcessId: processId,
  ParentProcessId: integer({ min: 0, doc: "Parent at that time: `PPid`; 0 when not known" }),
  UserId: text({ maxLength: 20, doc: "Real user id: `Uid`; empty when it could not be read" }),
  UserName: optional(text({ maxLength: 256, doc: "First name of that user id in /etc/passwd" })),
  CommandLine: text({
    maxLength: 8_192,
    doc: "Arguments, blanks between them, secrets replaced by ***: /proc/[pid]/cmdline",
  }),
  ExtraDetails: optional(
    textMap({
      doc: "`Source`, `ParentExecutable`, `Unit`, `UserUnit`, `Container`, `ContainerRuntime`, `ExecutableDeleted`, `ExecutableSha256`, `StartTimeUtc`; `Gone` when the process had ended before it could be read; of an aggregate `HitCount` and its window",
    }),
  ),
});

export const processTerminatePayload = record({
  Executable: executable,
  ProcessId: processId,
  ExitStatus: integer({
    min: 0,
    max: 255,
    doc: "What the process gave to exit(2); 128 and the number of the signal that ended it",
  }),
  ExtraDetails: optional(
    textMap({
      doc: "`Source`, `Signal`, `CoreDumped`; `Forked` when it never executed a program of its own; of an aggregate `HitCount` and its window",
    }),
  ),
});
