import type {
  BaseChain,
  Firewall,
  FirewallBackend,
  FirewallChain,
  FirewallHook,
  FirewallRule,
  FirewallTable,
} from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import type {
  IptablesChain,
  IptablesRule,
  IptablesSave,
  IptablesTable,
} from "../iptables-save/model.ts";
import { printIptablesRule } from "../iptables-save/print-iptables-save.ts";
import { iptablesAction } from "./from-iptables-actions.ts";
import { iptablesConditions } from "./from-iptables-conditions.ts";
import { IPTABLES_HOOKS, iptablesPriority } from "./iptables-tables.ts";

/** Which program wrote the text: iptables-save (`ipv4`) or ip6tables-save (`ipv6`), and its variant. */
export interface IptablesSource {
  readonly backend: Exclude<FirewallBackend, "nftables">;
  readonly family: AddressFamily;
}

/**
 * The tables of a save as the common model. `isComplete` is that of the save, and false too where a
 * built-in chain is none of the five that iptables has: it stays without a base, and nothing calls it.
 * A save that leaves out tables that only nft can show is not complete; whoever reads those as well may
 * look at the problems of the save instead.
 * Source: iptables(8), iptables-extensions(8).
 */
export function firewallFromIptables(save: IptablesSave, source: IptablesSource): Firewall {
  let isComplete = save.isComplete;
  const tables = save.tables.map((table): FirewallTable => {
    const chains = chainsOf(table, source);
    const isPlaced = (chain: IptablesChain, at: number) =>
      chain.policy === null || chains[at]?.base !== undefined;
    isComplete &&= table.chains.every(isPlaced);
    return {
      backend: source.backend,
      family: source.family === "ipv4" ? "ip" : "ip6",
      name: table.name,
      isDormant: false,
      chains,
    };
  });
  return { tables, isComplete };
}

function chainsOf(table: IptablesTable, source: IptablesSource): readonly FirewallChain[] {
  const userChains = new Set(
    table.chains.filter((chain) => chain.policy === null).map((chain) => chain.name),
  );
  return table.chains.map((chain): FirewallChain => {
    const base = baseOf(table.name, chain);
    const rules = chain.rules.map((rule) => ruleOf(chain.name, rule, userChains, source.family));
    return base === undefined ? { name: chain.name, rules } : { name: chain.name, base, rules };
  });
}

function baseOf(tableName: string, chain: IptablesChain): BaseChain | undefined {
  const hook = IPTABLES_HOOKS.get(chain.name);
  if (hook === undefined || chain.policy === null) return undefined;
  const priority = iptablesPriority(tableName, hook);
  if (priority === undefined) return undefined;
  return {
    hook,
    priority,
    type: typeOf(tableName, hook),
    policy: chain.policy === "DROP" ? "drop" : "accept",
    devices: [],
    ...(chain.counters === undefined ? {} : { counters: chain.counters }),
  };
}

function typeOf(tableName: string, hook: FirewallHook): BaseChain["type"] {
  if (tableName === "nat") return "nat";
  return tableName === "mangle" && hook === "output" ? "route" : "filter";
}

function ruleOf(
  chain: string,
  rule: IptablesRule,
  userChains: ReadonlySet<string>,
  family: AddressFamily,
): FirewallRule {
  const comment = commentOf(rule);
  return {
    conditions: iptablesConditions(rule, family),
    action: iptablesAction(rule.target, { family, chain, userChains }),
    // A comment may hold line breaks; the text is one line.
    text: printIptablesRule(chain, rule).replace(/[\r\n]+/g, " "),
    ...(comment === undefined ? {} : { comment }),
    ...(rule.counters === undefined ? {} : { counters: rule.counters }),
  };
}

/** All comments of a rule; the first alone could hide the others. */
function commentOf(rule: IptablesRule): string | undefined {
  const comments = rule.matches
    .filter((match) => match.module === "comment")
    .flatMap((match) => match.options)
    .filter((option) => option.name === "--comment")
    .flatMap((option) => option.values);
  return comments.length === 0 ? undefined : comments.join("; ");
}
