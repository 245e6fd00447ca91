import type { ConfigurationFinding } from "../contract/agent-facts.ts";
import type { JsonObject, JsonValue } from "../contract/json.ts";
import type { Settings } from "../contract/settings.ts";

/**
 * applied: the desired value is in force. defaulted: nothing is desired, the default is in force.
 * rejected: the desired value is bad, the value that was in force stays.
 */
export type PropertyOutcome = "applied" | "defaulted" | "rejected";

/** What became of one property. */
export interface PropertyVerdict {
  /** Name on the wire. */
  readonly name: string;
  readonly outcome: PropertyOutcome;
  /** The value in force afterwards, in its canonical wire form. */
  readonly inForce: JsonValue;
  /** Why it was rejected: printable ASCII, at most 110 characters. Absent otherwise. */
  readonly reason?: string;
}

/** A key that the dialect does not know. */
export interface UnknownKey {
  /** Printable ASCII, at most 80 characters. */
  readonly name: string;
  /** The known name that was probably meant. */
  readonly suggestion?: string;
}

/** The judgement of one desired document. */
export interface TwinVerdict {
  /** The settings in force afterwards, complete. */
  readonly settings: Settings;
  /** Every property of the published twin, and what else was desired, in the order of the dialect. */
  readonly properties: readonly PropertyVerdict[];
  /** Known keys that this agent has no use for, in document order. */
  readonly unsupported: readonly string[];
  /** Unknown keys in document order, at most 64. */
  readonly unknown: readonly UnknownKey[];
  /** What was desired and is no setting, by key, as it was written: read and judged by others. */
  readonly documents: Readonly<Record<string, JsonValue>>;
  /** At most 64. */
  readonly findings: readonly ConfigurationFinding[];
}

/** One way to spell settings in a twin. Its wire names stay in its own files. */
export interface TwinDialect {
  readonly name: string;
  /** Key of the configuration object among the desired and the reported properties. */
  readonly objectName: string;
  /** In force where nothing is desired: the local configuration over the built-in defaults. */
  readonly defaults: Settings;
  /** Every key of the configuration object that means something, in order. */
  readonly keys: readonly string[];
  /** Judges desired properties of any content. Never throws; same input, same output. */
  evaluate(desired: JsonObject, inForce: Settings): TwinVerdict;
  /** The reported form of the settings in force, without `objectName` around it. */
  report(inForce: Settings, verdict?: TwinVerdict): JsonObject;
}
