import type {
  BaseChain,
  Firewall,
  FirewallBackend,
  FirewallChain,
  FirewallHook,
  FirewallRule,
  FirewallTable,
} from "../../contract/firewall.ts";
import type {
  NftBase,
  NftChain,
  NftReading,
  NftRule,
  NftSet,
  NftStatement,
  NftTable,
} from "../nft-json/model.ts";
import { writtenSets } from "../nft-json/written-sets.ts";
import { rulesFrom } from "./from-nft-rule.ts";
import { IPTABLES_HOOKS, isIptablesTable } from "./iptables-tables.ts";

const HOOKS: ReadonlyMap<string, FirewallHook> = new Map([
  ["ingress", "ingress"],
  ["prerouting", "prerouting"],
  ["input", "input"],
  ["forward", "forward"],
  ["output", "output"],
  ["postrouting", "postrouting"],
  ["egress", "egress"],
]);

/** The same rule as another tool shows it: of `count` rules in the chain the one at `position`, from 0. */
export type RuleSubstitute = (
  rule: NftRule,
  position: number,
  count: number,
) => FirewallRule | undefined;

/**
 * The rule set in the common model. `isComplete` is that of the reading. Each rule is asked of
 * `substitute`: its text is taken, and all of it where nft knows a match by name alone (`xt`).
 * Source: libnftables-json(5).
 */
export function firewallFromNft(
  reading: NftReading,
  substitute: RuleSubstitute = () => undefined,
): Firewall {
  const { ruleset } = reading;
  const chains = groupBy(ruleset.chains, placeKey);
  const rules = groupBy(ruleset.rules, (rule) => `${placeKey(rule)} ${rule.chain}`);
  const sets = groupBy(ruleset.sets, placeKey);
  const tableRules = groupBy(ruleset.rules, placeKey);
  const tables = ruleset.tables.map((table) => {
    const key = `${table.family} ${table.name}`;
    const scope = {
      sets: new Map((sets.get(key) ?? []).map((set: NftSet) => [set.name, set])),
      written: writtenSets(tableRules.get(key) ?? []),
      tests: new Map(),
    };
    const own = chains.get(key) ?? [];
    const lower = (name: string): readonly FirewallRule[] => {
      const list = rules.get(`${key} ${name}`) ?? [];
      return list.flatMap((rule, at) => {
        const other = substitute(rule, at, list.length);
        if (other !== undefined && rule.statements.some(isExtension)) return [other];
        const rules = rulesFrom(rule, scope);
        return other === undefined ? rules : rules.map((one) => ({ ...one, text: other.text }));
      });
    };
    return tableFrom(table, own, lower);
  });
  return { tables, isComplete: reading.isComplete };
}

function isExtension(statement: NftStatement): boolean {
  return typeof statement !== "string" && statement["xt"] !== undefined;
}

function placeKey({ family, table }: { readonly family: string; readonly table: string }): string {
  return `${family} ${table}`;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function tableFrom(
  table: NftTable,
  chains: readonly NftChain[],
  rulesOf: (chain: string) => readonly FirewallRule[],
): FirewallTable {
  return {
    backend: backendOf(table, chains),
    family: table.family,
    name: table.name,
    isDormant: table.flags.includes("dormant"),
    chains: chains.map((chain) => chainFrom(chain, rulesOf(chain.name))),
  };
}

/** A table that looks like one of iptables in every base chain is one: nft shows no other sign of it. */
function backendOf(table: NftTable, chains: readonly NftChain[]): FirewallBackend {
  const isNamed = isIptablesTable(table.family, table.name);
  const bases = chains.filter((chain) => chain.base !== undefined);
  const isAlike = bases.every((chain) => IPTABLES_HOOKS.get(chain.name) === chain.base?.hook);
  return isNamed && bases.length > 0 && isAlike ? "iptables-nft" : "nftables";
}

function chainFrom(chain: NftChain, rules: readonly FirewallRule[]): FirewallChain {
  const base = chain.base === undefined ? undefined : baseFrom(chain.base);
  return {
    name: chain.name,
    ...(base === undefined ? {} : { base }),
    rules,
  };
}

function baseFrom(base: NftBase): BaseChain | undefined {
  const hook = HOOKS.get(base.hook);
  if (hook === undefined) return undefined;
  return {
    hook,
    priority: base.priority,
    type: base.type === "nat" || base.type === "route" ? base.type : "filter",
    policy: base.policy === "drop" ? "drop" : "accept",
    devices: base.devices,
  };
}
