import { EVENT_NAMES, type EventName } from "../../contract/event.ts";
import { encodeFrame, type Frame, MAX_PAYLOAD_BYTES } from "./frame.ts";

/**
 * What a spool record says of its event, without the event:
 *
 *   sequence f64 LE | appended at, epoch ms f64 LE | priority u8 (0 Low, 1 High) | name index u8 | JSON
 */
export interface RecordFacts {
  readonly sequence: number;
  readonly appendedAtMs: number;
  readonly priority: "High" | "Low";
  readonly name: EventName;
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

export function encodeRecord(facts: RecordFacts, json: string): Buffer {
  const text = Buffer.from(json, "utf8");
  const payload = Buffer.allocUnsafe(FACTS_BYTES + text.length);
  payload.writeDoubleLE(facts.sequence, 0);
  payload.writeDoubleLE(facts.appendedAtMs, 8);
  payload.writeUInt8(facts.priority === "High" ? 1 : 0, 16);
  payload.writeUInt8(EVENT_NAMES.indexOf(facts.name), 17);
  text.copy(payload, FACTS_BYTES);
  return encodeFrame(payload);
}

/** The record in a frame, or undefined when the frame holds none: an older or foreign format. */
export function placeOf(frame: Frame): RecordPlace | undefined {
  const { payload } = frame;
  if (payload.length < FACTS_BYTES) return undefined;
  const sequence = payload.readDoubleLE(0);
  const appendedAtMs = payload.readDoubleLE(8);
  const name = EVENT_NAMES[payload.readUInt8(17)];
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
