import { createHash } from "node:crypto";
import type { SecurityEvent } from "../contract/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";

/** Bytes kept free per item for the marks that a split adds. */
const MARK_BYTES = 160;
/** Length of the note on what a cut text lost: `…[truncated 1048576 bytes]`. */
const NOTE_UNITS = 32;
const SHORTEST_CUT = 2 * NOTE_UNITS;
const TRUNCATED: JsonObject = { Truncated: "true" };

/**
 * Splits an event whose JSON is larger than `maxBytes` by its payload items. Every part is a whole
 * event of schema 1.0 with an Id derived from the original one, so that a part sent twice is still
 * visible as a duplicate; `ExtraDetails` of its items name the original (`PartOf`) and the place
 * (`Part`, such as `2/5`, or `2/5.1/3` when a part was split again). An item that is too large alone has
 * its longest texts cut, and at worst its last fields left out, and is marked `Truncated`. An event that fits is returned as it is.
 */
export function splitOversize(event: SecurityEvent, maxBytes: number): readonly SecurityEvent[] {
  if (jsonBytes(event) <= maxBytes || event.Payload.length === 0) return [event];
  const frameBytes = jsonBytes({ ...event, Payload: [] });
  const room = Math.max(maxBytes - frameBytes, 512);
  const groups = groupItems(event.Payload, room);
  return groups.map((group, index) => ({
    ...event,
    Id: index === 0 && groups.length === 1 ? event.Id : derivedId(event.Id, index),
    Payload: group.map((item) =>
      groups.length === 1
        ? item
        : marked(item, partMarks(event.Id, item, `${index + 1}/${groups.length}`)),
    ),
  }));
}

/** A part that is split again still names the event it came from, and its place in each split. */
function partMarks(id: string, item: JsonObject, part: string): JsonObject {
  const details = item["ExtraDetails"];
  const { PartOf, Part } = isJsonObject(details) ? details : {};
  if (typeof PartOf !== "string" || typeof Part !== "string") return { PartOf: id, Part: part };
  return { PartOf, Part: `${Part}.${part}` };
}

function groupItems(
  items: readonly JsonObject[],
  room: number,
): readonly (readonly JsonObject[])[] {
  const groups: JsonObject[][] = [];
  let group: JsonObject[] = [];
  let used = 0;
  for (const item of items) {
    const fitting = fitItem(item, room - MARK_BYTES);
    const size = jsonBytes(fitting) + MARK_BYTES + 1;
    if (group.length > 0 && used + size > room) {
      groups.push(group);
      group = [];
      used = 0;
    }
    group.push(fitting);
    used += size;
  }
  groups.push(group);
  return groups;
}

/**
 * The item, or a copy that fits: texts above one common length are cut, the shortest cut that does.
 * An item of countless small fields also loses its last ones. What was done is marked.
 */
function fitItem(item: JsonObject, room: number): JsonObject {
  if (jsonBytes(item) <= room) return item;
  const shortest = withTextsCut(item, SHORTEST_CUT);
  if (jsonBytes(marked(shortest, TRUNCATED)) > room) return withFieldsLeftOut(shortest, room);
  return largestFitting(
    SHORTEST_CUT,
    room,
    (length) => marked(withTextsCut(item, length), TRUNCATED),
    room,
  );
}

/** The last of `make(low..high)` that fits, by bisection; `make(low)` is known to fit. */
function largestFitting(
  low: number,
  high: number,
  make: (size: number) => JsonObject,
  room: number,
): JsonObject {
  let best = make(low);
  let from = low + 1;
  let to = high;
  while (from <= to) {
    const middle = Math.floor((from + to) / 2);
    const candidate = make(middle);
    if (jsonBytes(candidate) <= room) {
      best = candidate;
      from = middle + 1;
    } else to = middle - 1;
  }
  return best;
}

function withTextsCut(item: JsonObject, length: number): JsonObject {
  const cut = (value: JsonValue): JsonValue =>
    typeof value === "string"
      ? cutText(value, length)
      : isJsonObject(value)
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cut(inner)]))
        : value;
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, cut(value)]));
}

/** At most `length` UTF-16 units, the note on what is missing included; never half a character. */
function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
  const end = length - NOTE_UNITS;
  const kept = text.slice(0, isHigh(text.charCodeAt(end - 1)) ? end - 1 : end);
  const removed = Buffer.byteLength(text) - Buffer.byteLength(kept);
  return `${kept}…[truncated ${removed} bytes]`;
}

function withFieldsLeftOut(item: JsonObject, room: number): JsonObject {
  const leaves = Object.entries(item).flatMap(([name, value]): readonly Leaf[] =>
    isJsonObject(value)
      ? Object.entries(value).map(([inner, innerValue]) => ({ name, inner, value: innerValue }))
      : [{ name, value }],
  );
  const keep = (count: number): JsonObject => {
    const kept = new Map<string, JsonValue>();
    for (const { name, inner, value } of leaves.slice(0, count)) {
      const outer = kept.get(name);
      const members = outer !== undefined && isJsonObject(outer) ? outer : {};
      kept.set(name, inner === undefined ? value : { ...members, [inner]: value });
    }
    const omitted = String(leaves.length - count);
    return marked(Object.fromEntries(kept), { ...TRUNCATED, OmittedFields: omitted });
  };
  return largestFitting(0, leaves.length - 1, keep, room);
}

interface Leaf {
  readonly name: string;
  /** Member of `name`, when that is an object. */
  readonly inner?: string;
  readonly value: JsonValue;
}

function marked(item: JsonObject, marks: JsonObject): JsonObject {
  const details = item["ExtraDetails"];
  return { ...item, ExtraDetails: { ...(isJsonObject(details) ? details : {}), ...marks } };
}

/** A name-based UUID of a part. Source: RFC 9562 section 5.5, with the original Id as namespace text. */
function derivedId(id: string, index: number): string {
  const hash = createHash("sha1").update(`${id}/${index}`).digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [8, 12, 16, 20, 32]
    .map((end, part, ends) => hex.slice(part === 0 ? 0 : ends[part - 1], end))
    .join("-");
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
