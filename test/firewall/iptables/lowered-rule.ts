/** Rules of iptables as the common model has them, and short words for what they ask. */
import assert from "node:assert/strict";
import type {
  Condition,
  Firewall,
  FirewallRule,
  RuleAction,
} from "../../../src/contract/firewall.ts";
import type { AddressFamily } from "../../../src/contract/probe.ts";
import { firewallFromIptables } from "../../../src/parse/firewall/from-iptables.ts";
import { parseIptablesSave } from "../../../src/parse/iptables-save/parse-iptables-save.ts";

export const CHAINS: Readonly<Record<string, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

export function firewallOf(text: string, family: AddressFamily = "ipv4"): Firewall {
  const save = parseIptablesSave(text);
  assert.deepEqual(save.problems, []);
  return firewallFromIptables(save, { backend: "iptables-legacy", family });
}

export function ruleOf(line: string, family: AddressFamily = "ipv4"): FirewallRule {
  const text = ["*nat", ":PREROUTING ACCEPT [0:0]", ":POSTROUTING ACCEPT [0:0]", ":user - [0:0]"];
  const { tables } = firewallOf([...text, line, "COMMIT", ""].join("\n"), family);
  const rules = tables.flatMap((table) => table.chains.flatMap((chain) => chain.rules));
  assert.equal(rules.length, 1);
  return rules[0] ?? assert.fail("no rule");
}

export function conditionsOf(asked: string, family: AddressFamily = "ipv4"): readonly Condition[] {
  return ruleOf(`-A user ${asked}`, family).conditions;
}

export function actionOf(
  target: string,
  chain = "user",
  family: AddressFamily = "ipv4",
): RuleAction {
  return ruleOf(`-A ${chain} ${target}`, family).action;
}

/** Short form of conditions: what the contract says, with `!` where negated. */
export function short(condition: Condition): string {
  const sign = condition.isNegated ? "!" : "";
  switch (condition.kind) {
    case "protocol":
      return `${sign}protocol ${rangesOf(condition.numbers)}`;
    case "port":
      return `${sign}port ${condition.side} ${rangesOf(condition.ranges)}`;
    case "address":
      return `${sign}address ${condition.side} ${rangesOf(condition.ranges)}`;
    case "interface":
      return `${sign}${condition.side} ${condition.names.join(",")}`;
    case "connection-state":
      return `${sign}state ${condition.states.join(",")}`;
    case "connection-direction":
      return `${sign}direction ${condition.direction}`;
    case "address-type":
      return `${sign}type ${condition.side} ${condition.types.join(",")}`;
    case "tcp-flags":
      return `${sign}flags ${condition.mask}/${condition.set}`;
    case "mark":
      return `${sign}mark ${condition.value}/${condition.mask}`;
    case "any-of":
      return `${sign}any (${condition.alternatives.map((all) => all.map(short).join(" and ")).join(") or (")})`;
    case "other":
      return `${sign}other ${condition.name}: ${condition.text}`;
    case "family":
      return `${sign}family ${condition.family}`;
  }
}

export function rangesOf(
  ranges: readonly { from: number | bigint; to: number | bigint }[],
): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(",");
}
