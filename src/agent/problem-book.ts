import type { DiagnosticFinding } from "../contract/agent-facts.ts";
import type { Problem } from "../contract/result.ts";

/** At most this many problems of one run are told one by one. */
const TOLD_LIMIT = 8;

/**
 * What each collector could not read, told once per state change: a problem when it appears, and one
 * line when all of a collector's problems are gone.
 */
export interface ProblemBook {
  /** Replaces the collector's problems by those of its latest run. */
  update(collector: string, problems: readonly Problem[]): void;
  of(collector: string): readonly Problem[];
}

export function createProblemBook(tell: (finding: DiagnosticFinding) => void): ProblemBook {
  const current = new Map<string, readonly Problem[]>();
  return {
    update(collector, problems) {
      const before = new Set((current.get(collector) ?? []).map(keyOf));
      current.set(collector, problems);
      const fresh = problems.filter((problem) => !before.has(keyOf(problem)));
      for (const problem of fresh.slice(0, TOLD_LIMIT)) tell(findingOf(collector, problem));
      if (fresh.length > TOLD_LIMIT) tell(furtherFinding(collector, fresh.length - TOLD_LIMIT));
      if (before.size > 0 && problems.length === 0) tell(clearedFinding(collector));
    },
    of: (collector) => current.get(collector) ?? [],
  };
}

/** The detail may count things that differ from run to run, so it is no part of the identity. */
function keyOf(problem: Problem): string {
  return `${problem.code} ${problem.subject}`;
}

function findingOf(collector: string, problem: Problem): DiagnosticFinding {
  return {
    severity: "Warning",
    message: `${collector} could not read everything: ${problem.detail}`,
    details: { Collector: collector, Code: problem.code, Subject: problem.subject },
  };
}

function furtherFinding(collector: string, count: number): DiagnosticFinding {
  return {
    severity: "Warning",
    message: `${collector} met ${count} further problems`,
    details: { Collector: collector },
  };
}

function clearedFinding(collector: string): DiagnosticFinding {
  return {
    severity: "Information",
    message: `${collector} reads everything again`,
    details: { Collector: collector },
  };
}
