import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { fail, ok, type Result } from "../../contract/result.ts";

/** Where reading goes on: the last event that nobody needs any more. */
export interface Position {
  readonly sequenceNumber: number;
  /** Opaque text of the event hub. */
  readonly offset: string;
}

/** What is kept of a partition, written in one step. */
export interface SavedPartition {
  /** Undefined while the first event ever read is still needed. */
  readonly position: Position | undefined;
  /** Sequence number of the first event that is needed; those before are skipped. */
  readonly neededFrom: number;
  /** What the analyzer gave to be kept; undefined when it keeps nothing. */
  readonly analyzer: JsonValue | undefined;
  /** Of each output by its name: ids of alerts that it has, with the sequence number they were made at. */
  readonly delivered: Readonly<Record<string, readonly DeliveredId[]>>;
}

export type DeliveredId = readonly [id: string, sequenceNumber: number];

export function savedText(saved: SavedPartition): string {
  return JSON.stringify({ version: 1, ...saved });
}

/** Reads what `savedText` wrote. Errors: `malformed`, `unsupported` (a later version). */
export function savedPartition(json: JsonValue, subject: string): Result<SavedPartition> {
  if (!isJsonObject(json)) return fail("malformed", subject, "is no object");
  if (json["version"] !== 1) return fail("unsupported", subject, "was written by another version");
  const { neededFrom, analyzer } = json;
  const position = positionOf(json["position"]);
  if (!isSequenceNumber(neededFrom) || position === null) {
    return fail("malformed", subject, "holds no position");
  }
  return ok({ position, neededFrom, analyzer, delivered: deliveredOf(json["delivered"]) });
}

function positionOf(json: JsonValue | undefined): Position | undefined | null {
  if (json === undefined) return undefined;
  if (!isJsonObject(json)) return null;
  const { sequenceNumber, offset } = json;
  if (!isSequenceNumber(sequenceNumber) || typeof offset !== "string") return null;
  return { sequenceNumber, offset };
}

/** What cannot be read is left out: at worst an alert is repeated, with the id it had. */
function deliveredOf(json: JsonValue | undefined): SavedPartition["delivered"] {
  const outputs: JsonObject = isJsonObject(json) ? json : {};
  return Object.fromEntries(
    Object.entries(outputs).map(([name, ids]) => [
      name,
      Array.isArray(ids) ? ids.flatMap(idOf) : [],
    ]),
  );
}

function idOf(json: JsonValue): readonly DeliveredId[] {
  if (!Array.isArray(json)) return [];
  const [id, sequenceNumber] = json;
  return typeof id === "string" && typeof sequenceNumber === "number" ? [[id, sequenceNumber]] : [];
}

function isSequenceNumber(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
