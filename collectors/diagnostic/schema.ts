import { choice, integer, optional, record, text, textMap } from "../../src/contract/schema.ts";

export const diagnosticSettings = record({
  minimumSeverity: choice(["Fatal", "Error", "Warning", "Information", "Debug"] as const, {
    default: "Warning",
    doc: "Findings below this severity stay in the log and are not sent",
  }),
});

export const diagnosticPayload = record({
  Severity: choice(["Fatal", "Error", "Warning", "Information", "Debug"] as const, {
    doc: "How bad it is: Warning means something was lost or degraded",
  }),
  Message: text({ maxLength: 4096, doc: "What happened, one line, without secrets" }),
  ProcessId: integer({ min: 0, doc: "Process id of the agent" }),
  ThreadId: integer({ min: 0, doc: "Thread id; the agent's main thread has its process id" }),
  CorrelationId: optional(text({ maxLength: 36, doc: "Not used yet" })),
  ExtraDetails: optional(textMap({ doc: "Facts, such as Collector, Code, Subject and Remedy" })),
});
