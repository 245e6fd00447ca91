import { closeSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { isEventName, type PayloadItem } from "../../contract/event.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { type AggregatedEventName, isAggregatedEventName } from "../../contract/settings.ts";
import { parseJsonObject } from "../../parse/json.ts";
import { encodeFrame, scanFrames } from "../spool/frame.ts";
import { replaceWhole, writeWhole } from "../spool/write-whole.ts";

/** A window as the journal keeps it. Times are wall clock ms. */
export interface OpenWindow {
  readonly name: AggregatedEventName;
  readonly key: string;
  /** The first occurrence, whole. */
  readonly item: PayloadItem;
  readonly firstMs: number;
  lastMs: number;
  hits: number;
}

const PRIVATE_FILE = 0o600;
const COMPACT_AT_BYTES = 262_144;

/**
 * Open aggregation windows on disk, so that a distinct event is never lost: its first occurrence is
 * written before `opened` returns, its count from time to time.
 */
export interface AggregationJournal {
  /** Windows that were open when the agent last ended, with the counts last written. */
  readonly leftOpen: readonly OpenWindow[];
  /** Throws what write(2) throws. */
  opened(window: OpenWindow): void;
  counted(windows: readonly OpenWindow[]): void;
  /** The windows have been emitted. What cannot be written now is written with what comes next. */
  closed(keys: readonly string[]): void;
  close(): void;
}

/** `open` gives the windows that are open now, for when the file is written anew. */
export function openAggregationJournal(
  path: string,
  open: () => Iterable<OpenWindow>,
): AggregationJournal {
  const scanned = scanFrames(readOrEmpty(path));
  const leftOpen = replay(scanned.frames.map((frame) => frame.payload.toString("utf8")));
  let descriptor = openSync(path, "a", PRIVATE_FILE);
  let bytes = scanned.goodEnd;
  let compactAtBytes = COMPACT_AT_BYTES;
  /** Windows that were emitted while the disk refused to hear of it: they must not come back. */
  let unwritten: readonly JsonObject[] = [];
  ftruncateSync(descriptor, bytes);

  function write(records: readonly JsonObject[]): void {
    const frames = framesOf([...unwritten, ...records]);
    try {
      writeWhole(descriptor, frames);
    } catch (error) {
      ftruncateSync(descriptor, bytes);
      throw error;
    }
    unwritten = [];
    bytes += frames.length;
  }

  /** Writes the file anew once it has doubled; the old one stays whole until the new one is. */
  function compactWhenLarge(): void {
    if (bytes < compactAtBytes) return;
    const remaining = framesOf([...open()].map(openRecord));
    const fresh = replaceWhole(path, remaining);
    closeSync(descriptor);
    descriptor = fresh;
    bytes = remaining.length;
    compactAtBytes = Math.max(COMPACT_AT_BYTES, bytes * 2);
  }

  return {
    leftOpen,
    opened: (window) => write([openRecord(window)]),
    counted(windows) {
      if (windows.length === 0) return;
      write(windows.map(({ key, hits, lastMs }) => ({ key, hits, lastMs })));
      compactWhenLarge();
    },
    closed(keys) {
      const records = keys.map((key) => ({ closed: key }));
      try {
        write(records);
      } catch (error) {
        unwritten = [...unwritten, ...records];
        throw error;
      }
      compactWhenLarge();
    },
    close: () => closeSync(descriptor),
  };
}

function framesOf(records: readonly JsonObject[]): Buffer {
  return Buffer.concat(
    records.map((record) => encodeFrame(Buffer.from(JSON.stringify(record), "utf8"))),
  );
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    // No journal yet; an unreadable one is reported when it is opened for writing.
    return Buffer.alloc(0);
  }
}

function openRecord(window: OpenWindow): JsonObject {
  const { name, key, firstMs, lastMs, hits } = window;
  return { name, key, firstMs, lastMs, hits, item: JSON.stringify(window.item) };
}

function replay(texts: readonly string[]): readonly OpenWindow[] {
  const open = new Map<string, OpenWindow>();
  for (const text of texts) {
    const parsed = parseJsonObject(text, "aggregation journal", { maxLength: 4_194_304 });
    if (!parsed.ok) continue;
    const { closed, key, hits, lastMs } = parsed.value;
    if (typeof closed === "string") open.delete(closed);
    const opened = windowFrom(parsed.value);
    if (opened !== undefined) open.set(opened.key, opened);
    const known = typeof key === "string" ? open.get(key) : undefined;
    if (known !== undefined && isCount(hits) && typeof lastMs === "number") {
      known.hits = hits;
      known.lastMs = lastMs;
    }
  }
  return [...open.values()];
}

function windowFrom(record: JsonObject): OpenWindow | undefined {
  const { name, key, firstMs, lastMs, hits, item } = record;
  if (typeof name !== "string" || !isEventName(name) || !isAggregatedEventName(name))
    return undefined;
  if (typeof key !== "string" || typeof item !== "string") return undefined;
  if (typeof firstMs !== "number" || typeof lastMs !== "number" || !isCount(hits)) {
    return undefined;
  }
  const parsed = parseJsonObject(item, "aggregated item", { maxLength: 4_194_304 });
  return parsed.ok ? { name, key, item: itemFrom(parsed.value), firstMs, lastMs, hits } : undefined;
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

/** Payload items are flat: text, numbers, booleans and one map of text. */
function itemFrom(value: JsonObject): PayloadItem {
  const item: Record<string, string | number | boolean | Record<string, string>> = {};
  for (const [name, field] of Object.entries(value)) {
    if (typeof field === "string" || typeof field === "number" || typeof field === "boolean") {
      item[name] = field;
    } else if (isJsonObject(field)) {
      item[name] = Object.fromEntries(
        Object.entries(field).map(([key, text]) => [key, String(text)]),
      );
    }
  }
  return item;
}
