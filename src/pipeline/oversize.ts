import { createHash } from "node:crypto";
import type { SecurityEvent } from "../contract/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";

/** Bytes kept free per item for the marks that a split adds. */
const MARK_BYTES = 160;
const SHORTEST_KEPT = 32;

/**
 * Splits an event whose JSON is larger than `maxBytes` by its payload items. Every part is a whole
 * event of schema 1.0 with an Id derived from the original one, so that a part sent twice is still
 * visible as a duplicate; `ExtraDetails` of its items name the original (`PartOf`) and the place
 * (`Part`, such as `2/5`). An item that is too large alone has its longest texts cut and is marked
 * `Truncated`. An event that fits is returned as it is.
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
        : marked(item, { PartOf: event.Id, Part: `${index + 1}/${groups.length}` }),
    ),
  }));
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

/** The item, or a copy whose longest texts are cut until it fits. */
function fitItem(item: JsonObject, room: number): JsonObject {
  let current = item;
  for (let round = 0; round < 64 && jsonBytes(current) > room; round += 1) {
    const excess = jsonBytes(current) - room;
    const cut = cutLongestText(current, excess + MARK_BYTES);
    if (cut === undefined) break;
    current = marked(cut, { Truncated: "true" });
  }
  return current;
}

function cutLongestText(item: JsonObject, excess: number): JsonObject | undefined {
  const longest = longestText(item);
  if (longest === undefined || longest.text.length <= SHORTEST_KEPT) return undefined;
  const keptLength = Math.max(SHORTEST_KEPT, longest.text.length - excess);
  const removed =
    Buffer.byteLength(longest.text) - Buffer.byteLength(longest.text.slice(0, keptLength));
  const text = `${longest.text.slice(0, keptLength)}…[truncated ${removed} bytes]`;
  return replaced(item, longest.path, text);
}

interface TextAt {
  readonly path: readonly string[];
  readonly text: string;
}

function longestText(item: JsonObject): TextAt | undefined {
  let longest: TextAt | undefined;
  for (const [name, value] of Object.entries(item)) {
    const found: TextAt | undefined =
      typeof value === "string"
        ? { path: [name], text: value }
        : isJsonObject(value)
          ? prefixed(name, longestText(value))
          : undefined;
    if (found !== undefined && found.text.length > (longest?.text.length ?? -1)) longest = found;
  }
  return longest;
}

function prefixed(name: string, found: TextAt | undefined): TextAt | undefined {
  return found === undefined ? undefined : { path: [name, ...found.path], text: found.text };
}

function replaced(item: JsonObject, path: readonly string[], text: string): JsonObject {
  const [name = "", ...rest] = path;
  const inner = item[name];
  const value: JsonValue =
    rest.length > 0 && isJsonObject(inner) ? replaced(inner, rest, text) : text;
  return { ...item, [name]: value };
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
