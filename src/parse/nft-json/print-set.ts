import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftSet, NftStatement } from "./model.ts";
import { type Names, printElement, printExpression, quoted } from "./print-expression.ts";
import { printStatement } from "./print-statement.ts";

/** Types whose values are quoted. */
const NAME_TYPES: ReadonlySet<string> = new Set(["ifname", "string", "time", "day", "hour"]);
/** Types that need a length, which only `typeof` gives: nft writes the type alone. */
const UNSIZED_TYPES: ReadonlySet<string> = new Set(["integer", "string"]);
const DEEPEST_LOOK = 16;

/** What the set's table says of it beyond its own object. */
export interface SetUse {
  /** Rules put elements into it: nft 1.0.6 does not write the flag `dynamic`. */
  readonly isWritten: boolean;
  /** Of the table. */
  readonly statements: readonly NftStatement[];
}

/** A set or map with its elements, in nft's own language. Source: nft(8), sets and maps. */
export function printSet(set: NftSet, { isWritten, statements }: SetUse): string {
  const { object } = set;
  const flags = [...flagsOf(object), ...(isWritten ? ["dynamic"] : [])];
  const stateful = Array.isArray(object["stmt"]) ? object["stmt"].filter(isJsonObject) : [];
  const lines = [
    typeLine(set, statements),
    ...(typeof object["policy"] === "string" ? [`policy ${object["policy"]};`] : []),
    ...(flags.length === 0 ? [] : [`flags ${[...new Set(flags)].join(",")};`]),
    ...stateful.map((statement) => `${printStatement(statement)};`),
    ...seconds(object, "timeout"),
    ...seconds(object, "gc-interval"),
    ...(typeof object["size"] === "number" ? [`size ${object["size"]};`] : []),
    ...(object["auto-merge"] === true ? ["auto-merge;"] : []),
    ...(typeof object["comment"] === "string" ? [`comment ${quoted(object["comment"])};`] : []),
    ...elementLines(set),
  ];
  return `${set.kind} ${set.name} {\n${lines.map((line) => `${line}\n`).join("")}}`;
}

function flagsOf({ flags }: JsonObject): readonly string[] {
  if (Array.isArray(flags)) return flags.map(String);
  return typeof flags === "string" ? [flags] : [];
}

function seconds(object: JsonObject, key: string): readonly string[] {
  return typeof object[key] === "number" ? [`${key} ${object[key]}s;`] : [];
}

/** `type …`; for a type without length `typeof` what the set is compared with, if a rule does. */
function typeLine(set: NftSet, statements: readonly NftStatement[]): string {
  const types = typesOf(set.object["type"]);
  if (types.some((type) => UNSIZED_TYPES.has(type))) {
    const key = keyOf(statements, `@${set.name}`, 0);
    const isReadable = set.mapsTo === undefined || set.mapsTo === "verdict";
    if (key !== undefined && isReadable) {
      return `typeof ${printExpression(key)}${set.mapsTo === undefined ? "" : " : verdict"};`;
    }
  }
  const target = set.mapsTo === undefined ? "" : ` : ${dataType(set)}`;
  return `type ${types.join(" . ")}${target};`;
}

/** nft does not write that the data of a map are ranges, but shows them. */
function dataType({ mapsTo, elements }: NftSet): string {
  const hasRanges = elements.some((element) => Array.isArray(element) && isRanged(element[1]));
  return `${hasRanges ? "interval " : ""}${typesOf(mapsTo).join(" . ")}`;
}

function isRanged(data: JsonValue | undefined): boolean {
  if (data === undefined || !isJsonObject(data)) return false;
  if (data["range"] !== undefined || data["prefix"] !== undefined) return true;
  return Array.isArray(data["concat"]) && data["concat"].some(isRanged);
}

/** What a rule compares with the set, looks up in the map, or puts into it. */
function keyOf(value: JsonValue, reference: string, depth: number): JsonValue | undefined {
  if (depth > DEEPEST_LOOK) return undefined;
  if (Array.isArray(value)) {
    for (const part of value) {
      const found = keyOf(part, reference, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  if (value["right"] === reference) return value["left"];
  if (value["data"] === reference) return value["key"];
  if (value["set"] === reference) return plainKey(value["elem"]);
  return keyOf(
    Object.values(value).filter((inner) => inner !== undefined),
    reference,
    depth + 1,
  );
}

function plainKey(element: JsonValue | undefined): JsonValue | undefined {
  const wrapped = element !== undefined && isJsonObject(element) ? element["elem"] : undefined;
  return wrapped !== undefined && isJsonObject(wrapped) ? wrapped["val"] : element;
}

function elementLines(set: NftSet): readonly string[] {
  if (set.elements.length === 0) return [];
  const areNames = typesOf(set.object["type"]).map((type) => NAME_TYPES.has(type));
  const names: Names = areNames.length === 1 ? (areNames[0] ?? false) : areNames;
  const elements = set.elements.map((element) => printElement(element, names));
  return [`elements = { ${elements.join(", ")} };`];
}

/** Of one type, or of the parts of a concatenation: nft writes a list, or `a . b`. */
function typesOf(type: JsonValue | undefined): readonly string[] {
  return Array.isArray(type) ? type.map(String) : String(type ?? "").split(" . ");
}
