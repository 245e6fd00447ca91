import type { FirewallHook } from "../../contract/firewall.ts";

/** Hooks of the built-in chains of iptables, by name. */
export const IPTABLES_HOOKS: ReadonlyMap<string, FirewallHook> = new Map([
  ["PREROUTING", "prerouting"],
  ["INPUT", "input"],
  ["FORWARD", "forward"],
  ["OUTPUT", "output"],
  ["POSTROUTING", "postrouting"],
]);

/** Source: enum nf_ip_hook_priorities, netfilter_ipv4.h; the nat table has two, by hook. */
const PRIORITIES: ReadonlyMap<string, number> = new Map([
  ["raw", -300],
  ["mangle", -150],
  ["filter", 0],
  ["security", 50],
]);
const PRIORITY_DESTINATION_NAT = -100;
const PRIORITY_SOURCE_NAT = 100;

/** True for the tables that iptables keeps. Source: xtables_ipv4 of iptables/nft.c. */
export function isIptablesTable(family: string, name: string): family is "ip" | "ip6" {
  return (family === "ip" || family === "ip6") && (name === "nat" || PRIORITIES.has(name));
}

/** Priority of a built-in chain at its hook; undefined for a table that iptables does not have. */
export function iptablesPriority(table: string, hook: FirewallHook): number | undefined {
  if (table !== "nat") return PRIORITIES.get(table);
  const isSourceSide = hook === "input" || hook === "postrouting";
  return isSourceSide ? PRIORITY_SOURCE_NAT : PRIORITY_DESTINATION_NAT;
}
