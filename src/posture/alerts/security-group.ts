import type { Fault } from "../../contract/schema.ts";

/** What every rule has. */
interface RuleBase {
  /** Where it stood in what was read, such as `properties.timeWindowRules[0]`. */
  readonly path: string;
  readonly ruleType: string;
  readonly isEnabled: boolean;
  /** Words of the service, where the export has them. */
  readonly displayName?: string;
  readonly description?: string;
}

/** Counts per window of time; both thresholds belong to the allowed range. */
export interface TimeWindowRule extends RuleBase {
  readonly minThreshold: number;
  readonly maxThreshold: number;
  readonly timeWindowMs: number;
}

/** What is not on the list is an alert. */
export interface AllowlistRule extends RuleBase {
  readonly allowlistValues: readonly string[];
}

/** A rule or key that is taken note of and not judged. */
export interface Mention {
  readonly path: string;
  /** The rule type or key as written, cut at 80 characters. */
  readonly name: string;
}

/** One device security group with all rules of known types, enabled or not. */
export interface SecurityGroup {
  /** Last part of the resource's name; devices belong to it by the twin tag `SecurityGroup`. */
  readonly name: string;
  /** Name of the hub, where the resource id tells. */
  readonly hub?: string;
  readonly timeWindowRules: readonly TimeWindowRule[];
  readonly allowlistRules: readonly AllowlistRule[];
  /** Rules of the lists above that only somebody who sees the hub can judge. */
  readonly hubOnly: readonly Mention[];
  /** Rules of unknown types and unknown keys. */
  readonly unknown: readonly Mention[];
}

/** What an export holds: all of its groups, or what is wrong with it and no group at all. */
export type SecurityGroupReading =
  | { readonly ok: true; readonly groups: readonly SecurityGroup[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };
