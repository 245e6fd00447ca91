import { isJsonObject, type JsonValue } from "../../contract/json.ts";
import type { NftRule, NftStatement } from "./model.ts";

/** `add @seen { … }`, where nft has no JSON for the statement. */
const WRITTEN = /^(?:add|update|delete) @(\S+) /;

/**
 * Names of the sets and maps that these rules, of one table, put elements into or take them out of. Their
 * content follows the traffic. nft 1.0.6 does not list the flag `dynamic`, so only the rules tell.
 */
export function writtenSets(rules: readonly NftRule[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const rule of rules) {
    for (const statement of rule.statements) {
      const name = writtenBy(statement);
      if (name !== undefined) names.add(name);
    }
  }
  return names;
}

function writtenBy(statement: NftStatement): string | undefined {
  if (typeof statement === "string") return WRITTEN.exec(statement)?.[1];
  return nameIn(statement["set"], "set") ?? nameIn(statement["map"], "map");
}

function nameIn(value: JsonValue | undefined, key: "set" | "map"): string | undefined {
  const name = value !== undefined && isJsonObject(value) ? value[key] : undefined;
  return typeof name === "string" ? name.replace(/^@/, "") : undefined;
}
