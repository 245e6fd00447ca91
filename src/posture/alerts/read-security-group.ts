import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { Fault } from "../../contract/schema.ts";
import { catalogueEntry } from "./catalogue.ts";
import { type FoundGroup, findGroups } from "./find-groups.ts";
import {
  checkUnusedRule,
  type Notes,
  type RuleListName,
  readAllowlistRule,
  readTimeWindowRule,
  shown,
  withKnownKeys,
} from "./read-rule.ts";
import type { Mention, SecurityGroup, SecurityGroupReading } from "./security-group.ts";

/** A list with more rules is no list that a person made. */
const MAX_RULES = 128;
/** Faults and mentions beyond are not listed: the first ones tell enough. */
const MAX_NOTES = 100;

const LISTS: readonly RuleListName[] = [
  "timeWindowRules",
  "allowlistRules",
  "thresholdRules",
  "denylistRules",
];

/**
 * Reads every device security group of an exported resource, a list of resources or a template, as
 * parsed JSON. One fault anywhere refuses the whole: the caller keeps the rules in force. Faults have the
 * path from the root of what was given, at most 100.
 * Source: Microsoft.Security deviceSecurityGroups, 2019-08-01.
 */
export function readSecurityGroups(exported: JsonValue): SecurityGroupReading {
  const found = findGroups(exported);
  if (found.length === 0) {
    const expected = "a resource of type Microsoft.Security/deviceSecurityGroups";
    return { ok: false, faults: [{ path: "", kind: "missing", found: "", expected }] };
  }
  const faults: Fault[] = [];
  const groups = found.map((one) => readGroup(one, faults));
  faults.push(...repeatedNames(found));
  return faults.length === 0
    ? { ok: true, groups }
    : { ok: false, faults: faults.slice(0, MAX_NOTES) };
}

/**
 * The group of that name, case not counting. Where no name is given: the group `default`, else the only
 * one there is. Undefined where there is none.
 */
export function selectGroup(
  groups: readonly SecurityGroup[],
  name: string | undefined,
): SecurityGroup | undefined {
  const named = (wanted: string) =>
    groups.find((group) => group.name.toLowerCase() === wanted.toLowerCase());
  if (name !== undefined) return named(name);
  return named("default") ?? (groups.length === 1 ? groups[0] : undefined);
}

function readGroup(found: FoundGroup, faults: Fault[]): SecurityGroup {
  const notes: Notes = { faults, unknown: [] };
  const path = found.path === "" ? "properties" : `${found.path}.properties`;
  const properties = propertiesOf(found.resource, path, notes);
  const listed = (name: RuleListName) => rulesOf(properties, name, `${path}.${name}`, faults);

  const timeWindowRules = listed("timeWindowRules").flatMap(
    ({ at, rule }) => readTimeWindowRule(rule, at, notes) ?? [],
  );
  const allowlistRules = listed("allowlistRules").flatMap(
    ({ at, rule }) => readAllowlistRule(rule, at, notes) ?? [],
  );
  for (const name of ["thresholdRules", "denylistRules"] as const) {
    for (const { at, rule } of listed(name)) checkUnusedRule(rule, name, at, notes);
  }
  const all = [...timeWindowRules, ...allowlistRules];
  faults.push(...repeatedTypes(all));
  const hubOnly = all
    .filter((rule) => catalogueEntry(rule.ruleType)?.place === "hub")
    .map((rule): Mention => ({ path: rule.path, name: rule.ruleType }));
  return {
    name: found.name,
    ...(found.hub === undefined ? {} : { hub: found.hub }),
    timeWindowRules,
    allowlistRules,
    hubOnly,
    unknown: notes.unknown.slice(0, MAX_NOTES),
  };
}

function propertiesOf(resource: JsonObject, path: string, notes: Notes): JsonObject {
  const properties = resource["properties"];
  if (!isJsonObject(properties)) {
    const expected = `object with ${LISTS.join(", ")}`;
    notes.faults.push(
      properties === undefined
        ? { path, kind: "missing", found: "", expected }
        : { path, kind: "type", found: shown(properties), expected },
    );
    return {};
  }
  const known = withKnownKeys(properties, LISTS, path, notes);
  return isJsonObject(known) ? known : {};
}

interface ListedRule {
  readonly at: string;
  readonly rule: JsonValue;
}

function rulesOf(
  properties: JsonObject,
  name: RuleListName,
  path: string,
  faults: Fault[],
): readonly ListedRule[] {
  const rules = properties[name];
  if (rules === undefined) return [];
  if (Array.isArray(rules) && rules.length <= MAX_RULES) {
    return rules.map((rule: JsonValue, index) => ({ at: `${path}[${index}]`, rule }));
  }
  faults.push({
    path,
    kind: Array.isArray(rules) ? "bound" : "type",
    found: shown(rules),
    expected: `list of at most ${MAX_RULES} rules`,
  });
  return [];
}

/** Two rules of one type in one group: nobody could say which is in force. */
function repeatedTypes(
  rules: readonly { readonly path: string; readonly ruleType: string }[],
): readonly Fault[] {
  const firstAt = new Map<string, string>();
  return rules.flatMap((rule) => {
    const first = firstAt.get(rule.ruleType);
    if (first === undefined) {
      firstAt.set(rule.ruleType, rule.path);
      return [];
    }
    const expected = `one rule of this type in a group; ${first} is another`;
    return [
      {
        path: `${rule.path}.ruleType`,
        kind: "bound" as const,
        found: shown(rule.ruleType),
        expected,
      },
    ];
  });
}

/** Two groups of one name at one hub. */
function repeatedNames(found: readonly FoundGroup[]): readonly Fault[] {
  const firstAt = new Map<string, string>();
  return found.flatMap(({ name, hub, path }) => {
    const key = `${(hub ?? "").toLowerCase()}/${name.toLowerCase()}`;
    const first = firstAt.get(key);
    if (first === undefined) {
      firstAt.set(key, path);
      return [];
    }
    const expected = `one group of this name; ${first === "" ? "the first" : first} is another`;
    return [{ path: `${path}.name`, kind: "bound" as const, found: shown(name), expected }];
  });
}
