import type { ConfigurationFinding } from "../contract/agent-facts.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { SETTINGS_SCHEMA, type Settings } from "../contract/settings.ts";
import { nearestName } from "../parse/nearest-name.ts";
import { adviseOnSettings } from "./classic-findings.ts";
import {
  CLASSIC_OBJECT_NAME,
  CLASSIC_PROPERTIES,
  type ClassicProperty,
  OPERATIONAL_NAME,
  OPERATIONAL_PROPERTIES,
  SECURITY_GROUPS_NAME,
  UNSUPPORTED_NAMES,
} from "./classic-names.ts";
import { type ClassicReading, innerValue, readProperty, wireValue } from "./classic-value.ts";
import type { PropertyVerdict, TwinDialect, TwinVerdict, UnknownKey } from "./dialect.ts";
import { foundText, printable, valueText } from "./found-text.ts";

const LIMIT = 64;
const KEYS: readonly string[] = [
  ...CLASSIC_PROPERTIES.map((property) => property.name),
  OPERATIONAL_NAME,
  SECURITY_GROUPS_NAME,
  ...UNSUPPORTED_NAMES,
];

/** The properties behind `OPERATIONAL_NAME`. All take the same values. */
const OPERATIONAL = CLASSIC_PROPERTIES.filter((property) => isOperational(property.name));

/** The dialect of the classic security agents. `defaults`: the local configuration over the built-in ones. */
export function createClassicDialect(defaults: Settings): TwinDialect {
  return {
    name: "classic",
    objectName: CLASSIC_OBJECT_NAME,
    defaults,
    keys: KEYS,
    evaluate: (desired, inForce) => evaluate(desired, inForce, defaults),
    report,
  };
}

/** One property on its way: its verdict without the value in force, and that value's inner form. */
interface Decision {
  readonly property: ClassicProperty;
  readonly outcome: PropertyVerdict["outcome"];
  readonly value: JsonValue;
  readonly reason?: string;
  /** What a finding says; absent when another property's finding covers this one. */
  readonly fault?: string;
}

function evaluate(desired: JsonObject, inForce: Settings, defaults: Settings): TwinVerdict {
  const given = ownValue(desired, CLASSIC_OBJECT_NAME) ?? {};
  if (!isJsonObject(given)) return keepEverything(given, inForce);
  const operational = readOperational(given);
  const decisions = CLASSIC_PROPERTIES.map((property) =>
    decide(property, ownValue(given, property.name), { operational, inForce, defaults }),
  );
  const settings = settingsOf(decisions, inForce);
  // What a published twin does not have is no news while nobody asks for it.
  const properties = decisions
    .filter(({ property, outcome }) => !property.isExtra || outcome !== "defaulted")
    .map((decision) => verdictOf(decision, settings));
  const operationalVerdict = judgeOperational(operational, settings);
  const rejected = decisions.flatMap((decision) => mismatch(decision, settings));
  return {
    settings,
    properties: operationalVerdict === undefined ? properties : [...properties, operationalVerdict],
    unsupported: UNSUPPORTED_NAMES.filter((name) => (ownValue(given, name) ?? null) !== null),
    unknown: unknownKeys(given),
    documents: documentsIn(given),
    findings: [
      ...rejected,
      ...operationalMismatch(operational, settings),
      ...adviseOnSettings(settings),
    ].slice(0, LIMIT),
  };
}

/**
 * A resource in a wrapper as all values have, or as it was exported. An answer to a list request has its
 * resources under `value` as well.
 */
function documentsIn(given: JsonObject): TwinVerdict["documents"] {
  const wire = ownValue(given, SECURITY_GROUPS_NAME) ?? null;
  const value = isJsonObject(wire) ? (ownValue(wire, "value") ?? wire) : wire;
  return value === null ? {} : { [SECURITY_GROUPS_NAME]: value };
}

function ownValue(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isOperational(name: string): boolean {
  return OPERATIONAL_PROPERTIES.includes(name);
}

function readOperational(given: JsonObject): ClassicReading {
  const [first] = OPERATIONAL;
  if (first === undefined) return { status: "absent" };
  return readProperty(first, ownValue(given, OPERATIONAL_NAME));
}

interface Around {
  readonly operational: ClassicReading;
  readonly inForce: Settings;
  readonly defaults: Settings;
}

function decide(property: ClassicProperty, wire: JsonValue | undefined, around: Around): Decision {
  const reading = readProperty(property, wire);
  if (reading.status === "good") return { property, outcome: "applied", value: reading.value };
  const kept = innerValue(property, around.inForce);
  if (reading.status === "bad") {
    const reason = `found ${reading.found}; expected ${reading.expected}`;
    return { property, outcome: "rejected", value: kept, reason, fault: reason };
  }
  const { operational } = around;
  if (isOperational(property.name) && operational.status === "good") {
    return { property, outcome: "applied", value: operational.value };
  }
  if (isOperational(property.name) && operational.status === "bad") {
    return {
      property,
      outcome: "rejected",
      value: kept,
      reason: `${OPERATIONAL_NAME} is rejected`,
    };
  }
  return { property, outcome: "defaulted", value: innerValue(property, around.defaults) };
}

/** Puts the decided values in place; what the schema would still refuse keeps its value in force. */
function settingsOf(decisions: readonly Decision[], inForce: Settings): Settings {
  let tree: JsonObject = {};
  for (const { property, value } of decisions) tree = withValue(tree, property.path, value);
  return SETTINGS_SCHEMA.read(tree, [], "", inForce);
}

function withValue(tree: JsonObject, path: readonly string[], value: JsonValue): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined) return tree;
  if (rest.length === 0) return { ...tree, [key]: value };
  const below = tree[key];
  return { ...tree, [key]: withValue(isJsonObject(below) ? below : {}, rest, value) };
}

function verdictOf(decision: Decision, settings: Settings): PropertyVerdict {
  const { property, outcome, reason } = decision;
  const verdict = { name: property.name, outcome, inForce: wireValue(property, settings) };
  return reason === undefined ? verdict : { ...verdict, reason };
}

function mismatch(decision: Decision, settings: Settings): readonly ConfigurationFinding[] {
  if (decision.fault === undefined) return [];
  const inForce = valueText(wireValue(decision.property, settings));
  return [typeMismatch(decision.property.name, decision.fault, inForce)];
}

function typeMismatch(name: string, fault: string, inForce: string): ConfigurationFinding {
  return {
    configurationName: name,
    errorType: "TypeMismatch",
    usedConfiguration: inForce,
    message: `${fault}; ${inForce} stays in force`,
  };
}

/** One value when the three agree, else the list of three. */
function operationalInForce(settings: Settings): JsonValue {
  const values = OPERATIONAL.map((property) => wireValue(property, settings));
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? first : values;
}

function judgeOperational(
  reading: ClassicReading,
  settings: Settings,
): PropertyVerdict | undefined {
  if (reading.status === "absent") return undefined;
  const inForce = operationalInForce(settings);
  if (reading.status === "good") return { name: OPERATIONAL_NAME, outcome: "applied", inForce };
  const reason = `found ${reading.found}; expected ${reading.expected}`;
  return { name: OPERATIONAL_NAME, outcome: "rejected", inForce, reason };
}

function operationalMismatch(
  reading: ClassicReading,
  settings: Settings,
): readonly ConfigurationFinding[] {
  if (reading.status !== "bad") return [];
  const fault = `found ${reading.found}; expected ${reading.expected}`;
  return [typeMismatch(OPERATIONAL_NAME, fault, valueText(operationalInForce(settings)))];
}

function unknownKeys(given: JsonObject): readonly UnknownKey[] {
  const unknown: UnknownKey[] = [];
  for (const [key, value] of Object.entries(given)) {
    if (unknown.length >= LIMIT) break;
    if (!KEYS.includes(key)) unknown.push(unknownKey(key, key, KEYS));
    else if (isJsonObject(value) && key !== SECURITY_GROUPS_NAME)
      unknown.push(...unknownMembers(key, value));
  }
  return unknown.slice(0, LIMIT);
}

/** What a wrapper holds besides `value`. */
function unknownMembers(key: string, wrapper: JsonObject): readonly UnknownKey[] {
  return Object.keys(wrapper)
    .filter((member) => member !== "value")
    .slice(0, LIMIT)
    .map((member) => unknownKey(`${key}.${member}`, member, ["value"]));
}

function unknownKey(name: string, key: string, candidates: readonly string[]): UnknownKey {
  const suggestion = nearestName(key, candidates);
  const shown = printable(name, 80);
  return suggestion === undefined ? { name: shown } : { name: shown, suggestion };
}

/** The configuration object itself is no object: nothing in it can be read, so nothing changes. */
function keepEverything(given: JsonValue, inForce: Settings): TwinVerdict {
  const reason = "the configuration object is no object";
  const published = CLASSIC_PROPERTIES.filter((property) => !property.isExtra);
  const properties = published.map((property): PropertyVerdict => {
    const kept = { property, outcome: "rejected", value: innerValue(property, inForce) } as const;
    return verdictOf({ ...kept, reason }, inForce);
  });
  const finding: ConfigurationFinding = {
    configurationName: CLASSIC_OBJECT_NAME,
    errorType: "TypeMismatch",
    usedConfiguration: "the settings in force before",
    message: `found ${foundText(given)}; expected an object; every setting stays as it was`,
  };
  const findings = [finding, ...adviseOnSettings(inForce)];
  return { settings: inForce, properties, unsupported: [], unknown: [], documents: {}, findings };
}

/**
 * Every value in force, wrapped; keys that the published twin does not have where they are set or were
 * desired; `OPERATIONAL_NAME` when it was desired and is true of all three.
 */
function report(inForce: Settings, verdict?: TwinVerdict): JsonObject {
  const desired = new Set(
    verdict?.properties.filter(({ outcome }) => outcome !== "defaulted").map(({ name }) => name),
  );
  const entries = CLASSIC_PROPERTIES.filter(
    (property) =>
      !property.isExtra ||
      desired.has(property.name) ||
      innerValue(property, inForce) !== property.schema.defaults(),
  ).map((property): [string, JsonObject] => [
    property.name,
    { value: reportedValue(property, inForce) },
  ]);
  const operational = operationalInForce(inForce);
  const wasAsked = verdict?.properties.some((property) => property.name === OPERATIONAL_NAME);
  if (wasAsked === true && !Array.isArray(operational)) {
    entries.push([OPERATIONAL_NAME, { value: operational }]);
  }
  return Object.fromEntries(entries);
}

/** Longest text that is reported as it is; the report as a whole must stay small. */
const REPORTED_TEXT = 128;

function reportedValue(property: ClassicProperty, inForce: Settings): JsonValue {
  const value = wireValue(property, inForce);
  if (typeof value !== "string" || value.length <= REPORTED_TEXT) return value;
  return `${value.slice(0, REPORTED_TEXT)}...`;
}
