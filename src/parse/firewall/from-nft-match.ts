import type { Condition, ConditionTest } from "../../contract/firewall.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftSet } from "../nft-json/model.ts";
import { printExpression } from "../nft-json/print-expression.ts";
import { type NftField, nftField } from "./from-nft-fields.ts";

/** The sets that a rule may name, of its own table. */
export type NftSets = ReadonlyMap<string, NftSet>;

/** What lowering needs of a rule's surroundings. */
export interface NftScope {
  readonly sets: NftSets;
  /** Names of sets and maps that rules of the table write. */
  readonly written: ReadonlySet<string>;
}

/** Sets that packets or time change: what they hold now says little about later. */
const CHANGING_FLAGS = ["dynamic", "timeout"];
const LONGEST_TEXT = 300;

export function undecided(name: string, text: string): Condition {
  return { kind: "other", name, text: text.slice(0, LONGEST_TEXT), isNegated: false };
}

/** The conditions of `{"match": {"op", "left", "right"}}`, which hold together. */
export function matchConditions(match: JsonObject, scope: NftScope): readonly Condition[] {
  const { op, left, right } = { op: match["op"], left: match["left"], right: match["right"] };
  const text = `${printExpression(left ?? "")} ${String(op)} ${printExpression(right ?? "")}`;
  if (left === undefined || right === undefined) return [undecided("match", text)];
  if (op === "<" || op === ">" || op === "<=" || op === ">=")
    return compared(left, op, right, text);
  const fields = fieldsOf(left);
  if (fields === undefined) return [undecided(nameOf(left), text)];
  const [field] = fields;
  if (field?.bits !== undefined && fields.length === 1 && !isMembership(right)) {
    return bitConditions(field, String(op), right, undecided(nameOf(left), text));
  }
  if (op !== "==" && op !== "in" && op !== "!=") return [undecided("operator", text)];
  const values = valuesOf(right, scope);
  if (values === undefined) return [undecided("dynamic-set", text)];
  const test = testOf(fields, values);
  const given = fields.flatMap((field) => field.given);
  // What the field itself demands is sure, even where the value is not understood.
  if (test === undefined) return [...given, undecided(nameOf(left), text)];
  return [...given, { ...test, isNegated: op === "!=" }];
}

/** Comparisons with a set of values mean what they mean for every field. */
function isMembership(right: JsonValue): boolean {
  if (typeof right === "string") return right.startsWith("@");
  return isJsonObject(right) && right["set"] !== undefined;
}

function bitConditions(
  field: NftField,
  op: string,
  right: JsonValue,
  otherwise: Condition,
): readonly Condition[] {
  const isAny = op === "in" || op === "!";
  const isExact = op === "==" || op === "!=";
  const test = isAny ? field.bits?.anyOf(right) : isExact ? field.bits?.exactly(right) : undefined;
  if (test === undefined) return [...field.given, otherwise];
  return [...field.given, { ...test, isNegated: op.startsWith("!") }];
}

/** The field of an expression, or the fields of a concatenation. */
export function fieldsOf(left: JsonValue): readonly NftField[] | undefined {
  const parts = isJsonObject(left) ? left["concat"] : undefined;
  if (!Array.isArray(parts)) {
    const field = nftField(left);
    return field === undefined ? undefined : [field];
  }
  const fields: NftField[] = [];
  for (const part of parts) {
    const field = nftField(part);
    if (field === undefined) return undefined;
    fields.push(field);
  }
  return fields;
}

/** One test for one field; for a concatenation, one alternative per element. */
export function testOf(
  fields: readonly NftField[],
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
  fields: readonly NftField[],
  element: JsonValue,
): readonly Condition[] | undefined {
  if (element === "*") return [];
  const concat = isJsonObject(element) ? element["concat"] : undefined;
  const parts = Array.isArray(concat) ? concat : [element];
  if (parts.length !== fields.length) return undefined;
  const conditions: Condition[] = [];
  for (const [at, field] of fields.entries()) {
    const test = field.test([parts[at] ?? null]);
    if (test === undefined) return undefined;
    conditions.push({ ...test, isNegated: false });
  }
  return conditions;
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
  text: string,
): readonly Condition[] {
  const field = nftField(left);
  if (field === undefined || typeof right !== "number") return [undecided(nameOf(left), text)];
  const isBelow = op.startsWith("<");
  const bound = op.length === 2 ? right : isBelow ? right - 1 : right + 1;
  const range = isBelow ? [0, bound] : [bound, 65_535];
  const test = (range[0] ?? 0) > (range[1] ?? 0) ? undefined : field.test([{ range }]);
  const isRanged = test?.kind === "port" || test?.kind === "protocol";
  if (!isRanged) return [...field.given, undecided(nameOf(left), text)];
  return [...field.given, { ...test, isNegated: false }];
}

function nameOf(left: JsonValue): string {
  const [name = "expression"] = isJsonObject(left) ? Object.keys(left) : [];
  const inner = isJsonObject(left) ? left[name] : undefined;
  const key = isJsonObject(inner) ? (inner["key"] ?? inner["field"]) : undefined;
  return typeof key === "string" ? `${name} ${key}` : name;
}
