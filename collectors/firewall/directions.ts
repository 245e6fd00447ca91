import type { FirewallHook, FirewallTable, RuleAction } from "../../src/contract/firewall.ts";

export type Direction = "In" | "Out";

/**
 * Direction of the chains of a table that decide whether a packet reaches the device or leaves it: base
 * chains of `input` and `output`, and user chains that are reached from one of the two alone. The other
 * tables of iptables (mangle, raw, nat, security) mark and rewrite: their accept does not let anything in.
 */
export function directionsOf(table: FirewallTable): ReadonlyMap<string, Direction> {
  const hooks = new Map<string, Set<FirewallHook>>();
  for (const chain of table.chains) {
    if (chain.base !== undefined) spread(chain.name, chain.base.hook, table, hooks);
  }
  const directions = new Map<string, Direction>();
  for (const chain of table.chains) {
    const [hook, ...others] = hooks.get(chain.name) ?? [];
    const isFilter = chain.base === undefined || chain.base.type === "filter";
    if (others.length > 0 || !isFilter || !isDecisive(table)) continue;
    if (hook === "input") directions.set(chain.name, "In");
    if (hook === "output") directions.set(chain.name, "Out");
  }
  return directions;
}

function isDecisive(table: FirewallTable): boolean {
  return table.backend === "nftables" || table.name === "filter";
}

/** Notes the hook at a chain and all chains that it leads to, each once. */
function spread(
  start: string,
  hook: FirewallHook,
  table: FirewallTable,
  hooks: Map<string, Set<FirewallHook>>,
): void {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const waiting = [start];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const known = hooks.get(name) ?? new Set();
    if (known.has(hook)) continue;
    hooks.set(name, known.add(hook));
    for (const rule of chains.get(name)?.rules ?? []) waiting.push(...targetsOf(rule.action));
  }
}

function targetsOf(action: RuleAction): readonly string[] {
  if (action.kind === "jump" || action.kind === "goto") return [action.chain];
  if (action.kind === "verdict-map")
    return action.entries.flatMap(({ action }) => targetsOf(action));
  return [];
}
