import type { AddressFamily } from "../../contract/address-family.ts";
import type {
  BaseChain,
  Condition,
  Firewall,
  FirewallChain,
  FirewallHook,
  FirewallTable,
  RuleAction,
} from "../../contract/firewall.ts";

/** A base chain that packets of one family pass, with the chains that it can jump to. */
export interface PlacedChain {
  readonly chain: FirewallChain;
  readonly base: BaseChain;
  readonly table: FirewallTable;
}

/** A rule as it is met from a base chain: with the conditions of the jumps that lead to it. */
export interface RuleOnPath {
  readonly conditions: readonly Condition[];
  readonly action: RuleAction;
  /** The rule in the language of its backend. */
  readonly text: string;
}

/** What becomes of a packet that no condition singles out. */
export type DefaultVerdict = "accepted" | "denied" | "unknown";

const MOST_JUMPS = 32;
const MOST_RULES = 50_000;

function isOfFamily(table: FirewallTable, family: AddressFamily): boolean {
  return table.family === "inet" || table.family === (family === "ipv4" ? "ip" : "ip6");
}

/** Filter chains of a hook in the order in which they are called. */
export function filterChains(
  firewall: Firewall,
  family: AddressFamily,
  hook: FirewallHook,
): readonly PlacedChain[] {
  const placed: PlacedChain[] = [];
  for (const table of firewall.tables) {
    if (table.isDormant || !isOfFamily(table, family)) continue;
    for (const chain of table.chains) {
      const { base } = chain;
      if (base?.hook === hook && base.type !== "nat") placed.push({ chain, base, table });
    }
  }
  return placed.sort((one, other) => one.base.priority - other.base.priority);
}

function chainNamed(table: FirewallTable, name: string): FirewallChain | undefined {
  return table.chains.find((chain) => chain.name === name);
}

function endOf(
  chain: FirewallChain,
  table: FirewallTable,
  depth: number,
): DefaultVerdict | undefined {
  if (depth > MOST_JUMPS) return "unknown";
  for (const { conditions, action } of chain.rules) {
    if (conditions.length > 0) continue;
    switch (action.kind) {
      case "accept":
        return "accepted";
      case "drop":
      case "reject":
        return "denied";
      case "return":
        return undefined;
      case "other":
        return "unknown";
      case "jump":
      case "goto": {
        const target = chainNamed(table, action.chain);
        const end = target === undefined ? "unknown" : endOf(target, table, depth + 1);
        if (end !== undefined || action.kind === "goto") return end;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** What a chain does with what no rule singles out: its first rule without conditions, or its policy. */
export function defaultVerdict({ chain, base, table }: PlacedChain): DefaultVerdict {
  return endOf(chain, table, 0) ?? (base.policy === "drop" ? "denied" : "accepted");
}

function collect(
  chain: FirewallChain,
  table: FirewallTable,
  before: readonly Condition[],
  depth: number,
  into: RuleOnPath[],
): boolean {
  if (depth > MOST_JUMPS) return false;
  for (const { conditions, action, text } of chain.rules) {
    const all = [...before, ...conditions];
    const steps =
      action.kind === "verdict-map"
        ? action.entries.map((entry) => ({
            conditions: [...all, ...entry.conditions],
            action: entry.action,
            text,
          }))
        : [{ conditions: all, action, text }];
    for (const step of steps) {
      if (into.length >= MOST_RULES) return false;
      into.push(step);
      if (step.action.kind !== "jump" && step.action.kind !== "goto") continue;
      const target = chainNamed(table, step.action.chain);
      if (target === undefined) continue;
      if (!collect(target, table, step.conditions, depth + 1, into)) return false;
    }
  }
  return true;
}

/** Every rule that a base chain leads to, in order; undefined where there are too many to look at. */
export function rulesOnPath({ chain, table }: PlacedChain): readonly RuleOnPath[] | undefined {
  const rules: RuleOnPath[] = [];
  return collect(chain, table, [], 0, rules) ? rules : undefined;
}
