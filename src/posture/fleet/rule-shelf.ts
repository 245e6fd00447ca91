import type { ReadingRules } from "./reading-rules.ts";
import type { FleetRule, RuleBook } from "./rule-book.ts";

/** The books of all rules of all groups, found by group and event. */
export interface RuleShelf {
  readonly books: readonly RuleBook[];
  /** The longest time between an event and the closing of its window, with what must be known before. */
  readonly horizonMs: number;
  /** The group whose rules are for devices of that group: itself, else `default`; undefined: none. */
  groupOf(told: string): string | undefined;
  booksFor(told: string, eventName: string): readonly RuleBook[];
  /** How records are to be read for these rules. */
  readonly reading: ReadingRules;
}

interface Shelf {
  readonly group: string | undefined;
  readonly byEvent: ReadonlyMap<string, readonly RuleBook[]>;
}

const NO_BOOKS: readonly RuleBook[] = [];
const EMPTY: Shelf = { group: undefined, byEvent: new Map() };

/** `rules` by the group's name in lower case. Devices of a group that has no rules are of `default`. */
export function createRuleShelf(
  rules: ReadonlyMap<string, readonly FleetRule[]>,
  options: Omit<ReadingRules, "agentEvents">,
  bookOf: (rule: FleetRule) => RuleBook,
): RuleShelf {
  const shelves = new Map<string, Shelf>();
  const books: RuleBook[] = [];
  for (const [name, ofGroup] of rules) {
    const own = ofGroup.map(bookOf);
    books.push(...own);
    const names = new Set(own.flatMap((book) => book.fleetRule.rule.measure.eventNames));
    const byEvent = new Map(
      [...names].map((event) => [
        event,
        own.filter((book) => book.fleetRule.rule.measure.eventNames.includes(event)),
      ]),
    );
    shelves.set(name, { group: ofGroup[0]?.group ?? name, byEvent });
  }
  const standing = shelves.get("default") ?? EMPTY;
  const shelfOf = (told: string) =>
    (told === "" ? undefined : shelves.get(told.toLowerCase())) ?? standing;
  const agentEvents = new Set(
    books
      .filter((book) => book.fleetRule.isOfAgents)
      .flatMap((book) => book.fleetRule.rule.measure.eventNames),
  );
  const { groupProperty, protocolProperty, twinUpdates, queuePurges } = options;
  return {
    books,
    horizonMs: Math.max(
      0,
      ...books.map(({ fleetRule }) => {
        const { rule, latenessMs, aheadMs, lookBackMs } = fleetRule;
        return rule.windowMs + latenessMs + aheadMs + lookBackMs;
      }),
    ),
    groupOf: (told) => shelfOf(told).group,
    booksFor: (told, eventName) => shelfOf(told).byEvent.get(eventName) ?? NO_BOOKS,
    reading: { groupProperty, protocolProperty, twinUpdates, queuePurges, agentEvents },
  };
}
