import type { Condition, FirewallRule, RuleAction } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import type { Range, RangeSet } from "../exposure/range-set.ts";

type SourceCondition = Extract<Condition, { kind: "address" }>;

/** A rule that ends the way of some sources. */
export interface SourceRule {
  readonly rule: FirewallRule;
  readonly family: AddressFamily;
  readonly sources: readonly Range[];
  /** The other conditions. Rules of the same key differ in sources and action alone. */
  readonly others: readonly Condition[];
  readonly key: string;
  readonly isAccept: boolean;
}

/** Fewer rules in a row are left as they are. */
const FEWEST = 8;

/** What a rule is as a rule for sources; undefined where it is none. */
export function sourceRule(rule: FirewallRule): SourceRule | undefined {
  const { kind } = rule.action;
  const isAccept = kind === "accept";
  if (rule.effects !== undefined || !(isAccept || kind === "drop" || kind === "reject"))
    return undefined;
  const [first, ...more] = rule.conditions.filter(isSourceCondition);
  if (first === undefined || more.length > 0) return undefined;
  const others = rule.conditions.filter((condition) => condition !== first);
  // Whether a limit or a set holds may differ from one packet to the next.
  if (others.some(({ kind: asked }) => asked === "other" || asked === "any-of")) return undefined;
  const { family, ranges: sources } = first;
  return { rule, family, sources, others, key: `${family} ${keyOf(others)}`, isAccept };
}

function isSourceCondition(condition: Condition): condition is Condition & SourceCondition {
  return condition.kind === "address" && condition.side === "source" && !condition.isNegated;
}

function keyOf(conditions: readonly Condition[]): string {
  if (conditions.length === 0) return "";
  return JSON.stringify(conditions, (_name, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

/**
 * The same rules with rows that differ in sources alone become two: what the row accepts and what it
 * drops. Long lists of addresses then cost one step instead of one for each, and give one answer.
 */
export function mergeSources(
  rules: readonly FirewallRule[],
  formOf: (rule: FirewallRule) => SourceRule | undefined,
): readonly FirewallRule[] {
  if (rules.length < FEWEST) return rules;
  const merged: FirewallRule[] = [];
  let row: SourceRule[] = [];
  for (const rule of rules) {
    const form = formOf(rule);
    if (form === undefined || form.key !== row[0]?.key) {
      merged.push(...mergeRow(row));
      row = [];
    }
    if (form === undefined) merged.push(rule);
    else row.push(form);
  }
  return [...merged, ...mergeRow(row)];
}

function mergeRow(row: readonly SourceRule[]): readonly FirewallRule[] {
  if (row.length < FEWEST) return row.map(({ rule }) => rule);
  const { accepted, dropped } = divide(row);
  return [
    ...rowRule(row, accepted, { kind: "accept" }),
    ...rowRule(row, dropped, { kind: "drop" }),
  ];
}

function rowRule(
  row: readonly SourceRule[],
  ranges: RangeSet,
  action: RuleAction,
): readonly FirewallRule[] {
  const alike = row.filter(({ isAccept }) => isAccept === (action.kind === "accept"));
  const [first] = alike;
  if (first === undefined || ranges.length === 0) return [];
  const source = { kind: "address", side: "source", family: first.family, ranges } as const;
  const more = alike.length > 1 ? ` (and ${alike.length - 1} rules for other sources)` : "";
  return [
    {
      conditions: [{ ...source, isNegated: false }, ...first.others],
      action,
      text: `${first.rule.text}${more}`,
    },
  ];
}

interface Start {
  readonly at: bigint;
  readonly to: bigint;
  /** Place of the rule in the row: the first that holds an address decides. */
  readonly place: number;
}

/** Which sources the first rule that holds them accepts, and which it drops. Cost: n log n. */
function divide(row: readonly SourceRule[]): {
  readonly accepted: RangeSet;
  readonly dropped: RangeSet;
} {
  const starts = row
    .flatMap(({ sources }, place) =>
      sources.map(({ from, to }): Start => ({ at: from, to, place })),
    )
    .sort((a, b) => compare(a.at, b.at));
  const bounds = [...new Set(starts.flatMap(({ at, to }) => [at, to + 1n]))].sort(compare);
  const accepted: Range[] = [];
  const dropped: Range[] = [];
  const open = createQueue();
  let next = 0;
  for (const [index, from] of bounds.entries()) {
    for (; starts[next]?.at === from; next += 1) {
      const start = starts[next];
      if (start !== undefined) open.add(start);
    }
    const decisive = open.firstAt(from);
    const end = bounds[index + 1];
    if (decisive === undefined || end === undefined) continue;
    const into = row[decisive.place]?.isAccept === true ? accepted : dropped;
    append(into, from, end - 1n);
  }
  return { accepted, dropped };
}

function append(ranges: Range[], from: bigint, to: bigint): void {
  const last = ranges.at(-1);
  if (last !== undefined && last.to + 1n === from)
    ranges[ranges.length - 1] = { from: last.from, to };
  else ranges.push({ from, to });
}

function compare(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A heap of ranges by their place; those that have ended go when they come to the top. */
function createQueue(): { add(start: Start): void; firstAt(address: bigint): Start | undefined } {
  const heap: Start[] = [];
  const placeAt = (at: number): number => heap[at]?.place ?? Number.POSITIVE_INFINITY;

  function swap(one: number, other: number): void {
    const [left, right] = [heap[one], heap[other]];
    if (left === undefined || right === undefined) return;
    heap[one] = right;
    heap[other] = left;
  }
  function removeFirst(): void {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const child = placeAt(2 * at + 1) <= placeAt(2 * at + 2) ? 2 * at + 1 : 2 * at + 2;
      if (placeAt(child) >= placeAt(at)) return;
      swap(at, child);
      at = child;
    }
  }
  return {
    add(start) {
      heap.push(start);
      for (let at = heap.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1;
        if (placeAt(parent) <= placeAt(at)) return;
        swap(parent, at);
        at = parent;
      }
    },
    firstAt(address) {
      for (let [first] = heap; first !== undefined; [first] = heap) {
        if (first.to >= address) return first;
        removeFirst();
      }
      return undefined;
    },
  };
}
