import {
  closeSync,
  fdatasync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { scanFrames } from "./frame.ts";
import { placeOf, type RecordPlace } from "./record.ts";

const PRIVATE_FILE = 0o600;
const NAME = /^(high|operational|low)-(\d{16})\.seg$/;

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

/** Reads a segment and finds its records; damage is counted, never an error. */
export function scanSegment(path: string): ScannedSegment {
  const { frames, goodEnd, damaged, isTorn } = scanFrames(readFileSync(path));
  const places = frames.flatMap((frame) => placeOf(frame) ?? []);
  const named = Number(/(\d{16})\.seg$/.exec(path)?.[1] ?? 1);
  const firstSequence = Math.max(1, named);
  const segment: Segment = {
    path,
    firstSequence,
    lastSequence: places.at(-1)?.sequence ?? firstSequence - 1,
    bytes: goodEnd,
    descriptor: undefined,
  };
  return { segment, places, damaged: damaged + (frames.length - places.length), isTorn };
}

/** Opens a new segment. Throws what open(2) throws. */
export function createSegment(folder: string, queue: string, firstSequence: number): Segment {
  const path = join(folder, `${queue}-${String(firstSequence).padStart(16, "0")}.seg`);
  // Truncated: only garbage can lie there, since sequences are never used twice.
  const descriptor = openSync(path, "w", PRIVATE_FILE);
  return { path, firstSequence, lastSequence: firstSequence - 1, bytes: 0, descriptor };
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
  let written = 0;
  try {
    while (written < bytes.length) {
      written += writeSync(descriptor, bytes, written, undefined, segment.bytes + written);
    }
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
  return new Promise((resolve, reject) => {
    fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}

export function closeSegment(segment: Segment): void {
  if (segment.descriptor !== undefined) closeSync(segment.descriptor);
  segment.descriptor = undefined;
}

export function deleteSegment(segment: Segment): void {
  closeSegment(segment);
  try {
    unlinkSync(segment.path);
  } catch {
    // It is gone already, or the folder is read-only: recovery skips what the cursor has passed.
  }
}
