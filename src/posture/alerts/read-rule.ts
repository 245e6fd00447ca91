import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import {
  boolean,
  choice,
  type Fault,
  type Fields,
  integer,
  list,
  optional,
  type RecordOf,
  record,
  type Schema,
  text,
} from "../../contract/schema.ts";
import { parseDurationMs } from "../../parse/duration.ts";
import { nearestName } from "../../parse/nearest-name.ts";
import { type AllowlistForm, CATALOGUE, type CatalogueEntry, catalogueEntry } from "./catalogue.ts";
import { parseCidr } from "./cidr.ts";
import type { AllowlistRule, Mention, TimeWindowRule } from "./security-group.ts";

/** Where the reader writes what it cannot take. */
export interface Notes {
  readonly faults: Fault[];
  readonly unknown: Mention[];
}

/** The lists of rules in the properties of a group. */
export type RuleListName =
  | "timeWindowRules"
  | "allowlistRules"
  | "thresholdRules"
  | "denylistRules";

/** The window where a rule names none. Source: the defaults that the service gives new groups. */
const DEFAULT_WINDOW = "PT15M";
const MIN_WINDOW_MS = 60_000;
const MAX_WINDOW_MS = 31 * 86_400_000;
const MAX_THRESHOLD = 1_000_000_000;
const MAX_VALUES = 1_024;

const common = {
  ruleType: text({ maxLength: 128 }),
  isEnabled: boolean(),
  displayName: optional(text({ maxLength: 1_024 })),
  description: optional(text({ maxLength: 4_096 })),
};

const thresholds = {
  minThreshold: integer({ min: 0, max: MAX_THRESHOLD }),
  maxThreshold: integer({ min: 0, max: MAX_THRESHOLD }),
};

const timeWindowFields = {
  ...common,
  ...thresholds,
  timeWindowSize: text({
    default: DEFAULT_WINDOW,
    maxLength: 64,
    form: "an ISO 8601 duration from PT1M to P31D",
    accepts: (duration) => windowMs(duration) !== undefined,
  }),
};
const timeWindowRecord = record(timeWindowFields);
const thresholdRecord = record({ ...common, ...thresholds });

const valueType = optional(choice(["IpCidr", "String"] as const));
const denylistRecord = record({
  ...common,
  valueType,
  denylistValues: list(text({ maxLength: 4_096 }), { maxItems: MAX_VALUES }),
});

function allowlistRecord(form: AllowlistForm): Schema<RecordOf<typeof allowlistFields>> {
  return record({ ...allowlistFields, allowlistValues: values(allowlistItem(form)) });
}

function values(item: Schema<string>): Schema<readonly string[]> {
  return list(item, { maxItems: MAX_VALUES });
}

const allowlistFields = { ...common, valueType, allowlistValues: values(text()) };

function allowlistItem(form: AllowlistForm): Schema<string> {
  if (form === "cidr") {
    return text({
      maxLength: 64,
      form: "an IPv4 or IPv6 address or range in CIDR notation",
      accepts: (value) => parseCidr(value) !== undefined,
    });
  }
  return text({
    maxLength: form === "user" ? 256 : 4_096,
    form: form === "user" ? "a login name" : "a path or the base name of a program",
    accepts: (value) => value.trim() !== "",
  });
}

/** Milliseconds of a window within bounds; undefined for other text. `PT05M` is as good as `PT5M`. */
function windowMs(duration: string): number | undefined {
  const parsed = parseDurationMs(duration);
  if (!parsed.ok) return undefined;
  return parsed.value >= MIN_WINDOW_MS && parsed.value <= MAX_WINDOW_MS ? parsed.value : undefined;
}

/** One rule of `timeWindowRules`; undefined when its type is unknown or it is faulty. */
export function readTimeWindowRule(
  input: JsonValue,
  path: string,
  notes: Notes,
): TimeWindowRule | undefined {
  if (knownEntry(input, "timeWindowRules", path, notes) === undefined) return undefined;
  const before = notes.faults.length;
  const rule = readKnown(timeWindowRecord, timeWindowFields, input, path, notes);
  const size = windowMs(rule.timeWindowSize);
  if (notes.faults.length > before || size === undefined) return undefined;
  if (rule.minThreshold > rule.maxThreshold) {
    notes.faults.push({
      path: `${path}.minThreshold`,
      kind: "bound",
      found: String(rule.minThreshold),
      expected: `at most maxThreshold, which is ${rule.maxThreshold}`,
    });
    return undefined;
  }
  const { ruleType, isEnabled, minThreshold, maxThreshold } = rule;
  const range = { minThreshold, maxThreshold, timeWindowMs: size };
  return { path, ruleType, isEnabled, ...words(rule), ...range };
}

/** One rule of `allowlistRules`; undefined when its type is unknown or it is faulty. */
export function readAllowlistRule(
  input: JsonValue,
  path: string,
  notes: Notes,
): AllowlistRule | undefined {
  const entry = knownEntry(input, "allowlistRules", path, notes);
  if (entry === undefined) return undefined;
  const before = notes.faults.length;
  if (isJsonObject(input) && (input["allowlistValues"] ?? null) === null) {
    notes.faults.push(missing(`${path}.allowlistValues`, allowlistFields.allowlistValues.expected));
  }
  const schema = allowlistRecord(entry.allowlistForm ?? "user");
  const rule = readKnown(schema, allowlistFields, input, path, notes);
  if (notes.faults.length > before) return undefined;
  const { ruleType, isEnabled, allowlistValues } = rule;
  return { path, ruleType, isEnabled, ...words(rule), allowlistValues };
}

/** Checks a rule of a list that no published rule type belongs to: its shape counts, nothing more. */
export function checkUnusedRule(
  input: JsonValue,
  listName: "thresholdRules" | "denylistRules",
  path: string,
  notes: Notes,
): void {
  const before = notes.faults.length;
  knownEntry(input, listName, path, notes);
  if (notes.faults.length > before) return;
  const schema: Schema<unknown> = listName === "thresholdRules" ? thresholdRecord : denylistRecord;
  readKnown(schema, schema.fields ?? {}, input, path, notes);
}

function words(rule: {
  readonly displayName: string | undefined;
  readonly description: string | undefined;
}): { readonly displayName?: string; readonly description?: string } {
  return {
    ...(rule.displayName === undefined ? {} : { displayName: rule.displayName }),
    ...(rule.description === undefined ? {} : { description: rule.description }),
  };
}

function missing(path: string, expected: string): Fault {
  return { path, kind: "missing", found: "", expected };
}

/** The catalogue's entry when the rule is of a type that belongs to this list; else says why not. */
function knownEntry(
  input: JsonValue,
  listName: RuleListName,
  path: string,
  notes: Notes,
): CatalogueEntry | undefined {
  if (!isJsonObject(input)) {
    notes.faults.push({ path, kind: "type", found: shown(input), expected: "a rule object" });
    return undefined;
  }
  const ruleType = input["ruleType"];
  const typePath = `${path}.ruleType`;
  if (typeof ruleType !== "string" || ruleType === "") {
    notes.faults.push(
      ruleType === undefined || ruleType === null
        ? missing(typePath, "the name of a rule type")
        : { path: typePath, kind: "type", found: shown(ruleType), expected: "text" },
    );
    return undefined;
  }
  const entry = catalogueEntry(ruleType);
  if (entry?.list === listName) return entry;
  const found = shown(ruleType);
  const near = entry === undefined ? nearestRuleType(ruleType) : undefined;
  if (entry !== undefined) {
    const expected = `a rule type of ${listName}; this one belongs in ${entry.list}`;
    notes.faults.push({ path: typePath, kind: "bound", found, expected });
  } else if (near !== undefined) {
    notes.faults.push({ path: typePath, kind: "bound", found, expected: `perhaps ${near}` });
  } else notes.unknown.push({ path: typePath, name: ruleType.slice(0, 80) });
  return undefined;
}

/** Endings that many rule types share, which must not make unlike names look alike. */
const ENDINGS = /(?:NotInAllowedRange|NotAllowed)$/i;

/** The official rule type that a misspelled one most likely means; undefined when none is near. */
export function nearestRuleType(ruleType: string): string | undefined {
  const stem = ruleType.replace(ENDINGS, "");
  const types = CATALOGUE.map((entry) => entry.ruleType);
  if (stem === ruleType) return nearestName(ruleType, types);
  const stems = types.map((type) => type.replace(ENDINGS, ""));
  const near = nearestName(stem, stems);
  return near === undefined ? undefined : types[stems.indexOf(near)];
}

/** Reads a record of known keys. Null counts as absent; an unknown key is a fault if it is near a known one. */
function readKnown<T>(
  schema: Schema<T>,
  fields: Fields,
  input: JsonValue,
  path: string,
  notes: Notes,
): T {
  return schema.read(withKnownKeys(input, Object.keys(fields), path, notes), notes.faults, path);
}

/** The object without nulls and without keys that are neither known nor near a known one: those are noted. */
export function withKnownKeys(
  input: JsonValue,
  names: readonly string[],
  path: string,
  notes: Notes,
): JsonValue {
  if (!isJsonObject(input)) return input;
  const kept: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(input)) {
    if (names.includes(key)) {
      if (value !== null) kept.push([key, value]);
      continue;
    }
    const at = path === "" ? key.slice(0, 80) : `${path}.${key.slice(0, 80)}`;
    const near = nearestName(key, names);
    if (near === undefined) notes.unknown.push({ path: at, name: key.slice(0, 80) });
    else notes.faults.push({ path: at, kind: "unknown", found: "", expected: `perhaps ${near}` });
  }
  return Object.fromEntries(kept) satisfies JsonObject;
}

/** A value as it stands in a fault: JSON of at most 80 characters. */
export function shown(value: JsonValue): string {
  const json = JSON.stringify(value);
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}
