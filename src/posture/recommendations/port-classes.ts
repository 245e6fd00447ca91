import type {
  Condition,
  Firewall,
  FirewallChain,
  FirewallRule,
  NumberRange,
  RuleAction,
} from "../../contract/firewall.ts";
import { mergeSources, type SourceRule, sourceRule } from "./merge-sources.ts";

/**
 * Ports that every rule treats alike, and for each class the rules that may concern it. With thousands of
 * sockets and rules, most questions have been answered before, and the others have few rules to pass.
 */
export interface PortClasses {
  /** The same for ports that no rule tells apart, however far from each other. */
  classOf(port: number): string;
  /**
   * The firewall without rules that cannot match a packet to the port, and with rows of rules that differ
   * in sources merged. The places of rules change.
   */
  firewallFor(port: number): PortFirewall;
}

/** The rules that may concern a class of ports. */
export interface PortFirewall {
  readonly firewall: Firewall;
  /** Rules and entries of maps that had to be looked at. */
  readonly cost: number;
}

/** A rule for more ports is kept for all. */
const MOST_PORTS = 16;

interface IndexedChain {
  readonly chain: FirewallChain;
  /** Places of rules for any port, and of those for some ports by port; ascending. */
  readonly general: readonly number[];
  readonly byPort: ReadonlyMap<number, readonly number[]>;
}

/** Cost: linear in the rules. */
export function portClasses(firewall: Firewall): PortClasses {
  const bounds = new Set<number>();
  const natPorts = new Set<number>();
  const tables = firewall.tables.map((table) => ({
    table,
    chains: table.chains.map((chain) => indexChain(chain, { bounds, natPorts })),
  }));
  const forms = new Map<FirewallRule, SourceRule | undefined>();
  const formOf = (rule: FirewallRule): SourceRule | undefined => {
    if (!forms.has(rule)) forms.set(rule, sourceRule(rule));
    return forms.get(rule);
  };
  const sorted = Float64Array.from(bounds).sort();
  return {
    classOf(port) {
      const special = tables.map(({ chains }) =>
        chains.map(({ byPort }) => byPort.get(port)?.join() ?? "").join(";"),
      );
      return `${countUpTo(sorted, port)} ${special.join("/")}`;
    },
    firewallFor(port) {
      let cost = 0;
      const mergedOf = (indexed: IndexedChain): FirewallChain => {
        const chain = chainFor([port, ...natPorts], indexed);
        cost += chain.rules.reduce((sum, rule) => sum + weightOf(rule), 0);
        return { ...chain, rules: mergeSources(chain.rules, formOf) };
      };
      const parts = tables.map(({ table, chains }) => ({ ...table, chains: chains.map(mergedOf) }));
      return { firewall: { ...firewall, tables: parts }, cost };
    },
  };
}

/** A map asks once per entry. */
function weightOf({ action }: FirewallRule): number {
  return action.kind === "verdict-map" ? 1 + action.entries.length : 1;
}

interface Found {
  /** Where a class begins. */
  readonly bounds: Set<number>;
  /** Ports that NAT may turn the port into. */
  readonly natPorts: Set<number>;
}

function indexChain(chain: FirewallChain, found: Found): IndexedChain {
  const general: number[] = [];
  const byPort = new Map<number, number[]>();
  for (const [place, rule] of chain.rules.entries()) {
    const special = fewPorts(rule);
    // What a rule for few ports asks of them is told by its place among the rules for each of them.
    const others = rule.conditions.filter((condition) => condition !== special?.condition);
    noteConditions(others, found);
    noteAction(rule.action, found);
    if (special === undefined) general.push(place);
    for (const port of special?.ports ?? []) {
      const places = byPort.get(port);
      if (places === undefined) byPort.set(port, [place]);
      else places.push(place);
    }
  }
  return { chain, general, byPort };
}

function noteConditions(conditions: readonly Condition[], found: Found): void {
  for (const condition of conditions) {
    if (condition.kind === "any-of") {
      for (const all of condition.alternatives) noteConditions(all, found);
    }
    if (condition.kind !== "port" || condition.side === "source") continue;
    for (const range of condition.ranges) noteBounds(range, found);
  }
}

function noteBounds({ from, to }: NumberRange, { bounds }: Found): void {
  bounds.add(from);
  bounds.add(to + 1);
}

function noteAction(action: RuleAction, found: Found): void {
  if (action.kind === "destination-nat" && action.ports !== undefined) {
    const { from } = action.ports;
    // A port that NAT names is a class of its own: an answer says whether NAT chose the port.
    noteBounds({ from, to: from }, found);
    found.natPorts.add(from);
  }
  if (action.kind !== "verdict-map") return;
  for (const { conditions, action: then } of action.entries) {
    noteConditions(conditions, found);
    noteAction(then, found);
  }
}

interface FewPorts {
  /** The one that says so. */
  readonly condition: Condition;
  readonly ports: readonly number[];
}

/** The few ports that a rule is for; undefined: it may be for others too. */
function fewPorts({ conditions }: FirewallRule): FewPorts | undefined {
  for (const condition of conditions) {
    if (condition.kind !== "port" || condition.side !== "destination" || condition.isNegated)
      continue;
    const count = condition.ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    if (count > MOST_PORTS) continue;
    const ports = condition.ranges.flatMap(({ from, to }) =>
      Array.from({ length: Math.max(to - from + 1, 0) }, (_, at) => from + at),
    );
    return { condition, ports: [...new Set(ports)] };
  }
  return undefined;
}

function chainFor(
  ports: readonly number[],
  { chain, general, byPort }: IndexedChain,
): FirewallChain {
  if (byPort.size === 0) return chain;
  const special = ports.flatMap((port) => byPort.get(port) ?? []);
  const places = [...new Set([...general, ...special])].sort((a, b) => a - b);
  return {
    ...chain,
    rules: places.flatMap((place) => {
      const rule = chain.rules[place];
      return rule === undefined ? [] : [rule];
    }),
  };
}

/** How many of the ascending bounds are at or below a value. */
function countUpTo(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
