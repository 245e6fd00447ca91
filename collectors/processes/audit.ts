import type { ProcessFacts } from "../../src/contract/probe.ts";
import { ok, type Result } from "../../src/contract/result.ts";
import { type AuditedExec, createExecAssembler } from "../../src/parse/audit-exec.ts";
import type { ProcessesContext } from "./context.ts";

const HEADER_BYTES = 16;
/** What nobody asks for within this time is forgotten. */
const KEPT_MS = 5_000;
const MOST_KEPT = 1_024;
const utf8 = new TextDecoder();

/** Executions that audit records told of, for processes that were gone when they were read. */
export interface AuditWitness {
  /** What the records say of a process that executed a program just now; told once. */
  factsOf(processId: number): ProcessFacts | undefined;
  /** Takes the records that wait. */
  readNow(): void;
  stop(): void;
}

/**
 * Listens to audit records. The kernel writes those of executions only where somebody else set a rule for
 * execve: the agent sets none, for rules belong to whoever runs the audit daemon. `onExec` is called for each
 * execution. Errors: `not-permitted` without CAP_AUDIT_READ. Source: audit.rules(7), linux/audit.h.
 */
export function listenToAudit(
  context: ProcessesContext,
  onExec: (facts: ProcessFacts, occurredAtMs: number) => void,
): Result<AuditWitness> {
  const { probe, clock, agent } = context;
  const assembler = createExecAssembler();
  const kept = new Map<number, { readonly facts: ProcessFacts; readonly untilMs: number }>();

  function keep(facts: ProcessFacts): void {
    kept.delete(facts.processId);
    kept.set(facts.processId, { facts, untilMs: clock.monotonicMs() + KEPT_MS });
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
  }

  const opened = probe.listen("audit", {
    onDatagram(bytes) {
      if (bytes.length < HEADER_BYTES) return;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const type = view.getUint16(4, probe.endianness === "LE");
      const exec = assembler.take(type, utf8.decode(bytes.subarray(HEADER_BYTES)));
      if (exec === undefined) return;
      const facts = factsFrom(exec);
      keep(facts);
      onExec(facts, exec.timeMs);
    },
    onOverrun: (lost) => agent.countLoss("ProcessCreate", "audit-overrun", lost ?? 0),
    onEnd: () => undefined,
  });
  if (!opened.ok) return opened;
  return ok({
    factsOf(processId) {
      const found = kept.get(processId);
      kept.delete(processId);
      return found === undefined || found.untilMs < clock.monotonicMs() ? undefined : found.facts;
    },
    readNow: () => {
      opened.value.readNow();
    },
    stop: () => opened.value.stop(),
  });
}

function factsFrom(exec: AuditedExec): ProcessFacts {
  const { processId, parentProcessId, userId, executable, args } = exec;
  return {
    ...{ processId, parentProcessId, userId, executable, args },
    name: undefined,
    isExecutableDeleted: false,
    hasEnded: false,
    unit: undefined,
    userUnit: undefined,
    container: undefined,
  };
}
