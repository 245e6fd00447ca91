import { EVENT_NAMES } from "../../contract/event.ts";
import { EXTENSION_NAMES } from "../../contract/extension.ts";
import { encodeFrame, type Frame, MAX_PAYLOAD_BYTES } from "./frame.ts";
import type { SpooledName } from "./spool-contract.ts";

/**
 * What a spool record says of its event, without the event:
 *
 *   sequence f64 LE | appended at, epoch ms f64 LE | priority u8 (0 Low, 1 High) | name index u8 | JSON
 *
 * Names of extension events begin at 128, so that either list may grow.
 */
export interface RecordFacts {
  readonly sequence: number;
  readonly appendedAtMs: number;
  readonly priority: "High" | "Low";
  readonly name: SpooledName;
}

/** A record found in a segment: its facts and where it lies. */
export interface RecordPlace extends RecordFacts {
  /** Offset of the frame, of the JSON and of what follows the frame. */
  readonly start: number;
  readonly jsonStart: number;
  readonly end: number;
}

const FACTS_BYTES = 18;
/** Longest JSON of a record, UTF-8 bytes: a longer one would be taken for damage when read. */
export const MAX_JSON_BYTES = MAX_PAYLOAD_BYTES - FACTS_BYTES;

const FIRST_EXTENSION = 128;

const INDEXES: ReadonlyMap<SpooledName, number> = new Map<SpooledName, number>([
  ...EVENT_NAMES.map((name, at) => [name, at] as const),
  ...EXTENSION_NAMES.map((name, at) => [name, FIRST_EXTENSION + at] as const),
]);

function nameAt(index: number): SpooledName | undefined {
  return index < FIRST_EXTENSION ? EVENT_NAMES[index] : EXTENSION_NAMES[index - FIRST_EXTENSION];
}

export function encodeRecord(facts: RecordFacts, json: string): Buffer {
  const text = Buffer.from(json, "utf8");
  const payload = Buffer.allocUnsafe(FACTS_BYTES + text.length);
  payload.writeDoubleLE(facts.sequence, 0);
  payload.writeDoubleLE(facts.appendedAtMs, 8);
  payload.writeUInt8(facts.priority === "High" ? 1 : 0, 16);
  payload.writeUInt8(INDEXES.get(facts.name) ?? 255, 17);
  text.copy(payload, FACTS_BYTES);
  return encodeFrame(payload);
}

/** The record in a frame, or undefined when the frame holds none: an older or foreign format. */
export function placeOf(frame: Frame): RecordPlace | undefined {
  const { payload } = frame;
  if (payload.length < FACTS_BYTES) return undefined;
  const sequence = payload.readDoubleLE(0);
  const appendedAtMs = payload.readDoubleLE(8);
  const name = nameAt(payload.readUInt8(17));
  if (!Number.isSafeInteger(sequence) || sequence < 1) return undefined;
  if (!Number.isFinite(appendedAtMs) || name === undefined) return undefined;
  return {
    sequence,
    appendedAtMs,
    priority: payload.readUInt8(16) === 1 ? "High" : "Low",
    name,
    start: frame.start,
    jsonStart: frame.end - payload.length + FACTS_BYTES,
    end: frame.end,
  };
}
