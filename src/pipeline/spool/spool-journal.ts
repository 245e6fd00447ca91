import { closeSync, fdatasync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EVENT_NAMES } from "../../contract/event.ts";
import { EXTENSION_NAMES } from "../../contract/extension.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { parseJson } from "../../parse/json.ts";
import { encodeFrame, scanFrames } from "./frame.ts";
import { QUEUES, type Queue } from "./spool-contract.ts";
import { replaceWhole, syncFolderOf, writeWhole } from "./write-whole.ts";

export interface PriorityCounts {
  collected: number;
  dropped: number;
  readonly droppedByName: Map<string, number>;
}

/** What the journal keeps: how far each queue is done, and the counters since they were last taken. */
export interface SpoolState {
  /** Everything up to this sequence has left the queue. */
  readonly released: Record<Queue, number>;
  /** Sequence of the next record: records from here on are not in the counters yet. */
  readonly next: Record<Queue, number>;
  readonly counts: Record<"High" | "Low", PriorityCounts>;
}

const FILE = "journal";
const COMPACT_AT_BYTES = 65_536;
const PRIVATE_FILE = 0o600;

/** The spool's small log of states. Each write holds the whole state, so the last whole one counts. */
export interface SpoolJournal {
  readonly isDamaged: boolean;
  /** Survives `kill -9` when it returns. Throws what write(2) throws. */
  write(state: SpoolState): void;
  sync(): Promise<void>;
  close(): void;
}

export function emptyState(): SpoolState {
  const counts = (): PriorityCounts => ({ collected: 0, dropped: 0, droppedByName: new Map() });
  return {
    released: { high: 0, operational: 0, low: 0, extension: 0 },
    next: { high: 1, operational: 1, low: 1, extension: 1 },
    counts: { High: counts(), Low: counts() },
  };
}

/** Opens the journal and the last state in it; a missing or damaged one starts empty. */
export function openSpoolJournal(folder: string): {
  readonly journal: SpoolJournal;
  readonly state: SpoolState;
} {
  const path = join(folder, FILE);
  const scanned = scanFrames(readOrEmpty(path));
  const last = scanned.frames.at(-1);
  const state = last === undefined ? emptyState() : stateFrom(last.payload.toString("utf8"));
  let descriptor = openSync(path, "a", PRIVATE_FILE);
  let bytes = scanned.goodEnd;
  ftruncateSync(descriptor, bytes);
  let isDirty = false;
  let isNewName = true;
  let syncing: number | undefined;

  function compact(frame: Buffer): void {
    const fresh = replaceWhole(path, frame);
    // Left to the fdatasync(2) under way, which must not find another file behind its number.
    if (descriptor !== syncing) closeSync(descriptor);
    descriptor = fresh;
    isNewName = true;
    bytes = frame.length;
  }

  function syncData(): Promise<void> {
    const synced = descriptor;
    syncing = synced;
    return new Promise((resolve, reject) => {
      fdatasync(synced, (error) => {
        syncing = undefined;
        if (descriptor !== synced) closeSync(synced);
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  return {
    state,
    journal: {
      isDamaged: scanned.damaged > 0 || (scanned.isTorn && scanned.frames.length === 0),
      write(next) {
        const frame = encodeFrame(Buffer.from(JSON.stringify(toJson(next)), "utf8"));
        isDirty = true;
        if (bytes + frame.length > COMPACT_AT_BYTES) {
          compact(frame);
          return;
        }
        try {
          writeWhole(descriptor, frame);
        } catch (error) {
          ftruncateSync(descriptor, bytes);
          throw error;
        }
        bytes += frame.length;
      },
      async sync() {
        if (!isDirty) return;
        const isNamed = !isNewName;
        isDirty = false;
        isNewName = false;
        try {
          await syncData();
          if (!isNamed) await syncFolderOf(path);
        } catch (error) {
          isDirty = true;
          isNewName ||= !isNamed;
          throw error;
        }
      },
      close: () => closeSync(descriptor),
    },
  };
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    // The first start has no journal; an unreadable one is replaced when it is opened for writing.
    return Buffer.alloc(0);
  }
}

function toJson(state: SpoolState): JsonObject {
  const counts = (of: PriorityCounts): JsonObject => ({
    collected: of.collected,
    dropped: of.dropped,
    names: Object.fromEntries(of.droppedByName),
  });
  return {
    released: state.released,
    next: state.next,
    high: counts(state.counts.High),
    low: counts(state.counts.Low),
  };
}

function stateFrom(text: string): SpoolState {
  const parsed = parseJson(text, "spool journal");
  const state = emptyState();
  if (!parsed.ok || !isJsonObject(parsed.value)) return state;
  const { released, next, high, low } = parsed.value;
  for (const queue of QUEUES) {
    state.released[queue] = wholeNumber(released, queue, 0);
    state.next[queue] = wholeNumber(next, queue, 1);
  }
  readCounts(high, state.counts.High);
  readCounts(low, state.counts.Low);
  return state;
}

function readCounts(from: JsonValue | undefined, into: PriorityCounts): void {
  into.collected = wholeNumber(from, "collected", 0);
  into.dropped = wholeNumber(from, "dropped", 0);
  const names = isJsonObject(from) ? from["names"] : undefined;
  for (const name of [...EVENT_NAMES, ...EXTENSION_NAMES]) {
    const count = wholeNumber(names, name, 0);
    if (count > 0) into.droppedByName.set(name, count);
  }
}

function wholeNumber(from: JsonValue | undefined, key: string, fallback: number): number {
  const value = isJsonObject(from) ? from[key] : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fallback;
}
