import type { AgentFacts } from "../contract/agent-facts.ts";
import type { Ledger } from "../pipeline/ledger.ts";
import type { Spool } from "../pipeline/spool/spool-contract.ts";
import type { Findings } from "./findings.ts";
import type { LossBook } from "./loss-book.ts";

/** What collectors may ask of this agent. */
export function createAgentFacts(parts: {
  readonly processId: number;
  readonly findings: Findings;
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly losses: LossBook;
}): AgentFacts {
  return {
    processId: parts.processId,
    takeMessageCounts: () => parts.ledger.take(),
    takeQueueCounts: () => parts.losses.addTo(parts.spool.takeCounts()),
    countLoss: (name, reason, count) => parts.losses.count(name, reason, count),
    onConfigurationFinding: (listen) => parts.findings.configuration.subscribe(listen),
    onDiagnostic: (listen) => parts.findings.diagnostics.subscribe(listen),
  };
}
