import type { Condition, ConditionTest } from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftSet } from "../nft-json/model.ts";
import { printExpression } from "../nft-json/print-expression.ts";
import { printStatement } from "../nft-json/print-statement.ts";
import { type BitField, type NftField, nftField } from "./from-nft-fields.ts";

/** The sets that a rule may name, of its own table. */
export type NftSets = ReadonlyMap<string, NftSet>;

/** What lowering needs of a rule's surroundings. */
export interface NftScope {
  readonly sets: NftSets;
  /** Names of sets and maps that rules of the table write. */
  readonly written: ReadonlySet<string>;
  /** Tests by what is compared with which named set: a blocklist of many rules is converted once. */
  readonly tests: Map<string, ConditionTest | undefined>;
}

/** Sets that packets or time change: what they hold now says little about later. */
const CHANGING_FLAGS = ["dynamic", "timeout"];
const LONGEST_TEXT = 300;

export function undecided(name: string, text: string): Condition {
  return { kind: "other", name, text: text.slice(0, LONGEST_TEXT), isNegated: false };
}

/**
 * The condition of `{"match": {"op", "left", "right"}}`; what looking at the header implies stands beside
 * it, see `impliedConditions`.
 */
export function matchCondition(match: JsonObject, scope: NftScope): Condition {
  const { op, left, right } = { op: match["op"], left: match["left"], right: match["right"] };
  const text = printStatement({ match });
  if (left === undefined || right === undefined) return undecided("match", text);
  const unknown = undecided(nameOf(left), text);
  if (op === "<" || op === ">" || op === "<=" || op === ">=") {
    return compared(left, op, right) ?? unknown;
  }
  const fields = fieldsOf(left);
  const [field] = fields;
  if (field?.bits !== undefined && fields.length === 1 && !isMembership(right)) {
    return bitCondition(field.bits, String(op), right) ?? unknown;
  }
  if (op !== "==" && op !== "in" && op !== "!=") return undecided("operator", text);
  const values = valuesOf(right, scope);
  if (values === undefined) return undecided("dynamic-set", text);
  const test = sharedTest(fields, right, values, scope);
  return test === undefined ? unknown : { ...test, isNegated: op === "!=" };
}

/** Comparisons with a set of values mean what they mean for every field. */
function isMembership(right: JsonValue): boolean {
  if (typeof right === "string") return right.startsWith("@");
  return isJsonObject(right) && right["set"] !== undefined;
}

function bitCondition(bits: BitField, op: string, right: JsonValue): Condition | undefined {
  const isAny = op === "in" || op === "!";
  const isExact = op === "==" || op === "!=";
  const test = isAny ? bits.anyOf(right) : isExact ? bits.exactly(right) : undefined;
  return test === undefined ? undefined : { ...test, isNegated: op.startsWith("!") };
}

/** A field, or the fields of a concatenation, with what they look at; those not known test nothing. */
export interface NamedField extends NftField {
  readonly name: string;
  readonly text: string;
}

export function fieldsOf(left: JsonValue): readonly NamedField[] {
  const parts = isJsonObject(left) ? left["concat"] : undefined;
  return (Array.isArray(parts) ? parts : [left]).map((part) => ({
    ...(nftField(part) ?? { test: () => undefined }),
    name: nameOf(part),
    text: printExpression(part),
  }));
}

function sharedTest(
  fields: readonly NamedField[],
  right: JsonValue,
  values: readonly JsonValue[],
  { tests }: NftScope,
): ConditionTest | undefined {
  if (typeof right !== "string" || !right.startsWith("@")) return testOf(fields, values);
  const key = `${fields.map(({ text }) => text).join(" . ")} ${right}`;
  if (!tests.has(key)) tests.set(key, testOf(fields, values));
  return tests.get(key);
}

/** One test for one field; for a concatenation, one alternative per element. */
function testOf(
  fields: readonly NamedField[],
  values: readonly JsonValue[],
): ConditionTest | undefined {
  const [field, ...more] = fields;
  if (field === undefined) return undefined;
  if (more.length === 0) return oneOf(field, values);
  const alternatives: (readonly Condition[])[] = [];
  for (const value of values) {
    const conditions = elementConditions(fields, value);
    if (conditions === undefined) return undefined;
    alternatives.push(conditions);
  }
  return { kind: "any-of", alternatives };
}

/** All values at once where the field allows, such as ports; else an alternative for each. */
function oneOf(field: NftField, values: readonly JsonValue[]): ConditionTest | undefined {
  const test = field.test(values);
  if (test !== undefined || values.length < 2) return test;
  const tests = values.map((value) => field.test([value]));
  if (!tests.every((each) => each !== undefined)) return undefined;
  return { kind: "any-of", alternatives: tests.map((each) => [{ ...each, isNegated: false }]) };
}

/** What one element of a set asks of its field, or of its fields. `*` asks nothing. */
export function elementConditions(
  fields: readonly NamedField[],
  element: JsonValue,
): readonly Condition[] | undefined {
  if (element === "*") return [];
  const concat = isJsonObject(element) ? element["concat"] : undefined;
  const parts = Array.isArray(concat) ? concat : [element];
  if (parts.length !== fields.length) return undefined;
  return fields.map((field, at) => {
    const part = parts[at] ?? null;
    const test = field.test([part]);
    return test === undefined
      ? undecided(field.name, `${field.text} ${printExpression(part)}`)
      : { ...test, isNegated: false };
  });
}

/** The values of the right side; undefined for a set whose content changes by itself. */
function valuesOf(right: JsonValue, scope: NftScope): readonly JsonValue[] | undefined {
  if (typeof right === "string" && right.startsWith("@")) {
    return settledElements(right.slice(1), scope);
  }
  const members = isJsonObject(right) ? right["set"] : undefined;
  if (Array.isArray(members)) return members.map(plainElement);
  return Array.isArray(right) ? right : [right];
}

/** Elements of a named set or map; undefined when they come and go, or it is not known. */
export function settledElements(name: string, scope: NftScope): readonly JsonValue[] | undefined {
  const set = scope.sets.get(name);
  if (set === undefined || scope.written.has(name)) return undefined;
  if (set.flags.some((flag) => CHANGING_FLAGS.includes(flag))) return undefined;
  return set.elements.map(plainElement);
}

/** `{"elem": {"val": x, "comment": …}}` is x. */
export function plainElement(element: JsonValue): JsonValue {
  const wrapped = isJsonObject(element) ? element["elem"] : undefined;
  const value = isJsonObject(wrapped) ? wrapped["val"] : undefined;
  return value ?? element;
}

function compared(
  left: JsonValue,
  op: "<" | ">" | "<=" | ">=",
  right: JsonValue,
): Condition | undefined {
  const field = nftField(left);
  if (field === undefined || typeof right !== "number") return undefined;
  const isBelow = op.startsWith("<");
  const bound = op.length === 2 ? right : isBelow ? right - 1 : right + 1;
  const range = isBelow ? [0, bound] : [bound, 65_535];
  const test = (range[0] ?? 0) > (range[1] ?? 0) ? undefined : field.test([{ range }]);
  const isRanged = test?.kind === "port" || test?.kind === "protocol";
  return isRanged ? { ...test, isNegated: false } : undefined;
}

/** `payload dscp`, `meta skuid`; of `ip saddr & 0.0.0.255` that of the left side. */
function nameOf(left: JsonValue): string {
  const [name = "expression"] = isJsonObject(left) ? Object.keys(left) : [];
  const inner = isJsonObject(left) ? left[name] : undefined;
  const [first] = Array.isArray(inner) && name !== "concat" ? inner : [];
  if (isJsonObject(first ?? null)) return nameOf(first ?? null);
  const key = isJsonObject(inner) ? (inner["key"] ?? inner["field"]) : undefined;
  return typeof key === "string" ? `${name} ${key}` : name;
}
