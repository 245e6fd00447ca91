import {
  closeSync,
  fdatasync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { scanFrames } from "./frame.ts";
import { placeOf, type RecordPlace } from "./record.ts";
import { writeWhole } from "./write-whole.ts";

const PRIVATE_FILE = 0o600;
const NAME = /^(high|operational|low|extension)-(\d{16})\.seg$/;

/** One append-only file of a queue. */
export interface Segment {
  readonly path: string;
  /** Sequence of its first record, which is part of its name. */
  readonly firstSequence: number;
  /** Sequence of its last record; `firstSequence - 1` while it is empty. */
  lastSequence: number;
  /** Bytes that hold whole records. */
  bytes: number;
  /** Open for append; undefined for older segments. */
  descriptor: number | undefined;
  /** Descriptor that fdatasync(2) works on just now: it must not be closed under it. */
  syncing: number | undefined;
  /** Records in it that wait, and the bytes of their JSON. */
  waitingEvents: number;
  waitingJsonBytes: number;
}

export interface ScannedSegment {
  readonly segment: Segment;
  readonly places: readonly RecordPlace[];
  readonly damaged: number;
  readonly isTorn: boolean;
}

/** Segment files of a queue in the folder, oldest first. */
export function segmentPaths(folder: string, queue: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => NAME.exec(name)?.[1] === queue)
    .sort()
    .map((name) => join(folder, name));
}

/**
 * As `scanSegment`; `gone` when there is no such file any more, `unreadable` when it cannot be read
 * now: it may be readable later.
 */
export function tryScanSegment(path: string): ScannedSegment | "gone" | "unreadable" {
  try {
    return scanSegment(path);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT"
      ? "gone"
      : "unreadable";
  }
}

/** Sequence in the name of a segment, 0 when the name is none that `createSegment` gives. */
export function sequenceInName(path: string): number {
  const sequence = Number(/(\d{16})\.seg$/.exec(path)?.[1] ?? 0);
  return Number.isSafeInteger(sequence) ? sequence : 0;
}

/** Reads a segment and finds its records; damage is counted. Throws what open(2) and read(2) throw. */
export function scanSegment(path: string): ScannedSegment {
  const { frames, goodEnd, damaged, isTorn } = scanFrames(readFileSync(path));
  const places = frames.flatMap((frame) => placeOf(frame) ?? []);
  const firstSequence = Math.max(1, sequenceInName(path));
  const segment: Segment = {
    path,
    firstSequence,
    lastSequence: places.at(-1)?.sequence ?? firstSequence - 1,
    bytes: goodEnd,
    descriptor: undefined,
    syncing: undefined,
    waitingEvents: 0,
    waitingJsonBytes: 0,
  };
  return { segment, places, damaged: damaged + (frames.length - places.length), isTorn };
}

/** Opens a new segment. Throws what open(2) throws. */
export function createSegment(folder: string, queue: string, firstSequence: number): Segment {
  const path = join(folder, `${queue}-${String(firstSequence).padStart(16, "0")}.seg`);
  // Truncated: only garbage can lie there, since sequences are never used twice.
  const descriptor = openSync(path, "w", PRIVATE_FILE);
  return {
    path,
    firstSequence,
    lastSequence: firstSequence - 1,
    bytes: 0,
    descriptor,
    syncing: undefined,
    waitingEvents: 0,
    waitingJsonBytes: 0,
  };
}

/** Opens an existing segment for append, cutting off what lies behind its last whole record. */
export function reopenSegment(segment: Segment): void {
  segment.descriptor = openSync(segment.path, "r+");
  ftruncateSync(segment.descriptor, segment.bytes);
}

/** Appends bytes whole or not at all. Throws what write(2) throws. */
export function appendWhole(segment: Segment, bytes: Buffer): void {
  const { descriptor } = segment;
  if (descriptor === undefined) throw new Error("the segment is not open");
  try {
    writeWhole(descriptor, bytes, segment.bytes);
  } catch (error) {
    // A part that stays behind would be taken for a torn record; cutting needs no space.
    ftruncateSync(descriptor, segment.bytes);
    throw error;
  }
  segment.bytes += bytes.length;
}

/** The JSON of records of one segment, in order. */
export function readJson(segment: Segment, places: readonly RecordPlace[]): readonly string[] {
  const bytes = readFileSync(segment.path);
  return places.map((place) => bytes.toString("utf8", place.jsonStart, place.end));
}

/** Forces a segment to the disk. Source: fdatasync(2). */
export function syncSegment(segment: Segment): Promise<void> {
  const { descriptor } = segment;
  if (descriptor === undefined) return Promise.resolve();
  segment.syncing = descriptor;
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => {
      segment.syncing = undefined;
      // It was closed meanwhile: its number could have become another file's.
      if (segment.descriptor !== descriptor) closeSync(descriptor);
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** Closes a segment, or leaves that to the fdatasync(2) under way. */
export function closeSegment(segment: Segment): void {
  const { descriptor } = segment;
  segment.descriptor = undefined;
  if (descriptor !== undefined && descriptor !== segment.syncing) closeSync(descriptor);
}

export function deleteSegment(segment: Segment): void {
  closeSegment(segment);
  try {
    unlinkSync(segment.path);
  } catch {
    // It is gone already, or the folder is read-only: recovery skips what the cursor has passed.
  }
}
