import type { TableFamily } from "../../contract/firewall.ts";
import type { JsonObject, JsonValue } from "../../contract/json.ts";
import type { Problem } from "../../contract/result.ts";

/** Where an object belongs. */
export interface NftPlace {
  readonly family: TableFamily;
  readonly table: string;
}

export interface NftTable {
  readonly family: TableFamily;
  readonly name: string;
  /** `dormant`, `owner`, `persist`. */
  readonly flags: readonly string[];
}

/** What makes a chain a base chain. */
export interface NftBase {
  readonly type: string;
  readonly hook: string;
  readonly priority: number;
  /** Absent where the kernel has the default, accept. */
  readonly policy?: string;
  readonly devices: readonly string[];
}

export interface NftChain extends NftPlace {
  readonly name: string;
  readonly base?: NftBase;
}

/**
 * A match or statement as nft wrote it. A string is nft's own language: what it has no JSON for, such as
 * `add @map { ip saddr : 22 }` (seen with 1.0.6, `stmt_print_json` in src/json.c).
 */
export type NftStatement = JsonObject | string;

export interface NftRule extends NftPlace {
  readonly chain: string;
  readonly handle?: number;
  readonly comment?: string;
  /** In evaluation order. */
  readonly statements: readonly NftStatement[];
}

/** A set, map or verdict map. */
export interface NftSet extends NftPlace {
  readonly kind: "set" | "map";
  readonly name: string;
  readonly flags: readonly string[];
  /** Of maps: what keys lead to, `verdict` or a type. */
  readonly mapsTo?: JsonValue;
  readonly elements: readonly JsonValue[];
  /** All of it, for printing. */
  readonly object: JsonObject;
}

/** Counters, quotas, limits, helpers, flow tables and kinds to come: kept, not read. */
export interface NftOther {
  readonly kind: string;
  readonly object: JsonObject;
}

/** A rule set, every list in the order of the text. */
export interface NftRuleset {
  readonly tables: readonly NftTable[];
  readonly chains: readonly NftChain[];
  readonly rules: readonly NftRule[];
  readonly sets: readonly NftSet[];
  readonly others: readonly NftOther[];
}

export interface NftReading {
  readonly ruleset: NftRuleset;
  /** What could not be read, the first 100. */
  readonly problems: readonly Problem[];
  /** False where objects may be missing. */
  readonly isComplete: boolean;
}
