import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { Fault, Schema } from "../contract/schema.ts";

/** What every variable of the agent starts with. */
export const VARIABLE_PREFIX = "GATEWARDEN_";

/** A scalar key of the configuration and the variable that overrides it. */
export interface Override {
  readonly variable: string;
  /** Keys from the root of the configuration. */
  readonly path: readonly string[];
  readonly schema: Schema<unknown>;
}

/** `connectionStringFile` → `CONNECTION_STRING_FILE`. */
function upperSnake(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/-/g, "_")
    .toUpperCase();
}

/** Every scalar key of a schema with its variable, in the order of the schema. */
export function overridesOf(
  schema: Schema<unknown>,
  path: readonly string[] = [],
): readonly Override[] {
  return Object.entries(schema.fields ?? {}).flatMap(([key, field]): readonly Override[] => {
    const below = [...path, key];
    if (field.fields !== undefined) return overridesOf(field, below);
    if (field.jsonSchema()["type"] === "object") return [];
    const variable = `${VARIABLE_PREFIX}${below.map(upperSnake).join("_")}`;
    return [{ variable, path: below, schema: field }];
  });
}

/** The value that a variable's text stands for; text that is no number or boolean stays text. */
export function valueOfVariable(override: Override, given: string): JsonValue {
  const type = override.schema.jsonSchema()["type"];
  if (type === "integer" && /^-?[0-9]{1,15}$/.test(given)) return Number(given);
  if (type === "boolean" && given === "true") return true;
  if (type === "boolean" && given === "false") return false;
  return given;
}

/** The faults of a value against the key it overrides. */
export function faultsOf(override: Override, value: JsonValue): readonly Fault[] {
  const faults: Fault[] = [];
  override.schema.read(value, faults, override.variable);
  return faults;
}

/** The tree with one value put in place; what stands in the way of the path gives way. */
export function withValueAt(
  tree: JsonObject,
  path: readonly string[],
  value: JsonValue,
): JsonObject {
  const [key, ...rest] = path;
  if (key === undefined) return tree;
  if (rest.length === 0) return { ...tree, [key]: value };
  const below = Object.hasOwn(tree, key) ? tree[key] : undefined;
  return { ...tree, [key]: withValueAt(isJsonObject(below) ? below : {}, rest, value) };
}
