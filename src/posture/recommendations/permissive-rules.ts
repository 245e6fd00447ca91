import type { RangeSet } from "../exposure/range-set.ts";
import { type FirewallFacts, missingOfFirewall } from "./firewall-facts.ts";
import { addressesText, portsText } from "./range-text.ts";
import type { Direction, InterfaceSet } from "./rule-box.ts";
import { type Verdict, verdictOf } from "./verdict.ts";
import {
  findWideRules,
  WIDTH_THRESHOLDS,
  type WideRule,
  type WideRules,
  type WidthThresholds,
} from "./wide-rules.ts";

/**
 * IoT_PermissiveInputFirewallRules: a rule lets new connections in from a wide range of addresses, or to a
 * wide range of ports. Unknown where nothing wide is found and part of the rules could not be seen or
 * decided. What counts is in README.md. Cost: linear in the rules.
 */
export function judgeInputRules(
  facts: FirewallFacts | undefined,
  thresholds: WidthThresholds = WIDTH_THRESHOLDS,
): Verdict {
  return judge("IoT_PermissiveInputFirewallRules", "input", facts, thresholds);
}

/** IoT_PermissiveOutputFirewallRules: the same of new connections that the device opens. */
export function judgeOutputRules(
  facts: FirewallFacts | undefined,
  thresholds: WidthThresholds = WIDTH_THRESHOLDS,
): Verdict {
  return judge("IoT_PermissiveOutputFirewallRules", "output", facts, thresholds);
}

function judge(
  type: "IoT_PermissiveInputFirewallRules" | "IoT_PermissiveOutputFirewallRules",
  direction: Direction,
  facts: FirewallFacts | undefined,
  thresholds: WidthThresholds,
): Verdict {
  if (facts === undefined)
    return verdictOf(type, { state: "unknown", missing: missingOfFirewall(facts) });
  const rules = findWideRules(facts.firewall, direction, thresholds);
  const missing = [...missingOfFirewall(facts), ...missingOfRules(rules)];
  const isUnhealthy = rules.found.length > 0;
  return verdictOf(type, {
    state: isUnhealthy ? "unhealthy" : missing.length > 0 ? "unknown" : "healthy",
    count: rules.found.length,
    evidence: (isUnhealthy ? rules.found : rules.doubtful).map(recordOf),
    missing,
  });
}

function missingOfRules({ doubtful, isWhole }: WideRules): readonly string[] {
  const whole = isWhole ? [] : ["the end of the rules: they are too many to follow"];
  const doubts = doubtful.map(
    ({ rule, box }) => `which packets "${rule.text}" accepts: ${box.doubt ?? ""} decides`,
  );
  return [...whole, ...doubts];
}

function recordOf(wide: WideRule): Readonly<Record<string, string | number | undefined>> {
  const { table, chain, position, rule, box } = wide;
  return {
    backend: table.backend,
    family: table.family,
    table: table.name,
    chain: chain.name,
    position,
    wide: [
      ...(wide.hasWideAddresses ? ["addresses"] : []),
      ...(wide.hasWidePorts ? ["ports"] : []),
    ].join(" and "),
    sourceAddress: addressesText(box.family, box.source),
    sourcePort: portsText(box.sourcePort),
    destinationAddress: addressesText(box.family, box.destination),
    destinationPort: portsText(box.destinationPort),
    protocol: protocolText(box.protocol),
    interface: interfaceText(box.interface),
    rule: rule.text,
  };
}

const PROTOCOL_NAMES: ReadonlyMap<bigint, string> = new Map([
  [6n, "tcp"],
  [17n, "udp"],
  [132n, "sctp"],
]);

function protocolText(set: RangeSet): string | undefined {
  const [first, ...others] = set;
  if (first === undefined || (first.from === 0n && first.to === 255n)) return undefined;
  if (others.length > 0 || first.from !== first.to)
    return set.map(({ from, to }) => (from === to ? nameOf(from) : `${from}-${to}`)).join(",");
  return nameOf(first.from);
}

function nameOf(protocol: bigint): string {
  return PROTOCOL_NAMES.get(protocol) ?? `${protocol}`;
}

function interfaceText(set: InterfaceSet | undefined): string | undefined {
  if (set === undefined) return undefined;
  const names = set.names.join(",");
  return set.isNegated ? `not ${names}` : names;
}
