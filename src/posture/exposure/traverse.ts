import type {
  BaseChain,
  FirewallChain,
  FirewallRule,
  FirewallTable,
  RuleAction,
} from "../../contract/firewall.ts";
import { addDoubts, addRule, type Flow, mergeFlows } from "./flow.ts";
import { divide, type MatchPlace } from "./match.ts";
import type { RuleReference } from "./query.ts";
import { translateDestination } from "./translate.ts";

/** What became of a flow at one base chain, or for good. */
export interface Outcome {
  readonly kind: "accepted" | "dropped" | "unknown";
  readonly flow: Flow;
  /** The chain mapped the connection: further nat chains of the hook are not asked. */
  readonly isMapped?: boolean;
}

/** A base chain in its table. */
export interface PlacedChain {
  readonly table: FirewallTable;
  /** All chains of the table by name, for what the rules jump to. */
  readonly chains: ReadonlyMap<string, FirewallChain>;
  readonly chain: FirewallChain;
  readonly base: BaseChain;
}

/** What one question uses up and keeps. When no steps are left, what is left is unknown. */
export interface Question {
  steps: number;
  /** One reference per rule, so that they can be compared by identity. */
  readonly references: Map<FirewallRule, RuleReference>;
}

/** Kernel limit on jumps within jumps. Source: NFT_JUMP_STACK_SIZE, nf_tables.h. */
const DEEPEST_JUMP = 16;
/** More flows than this side by side are not followed further. */
const MOST_FLOWS = 512;

interface Walk {
  readonly placed: PlacedChain;
  readonly place: MatchPlace;
  readonly question: Question;
  readonly outcomes: Outcome[];
}

/** Sends a flow through a base chain, with all that it jumps to. */
export function passBaseChain(
  flow: Flow,
  placed: PlacedChain,
  place: MatchPlace,
  question: Question,
): readonly Outcome[] {
  const walk: Walk = { placed, place, question, outcomes: [] };
  const through = passChain([flow], placed.chain, walk, 0);
  const isAccepted = placed.base.policy === "accept";
  for (const left of through) {
    const reference = policyReference(placed);
    const decided = { ...left, trace: addRule(left.trace, reference) };
    walk.outcomes.push({ kind: isAccepted ? "accepted" : "dropped", flow: decided });
  }
  return walk.outcomes;
}

/** Flows that leave the chain at its end or by `return`; the others are in the walk's outcomes. */
function passChain(
  entering: readonly Flow[],
  chain: FirewallChain,
  walk: Walk,
  depth: number,
): readonly Flow[] {
  const returned: Flow[] = [];
  let flows = entering;
  for (const [at, rule] of chain.rules.entries()) {
    if (flows.length === 0) break;
    walk.question.steps -= flows.length;
    if (walk.question.steps <= 0 || flows.length > MOST_FLOWS || depth > DEEPEST_JUMP) {
      giveUp(flows, chain, at, walk);
      return returned;
    }
    flows = passRule(flows, rule, { chain, at, returned, walk, depth });
  }
  return mergeFlows([...returned, ...flows]);
}

interface RulePlace {
  readonly chain: FirewallChain;
  readonly at: number;
  readonly returned: Flow[];
  readonly walk: Walk;
  readonly depth: number;
}

function passRule(flows: readonly Flow[], rule: FirewallRule, where: RulePlace): readonly Flow[] {
  const next: Flow[] = [];
  let isTouched = false;
  for (const flow of flows) {
    const { matched, possible, rest } = divide(flow, rule.conditions, where.walk.place);
    if (matched.length === 0 && possible.length === 0) {
      next.push(flow);
      continue;
    }
    isTouched = true;
    next.push(...rest);
    for (const part of matched) act(affected(part, rule), rule, rule.action, where, next);
    for (const part of possible) {
      if (rule.action.kind === "continue" && rule.effects === undefined) {
        next.push(part);
        continue;
      }
      // It may match or not: both are followed, and the answers compared in the end.
      const reference = ruleReference(rule, where);
      const doubted = { ...part, doubts: addDoubts(part.doubts, [reference]) };
      next.push(doubted);
      act(affected(doubted, rule), rule, rule.action, where, next);
    }
  }
  return isTouched ? mergeFlows(next) : next;
}

/** The flow after what a rule does before its action. */
function affected(flow: Flow, rule: FirewallRule): Flow {
  return (rule.effects ?? []).reduce((before, effect) => after(before, effect), flow);
}

function after(flow: Flow, effect: RuleAction): Flow {
  if (effect.kind === "untrack") return { ...flow, isTracked: false };
  if (effect.kind !== "set-mark") return flow;
  return { ...flow, mark: ((flow.mark & ~effect.mask) ^ effect.value) >>> 0 };
}

/** Carries an action out; what goes on to the following rule is added to `next`. */
function act(
  flow: Flow,
  rule: FirewallRule,
  action: RuleAction,
  where: RulePlace,
  next: Flow[],
): void {
  const { outcomes } = where.walk;
  if (action.kind === "continue") {
    next.push(flow);
    return;
  }
  const traced = { ...flow, trace: addRule(flow.trace, ruleReference(rule, where)) };
  switch (action.kind) {
    case "accept":
      outcomes.push({ kind: "accepted", flow: traced });
      return;
    case "drop":
    case "reject":
      outcomes.push({ kind: "dropped", flow: traced });
      return;
    case "source-nat":
      outcomes.push({ kind: "accepted", flow: traced, isMapped: true });
      return;
    case "return":
      where.returned.push(traced);
      return;
    case "jump":
      next.push(...enter(traced, action.chain, where));
      return;
    case "goto":
      where.returned.push(...enter(traced, action.chain, where));
      return;
    case "destination-nat": {
      const translated = translateDestination(traced, action, where.walk.place.host);
      outcomes.push({ kind: "accepted", flow: translated, isMapped: true });
      return;
    }
    case "untrack":
    case "set-mark":
      next.push(after(traced, action));
      return;
    case "verdict-map":
      actByMap(traced, rule, action, where, next);
      return;
    case "other":
      doubt(traced, ruleReference(rule, where), where.walk);
  }
}

function actByMap(
  flow: Flow,
  rule: FirewallRule,
  map: Extract<RuleAction, { kind: "verdict-map" }>,
  where: RulePlace,
  next: Flow[],
): void {
  let open: readonly Flow[] = [flow];
  for (const entry of map.entries) {
    const unmatched: Flow[] = [];
    where.walk.question.steps -= 1;
    for (const part of open) {
      const { matched, possible, rest } = divide(part, entry.conditions, where.walk.place);
      unmatched.push(...rest);
      for (const found of matched) act(found, rule, entry.action, where, next);
      for (const found of possible) {
        const reference = ruleReference(rule, where);
        const doubted = { ...found, doubts: addDoubts(found.doubts, [reference]) };
        unmatched.push(doubted);
        act(doubted, rule, entry.action, where, next);
      }
    }
    open = unmatched;
    if (open.length === 0) return;
  }
  next.push(...open);
}

function enter(flow: Flow, name: string, where: RulePlace): readonly Flow[] {
  const chain = where.walk.placed.chains.get(name);
  if (chain === undefined) {
    // The rule set was cut, or a target of the kernel that is not known here.
    doubt(flow, flow.trace?.rule, where.walk);
    return [];
  }
  return passChain([flow], chain, where.walk, where.depth + 1);
}

function doubt(flow: Flow, rule: RuleReference | undefined, walk: Walk): void {
  const doubts = rule === undefined ? flow.doubts : addDoubts(flow.doubts, [rule]);
  walk.outcomes.push({ kind: "unknown", flow: { ...flow, doubts } });
}

function giveUp(flows: readonly Flow[], chain: FirewallChain, at: number, walk: Walk): void {
  const { table } = walk.placed;
  const rule: RuleReference = {
    backend: table.backend,
    family: table.family,
    table: table.name,
    chain: chain.name,
    position: at + 1,
    text: "too many rules to follow from here",
    action: "other",
  };
  for (const flow of flows) doubt(flow, rule, walk);
}

function ruleReference(rule: FirewallRule, where: RulePlace): RuleReference {
  const { references } = where.walk.question;
  const known = references.get(rule);
  if (known !== undefined) return known;
  const { table } = where.walk.placed;
  const reference: RuleReference = {
    backend: table.backend,
    family: table.family,
    table: table.name,
    chain: where.chain.name,
    position: where.at + 1,
    text: rule.text,
    action: rule.action.kind,
  };
  references.set(rule, reference);
  return reference;
}

function policyReference({ table, chain, base }: PlacedChain): RuleReference {
  return {
    backend: table.backend,
    family: table.family,
    table: table.name,
    chain: chain.name,
    position: 0,
    text: `policy ${base.policy}`,
    action: "policy",
  };
}
