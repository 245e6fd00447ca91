import type { Rule } from "./rule.ts";
import type { Waiver } from "./waivers.ts";

/** Which rules are judged, and which failures somebody answers for. */
export interface Selection {
  /** Names of groups; case, blanks and punctuation do not matter. */
  readonly groupsDisabled: readonly string[];
  /** Numbers, or ids that end in `-` and the number. */
  readonly checksDisabled: readonly string[];
  readonly waivers: readonly Waiver[];
  /** Judge the rules that need the walk over all file systems. */
  readonly isWalkOn: boolean;
  /** Only these rules, as in `checksDisabled`; absent: all. What is named here is judged though disabled. */
  readonly only?: readonly string[];
}

/** Everything. */
export const FULL_SELECTION: Selection = {
  groupsDisabled: [],
  checksDisabled: [],
  waivers: [],
  isWalkOn: true,
};

export type SkipReason =
  | "group disabled"
  | "check disabled"
  | "not asked for"
  | "file system walk is off";

/** A name by which groups are compared. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "");
}

/** Whether a name as people write it means the rule: `1.1.2`, `CIS-debian-12-Filesystem-1.1.2`. */
export function isNameOf(name: string, rule: Rule): boolean {
  const plain = name.trim();
  return plain === rule.id || plain.endsWith(`-${rule.id}`);
}

/** Why a rule is not judged; undefined when it is. */
export function skipReason(rule: Rule, selection: Selection): SkipReason | undefined {
  const { only } = selection;
  if (only !== undefined && !only.some((name) => isNameOf(name, rule))) return "not asked for";
  if (rule.cost === "full-walk" && !selection.isWalkOn) return "file system walk is off";
  if (only !== undefined) return undefined;
  const group = plainName(rule.group);
  if (selection.groupsDisabled.some((name) => plainName(name) === group)) return "group disabled";
  const isOff = selection.checksDisabled.some((name) => isNameOf(name, rule));
  return isOff ? "check disabled" : undefined;
}

/** Names in a selection that mean no group and no rule: probably misspelt. */
export function unknownNames(rules: readonly Rule[], selection: Selection): readonly string[] {
  const groups = new Set(rules.map((rule) => plainName(rule.group)));
  const isRule = (name: string): boolean => rules.some((rule) => isNameOf(name, rule));
  const checks = [
    ...selection.checksDisabled,
    ...selection.waivers.map(({ rule }) => rule),
    ...(selection.only ?? []),
  ];
  return [
    ...selection.groupsDisabled.filter((name) => !groups.has(plainName(name))),
    ...checks.filter((name) => !isRule(name)),
  ];
}
