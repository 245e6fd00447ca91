import type { Occurrence } from "./occurrence.ts";

/** What an occurrence means to a rule. `unknown`: it belongs here, and what decides is not told. */
export type Bearing =
  | { readonly bears: "no" }
  | { readonly bears: "unknown" }
  | { readonly bears: "yes"; readonly value: string };

/** The rule has nothing to do with it. */
export const BEARS_NOT: Bearing = { bears: "no" };
/** It belongs to the rule, and does not tell what decides. */
export const BEARS_UNKNOWN: Bearing = { bears: "unknown" };

/** How occurrences are measured for one rule type. Pure: who watches, and where, is not its concern. */
export interface Measure {
  readonly ruleType: string;
  /** Names of the events that it looks at. */
  readonly eventNames: readonly string[];
  /** Of a range rule the value is empty; of a list rule it is what must be on the list. */
  bearing(occurrence: Occurrence): Bearing;
  /** One line for the evidence, of any length; never a command line. */
  describe(occurrence: Occurrence): string;
  /** Of list rules: a test whether a value is on the list. */
  readonly matcher?: (allowlistValues: readonly string[]) => (value: string) => boolean;
}
