import type {
  Condition,
  FirewallRule,
  RuleAction,
  TrafficCounters,
} from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftRule, NftStatement } from "../nft-json/model.ts";
import { printRule, printStatement } from "../nft-json/print-statement.ts";
import { statementAction, unknownAction } from "./from-nft-actions.ts";
import { impliedConditions, withoutKnown } from "./from-nft-implied.ts";
import { matchCondition, type NftScope, undecided } from "./from-nft-match.ts";

/** Statements that let a packet through or not, by rate, count or state: conditions that nobody foresees. */
const UNDECIDED: ReadonlySet<string> = new Set(["limit", "quota", "ct count", "meter"]);

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

/**
 * One rule, or several where a condition stands behind an effect or an action that may not end the way:
 * what stands before a statement guards it, nothing else does.
 */
export function rulesFrom(rule: NftRule, scope: NftScope): readonly FirewallRule[] {
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

/** Numbers of a counter change all the time, and have a field of their own. */
function withoutNumbers(statement: NftStatement): NftStatement {
  if (typeof statement === "string") return statement;
  const counter = statement["counter"];
  return isJsonObject(counter) && counter["map"] === undefined ? { counter: null } : statement;
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
  addConditions(parts, withoutKnown(impliedConditions(name, value), parts.conditions));
  if (name === "counter") {
    parts.counters = countersOf(value) ?? parts.counters;
    return;
  }
  const condition = conditionOf(name, value, scope);
  if (condition !== undefined) {
    addConditions(parts, [condition]);
    return;
  }
  const action = statementAction(name, value, scope) ?? unknownAction(name, value);
  if (action.kind === "continue") return;
  if (action.kind === "set-mark" || action.kind === "untrack") parts.effects.push(action);
  else takeAction(action, name === "reject" ? rejectConditions(value) : [], parts);
}

/** Conditions guard what stands behind them: effects before them become a rule of their own. */
function addConditions(parts: RuleParts, conditions: readonly Condition[]): void {
  if (conditions.length === 0) return;
  splitBefore(parts);
  parts.conditions.push(...conditions);
}

function takeAction(action: RuleAction, implied: readonly Condition[], parts: RuleParts): void {
  parts.done.push({
    conditions: [...parts.conditions, ...withoutKnown(implied, parts.conditions)],
    effects: [...parts.effects],
    action,
  });
  parts.effects.length = 0;
  parts.isEnded = action.kind !== "other";
  if (action.kind !== "verdict-map") return;
  // A look-up that finds nothing ends the rule; only `continue` leads to the statements behind it.
  const alternatives = action.entries
    .filter((entry) => entry.action.kind === "continue")
    .map((entry) => entry.conditions);
  if (alternatives.length === 0) return;
  parts.isEnded = false;
  parts.conditions.push({ kind: "any-of", alternatives, isNegated: false });
}

/** `add @map { ip saddr : 22 }`, for which nft has no JSON; a limit in it makes it a condition. */
const PLAIN_WRITE = /^(?:add|update|delete) @\S+ \{(?!.* (?:limit|quota|ct count) ).*\}$/;

function takeText(text: string, parts: RuleParts): void {
  if (!PLAIN_WRITE.test(text)) addConditions(parts, [undecided("statement", text)]);
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
function conditionOf(name: string, value: JsonValue, scope: NftScope): Condition | undefined {
  if (name === "match") return isJsonObject(value) ? matchCondition(value, scope) : undefined;
  // Putting an element into a set asks nothing, unless a limit hangs on it.
  const isLimited = (name === "set" || name === "map") && isJsonObject(value) && hasLimit(value);
  if (UNDECIDED.has(name) || isLimited) return undecided(name, printStatement({ [name]: value }));
  const isXtMatch = name === "xt" && isJsonObject(value) && value["type"] !== "target";
  return isXtMatch ? undecided("xt", `xt ${String(value["name"])}`) : undefined;
}

function hasLimit({ stmt = [] }: JsonObject): boolean {
  const statements = Array.isArray(stmt) ? stmt : [stmt];
  return statements.some(
    (one) => isJsonObject(one) && Object.keys(one).some((name) => UNDECIDED.has(name)),
  );
}

function countersOf(value: JsonValue): TrafficCounters | undefined {
  if (!isJsonObject(value)) return undefined;
  const { packets, bytes } = { packets: value["packets"], bytes: value["bytes"] };
  if (typeof packets !== "number" || typeof bytes !== "number") return undefined;
  return { packets: BigInt(Math.trunc(packets)), bytes: BigInt(Math.trunc(bytes)) };
}
