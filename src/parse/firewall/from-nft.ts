import type {
  BaseChain,
  Condition,
  Firewall,
  FirewallBackend,
  FirewallChain,
  FirewallHook,
  FirewallRule,
  FirewallTable,
  RuleAction,
  TrafficCounters,
} from "../../contract/firewall.ts";
import { isJsonObject, type JsonValue } from "../../contract/json.ts";
import type {
  NftBase,
  NftChain,
  NftReading,
  NftRule,
  NftSet,
  NftStatement,
  NftTable,
} from "../nft-json/model.ts";
import { printRule, printStatement } from "../nft-json/print-statement.ts";
import { writtenSets } from "../nft-json/written-sets.ts";
import { statementAction, unknownAction } from "./from-nft-actions.ts";
import { matchConditions, type NftScope, undecided } from "./from-nft-match.ts";

const HOOKS: ReadonlyMap<string, FirewallHook> = new Map([
  ["ingress", "ingress"],
  ["prerouting", "prerouting"],
  ["input", "input"],
  ["forward", "forward"],
  ["output", "output"],
  ["postrouting", "postrouting"],
  ["egress", "egress"],
]);
/** Base chains as iptables-nft makes them: chain, hook. Source: iptables/nft.c, xtables_ipv4. */
const IPTABLES_CHAINS: Readonly<Record<string, FirewallHook>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  FORWARD: "forward",
  OUTPUT: "output",
  POSTROUTING: "postrouting",
};
const IPTABLES_TABLES: ReadonlySet<string> = new Set([
  "filter",
  "nat",
  "mangle",
  "raw",
  "security",
]);
/** Statements that let a packet through or not, by rate, count or state: conditions that nobody foresees. */
const UNDECIDED: ReadonlySet<string> = new Set(["limit", "quota", "ct count", "meter"]);

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

/** Numbers of a counter change all the time, and have a field of their own. */
function withoutNumbers(statement: NftStatement): NftStatement {
  if (typeof statement === "string") return statement;
  const counter = statement["counter"];
  return isJsonObject(counter) && counter["map"] === undefined ? { counter: null } : statement;
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
  const isNamed =
    (table.family === "ip" || table.family === "ip6") && IPTABLES_TABLES.has(table.name);
  const bases = chains.filter((chain) => chain.base !== undefined);
  const isAlike = bases.every((chain) => IPTABLES_CHAINS[chain.name] === chain.base?.hook);
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

interface RuleParts {
  readonly conditions: Condition[];
  readonly effects: RuleAction[];
  readonly done: {
    conditions: readonly Condition[];
    effects: readonly RuleAction[];
    action: RuleAction;
  }[];
  counters: TrafficCounters | undefined;
  isEnded: boolean;
}

/** One rule, or several in the rare case that a condition stands behind an effect. */
function rulesFrom(rule: NftRule, scope: NftScope): readonly FirewallRule[] {
  const parts: RuleParts = {
    conditions: [],
    effects: [],
    done: [],
    counters: undefined,
    isEnded: false,
  };
  for (const statement of rule.statements) takeStatement(statement, parts, scope);
  const isOpen = parts.done.length === 0 || parts.effects.length > 0;
  if (!parts.isEnded && isOpen) {
    const { conditions, effects } = parts;
    parts.done.push({ conditions, effects, action: { kind: "continue" } });
  }
  const { counters } = parts;
  const text = printRule({ ...rule, statements: rule.statements.map(withoutNumbers) });
  return parts.done.map(({ conditions, effects, action }) => ({
    conditions,
    ...(effects.length === 0 ? {} : { effects }),
    action,
    text,
    ...(rule.comment === undefined ? {} : { comment: rule.comment }),
    ...(counters === undefined ? {} : { counters }),
  }));
}

function takeStatement(statement: NftStatement, parts: RuleParts, scope: NftScope): void {
  if (parts.isEnded) return;
  if (typeof statement === "string") {
    takeText(statement, parts);
    return;
  }
  const [entry] = Object.entries(statement);
  if (entry === undefined) return;
  const [name, value] = entry;
  if (name === "counter") {
    parts.counters = countersOf(value) ?? parts.counters;
    return;
  }
  const conditions = conditionsOf(name, value, scope);
  if (conditions !== undefined) {
    splitBefore(parts);
    parts.conditions.push(...conditions);
    return;
  }
  const action = statementAction(name, value, scope) ?? unknownAction(name, value);
  if (action.kind === "continue") return;
  if (action.kind === "set-mark" || action.kind === "untrack") {
    parts.effects.push(action);
    return;
  }
  const implied = name === "reject" ? rejectConditions(value) : [];
  parts.done.push({
    conditions: [...parts.conditions, ...implied],
    effects: [...parts.effects],
    action,
  });
  parts.effects.length = 0;
  // A map may leave packets over, which meet the statements behind it.
  parts.isEnded = action.kind !== "verdict-map" && action.kind !== "other";
}

/** `add @map { ip saddr : 22 }`, for which nft has no JSON; a limit in it makes it a condition. */
const PLAIN_WRITE = /^(?:add|update|delete) @\S+ \{(?!.* (?:limit|quota|ct count) ).*\}$/;

function takeText(text: string, parts: RuleParts): void {
  if (PLAIN_WRITE.test(text)) return;
  splitBefore(parts);
  parts.conditions.push(undecided("statement", text));
}

/** What a reject answers to, which nft leaves out of its JSON. Source: nft(8), reject statement. */
function rejectConditions(value: JsonValue): readonly Condition[] {
  const type = isJsonObject(value) ? value["type"] : undefined;
  if (type === "icmp") return [{ kind: "family", family: "ipv4", isNegated: false }];
  if (type === "icmpv6") return [{ kind: "family", family: "ipv6", isNegated: false }];
  if (type !== "tcp reset") return [];
  return [{ kind: "protocol", numbers: [{ from: 6, to: 6 }], isNegated: false }];
}

/** An effect applies by the conditions before it alone, so it becomes a rule of its own. */
function splitBefore(parts: RuleParts): void {
  if (parts.effects.length === 0) return;
  const effects = [...parts.effects];
  parts.done.push({ conditions: [...parts.conditions], effects, action: { kind: "continue" } });
  parts.effects.length = 0;
}

/** What the statement asks; undefined for one that acts. */
function conditionsOf(
  name: string,
  value: JsonValue,
  scope: NftScope,
): readonly Condition[] | undefined {
  if (name === "match") return isJsonObject(value) ? matchConditions(value, scope) : undefined;
  // Putting an element into a set asks nothing, unless a limit hangs on it.
  const isLimited = name === "set" && isJsonObject(value) && value["stmt"] !== undefined;
  if (UNDECIDED.has(name) || isLimited) return [undecided(name, printStatement({ [name]: value }))];
  const isXtMatch = name === "xt" && isJsonObject(value) && value["type"] !== "target";
  return isXtMatch ? [undecided("xt", `xt ${String(value["name"])}`)] : undefined;
}

function countersOf(value: JsonValue): TrafficCounters | undefined {
  if (!isJsonObject(value)) return undefined;
  const { packets, bytes } = { packets: value["packets"], bytes: value["bytes"] };
  if (typeof packets !== "number" || typeof bytes !== "number") return undefined;
  return { packets: BigInt(Math.trunc(packets)), bytes: BigInt(Math.trunc(bytes)) };
}
