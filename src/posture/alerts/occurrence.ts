import { isJsonObject, type JsonValue } from "../../contract/json.ts";
import { fail, ok, type Result } from "../../contract/result.ts";
import { timestampMs } from "./event-time.ts";

/** Fields of a payload item, by name. */
export type ItemFields = Readonly<Record<string, unknown>>;

/** An event as the rules see it, from wherever it comes. */
export interface AlertEvent {
  /** `Id`, or empty where it has none yet. */
  readonly id: string;
  /** `Name`, such as `Login`. */
  readonly name: string;
  /** When it happened, ms since the Unix epoch. */
  readonly atMs: number;
  readonly items: readonly ItemFields[];
}

/** One payload item: what happened, how often, and between when and when. */
export interface Occurrence {
  readonly eventId: string;
  readonly name: string;
  readonly item: ItemFields;
  readonly firstMs: number;
  readonly lastMs: number;
  /** At least 1. */
  readonly hits: number;
}

/** More hits than any window of aggregation can hold: the number is not believed beyond. */
const MAX_HITS = 1_000_000;
/** An aggregated event that claims to span more is taken at its end. */
const MAX_SPAN_MS = 7 * 86_400_000;
const MAX_ITEMS = 1_024;

/**
 * Reads an event as published in security message schema 1.0. Only what the rules need is looked at.
 * Errors: `malformed` (no event, no name, no time, no payload).
 */
export function readAlertEvent(json: JsonValue): Result<AlertEvent> {
  if (!isJsonObject(json)) return fail("malformed", "event", "no object");
  const { Id: id, Name: name, TimestampUTC: time, Payload: payload } = json;
  if (typeof name !== "string") return fail("malformed", "event", "no Name");
  const atMs = typeof time === "string" ? timestampMs(time) : undefined;
  if (atMs === undefined) return fail("malformed", "event", "no TimestampUTC");
  if (!Array.isArray(payload) || payload.length > MAX_ITEMS) {
    return fail("malformed", "event", "no Payload");
  }
  const items = payload.filter(isJsonObject);
  if (items.length < payload.length) return fail("malformed", "event", "Payload of other things");
  return ok({ id: typeof id === "string" ? id.slice(0, 64) : "", name, atMs, items });
}

/**
 * What an event tells, one occurrence per payload item. Of an aggregated one: `HitCount` of its
 * ExtraDetails, and `StartTimeUtc` and `EndTimeUtc` (or `StartTimeLocal` and `EndTimeLocal`); what of it
 * cannot be read counts as absent.
 */
export function occurrencesOf(event: AlertEvent): readonly Occurrence[] {
  return event.items.slice(0, MAX_ITEMS).map((item) => {
    const lastMs = detailTime(item, "EndTime") ?? event.atMs;
    const startMs = detailTime(item, "StartTime") ?? lastMs;
    const isSpan = startMs <= lastMs && lastMs - startMs <= MAX_SPAN_MS;
    const hits = detailOf(item, "HitCount") ?? "1";
    const count = /^[1-9]\d{0,8}$/.test(hits) ? Math.min(Number(hits), MAX_HITS) : 1;
    const firstMs = isSpan && count > 1 ? startMs : lastMs;
    return { eventId: event.id, name: event.name, item, firstMs, lastMs, hits: count };
  });
}

/**
 * How many hits fall into [fromMs, toMs). The first and the last hit are at the times told; those in
 * between are taken to be evenly spread, so that one aggregated event neither crowds one window nor
 * leaves the others empty. Over adjoining windows the parts add up to all hits.
 */
export function hitsBetween(occurrence: Occurrence, fromMs: number, toMs: number): number {
  return hitsBefore(occurrence, toMs) - hitsBefore(occurrence, fromMs);
}

function hitsBefore({ firstMs, lastMs, hits }: Occurrence, beforeMs: number): number {
  if (beforeMs <= firstMs) return 0;
  if (beforeMs > lastMs) return hits;
  return Math.ceil(((beforeMs - firstMs) * (hits - 1)) / (lastMs - firstMs));
}

/** A field of text; undefined when it is absent or of another type. */
export function textOf(item: ItemFields, name: string): string | undefined {
  const value = Object.hasOwn(item, name) ? item[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** A member of ExtraDetails; undefined when it is absent or no text. */
export function detailOf(item: ItemFields, name: string): string | undefined {
  const details = Object.hasOwn(item, "ExtraDetails") ? item["ExtraDetails"] : undefined;
  return isJsonObject(details) ? textOf(details, name) : undefined;
}

function detailTime(item: ItemFields, name: string): number | undefined {
  const text = detailOf(item, `${name}Utc`) ?? detailOf(item, `${name}Local`);
  return text === undefined ? undefined : timestampMs(text);
}
