import type { AddressFamily } from "../../contract/probe.ts";
import type { RuleReference } from "./query.ts";
import { isSame, type RangeSet, union } from "./range-set.ts";

/** Rules met so far, the latest first. */
export interface Trace {
  readonly rule: RuleReference;
  readonly before: Trace | undefined;
  readonly length: number;
}

/** Where a packet is going. An undefined address is one of the device that is not known. */
export interface Destination {
  readonly address: bigint | undefined;
  readonly port: number;
}

/**
 * A class of packets that share a fate so far: every first packet of a connection whose source address
 * is in `sources` and whose source port is in `sourcePorts`.
 */
export interface Flow {
  readonly family: AddressFamily;
  readonly protocol: number;
  readonly sources: RangeSet;
  readonly sourcePorts: RangeSet;
  readonly destination: Destination;
  /** Before DNAT. */
  readonly originalDestination: Destination;
  readonly isDestinationTranslated: boolean;
  /** False once a rule took the packet out of connection tracking. */
  readonly isTracked: boolean;
  /** Undefined: not known. `""`: none yet. */
  readonly inInterface: string | undefined;
  readonly outInterface: string | undefined;
  readonly mark: number;
  readonly trace: Trace | undefined;
  /** Rules on the way that may or may not have matched, at most 16. */
  readonly doubts: readonly RuleReference[];
}

/** How many rules a trace keeps before the oldest are left out of answers. */
const LONGEST_TRACE = 64;
const MOST_DOUBTS = 16;

/** The trace with one more rule. */
export function addRule(trace: Trace | undefined, rule: RuleReference): Trace {
  return { rule, before: trace, length: (trace?.length ?? 0) + 1 };
}

/** The rules of a trace, first met first, at most the last 64, each once. */
export function rulesOf(trace: Trace | undefined): readonly RuleReference[] {
  const rules: RuleReference[] = [];
  for (let at = trace; at !== undefined && rules.length < LONGEST_TRACE; at = at.before) {
    if (!rules.includes(at.rule)) rules.push(at.rule);
  }
  return rules.reverse();
}

/** Remembers a rule that may or may not have matched. */
export function addDoubts(
  doubts: readonly RuleReference[],
  more: readonly RuleReference[],
): readonly RuleReference[] {
  const fresh = more.filter((rule) => !doubts.includes(rule));
  if (fresh.length === 0) return doubts;
  return [...doubts, ...fresh].slice(0, MOST_DOUBTS);
}

/** True when no packet is in it. */
export function isEmpty(flow: Flow): boolean {
  return flow.sources.length === 0 || flow.sourcePorts.length === 0;
}

/**
 * Puts flows together that differ only in their sources, so that a list of single addresses does not
 * become a list of flows. The first one's trace speaks for all. Two flows of the same packets, made by a
 * rule that cannot be decided, become one here when they have come to the same point again.
 */
export function mergeFlows(flows: readonly Flow[]): readonly Flow[] {
  if (flows.length < 2) return flows;
  const merged: Flow[] = [];
  for (const flow of flows) {
    const at = merged.findIndex((other) => isAlike(flow, other));
    const alike = merged[at];
    if (alike === undefined) merged.push(flow);
    else {
      merged[at] = {
        ...alike,
        sources: union(alike.sources, flow.sources),
        doubts: addDoubts(alike.doubts, flow.doubts),
      };
    }
  }
  return merged;
}

/** Alike but for sources, trace and doubts: the rules ahead will treat them alike. */
function isAlike(left: Flow, right: Flow): boolean {
  return (
    left.mark === right.mark &&
    left.isTracked === right.isTracked &&
    left.inInterface === right.inInterface &&
    left.outInterface === right.outInterface &&
    left.isDestinationTranslated === right.isDestinationTranslated &&
    left.destination.address === right.destination.address &&
    left.destination.port === right.destination.port &&
    isSame(left.sourcePorts, right.sourcePorts)
  );
}
