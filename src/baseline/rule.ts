import type { Check } from "./check.ts";

/** How much a failure matters. */
export type Severity = "Critical" | "Important" | "Warning" | "Informational";

/**
 * What a rule costs to judge: `light` a few small reads; `shared` a parse that many rules share; `walk` a
 * bounded walk (logs, homes, PATH); `full-walk` the one walk over all local file systems.
 */
export type RuleCost = "light" | "shared" | "walk" | "full-walk";

/** One control. Data only: it is compiled to JSON, and custom rules are read from JSON of the same form. */
export interface Rule {
  /** Number of the control, such as `1.1.1.1`; custom rules have ids of their own. */
  readonly id: string;
  /** What must be so, in a few words. */
  readonly title: string;
  /** Why it matters: a sentence or two. */
  readonly rationale: string;
  /** What to do about a failure, with the exact lines or commands. */
  readonly remediation: string;
  /** Profile level for servers. */
  readonly level: 1 | 2;
  /** Profile level for workstations; absent where the control is not for them. */
  readonly workstationLevel?: 1 | 2;
  /** Whether the benchmark counts it. */
  readonly isScored: boolean;
  readonly severity: Severity;
  /** Name of the section, by which a group of rules is disabled. */
  readonly group: string;
  readonly cost: RuleCost;
  /** The rule is about a thing that may not be there: unless this passes, it does not apply. */
  readonly appliesWhen?: Check;
  /** What a reader is told when it does not apply. */
  readonly otherwise?: string;
  readonly check: Check;
}
