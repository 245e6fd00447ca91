import { encodeRecord, type RecordFacts, type RecordPlace } from "./record.ts";
import {
  appendWhole,
  closeSegment,
  createSegment,
  deleteSegment,
  readJson,
  reopenSegment,
  type Segment,
  segmentPaths,
  sequenceInName,
  syncSegment,
  tryScanSegment,
} from "./segment-file.ts";
import type { Queue, QueuedEvent } from "./spool-contract.ts";
import { syncFolderOf } from "./write-whole.ts";

/** What recovery found in the files of a queue. */
export interface Recovered {
  /** Records that wait, and the bytes of their JSON. */
  readonly events: number;
  readonly jsonBytes: number;
  /** Records that were appended after the journal was last written, by priority. */
  readonly uncounted: Readonly<Record<"High" | "Low", number>>;
  /** Highest sequence that was used, as far as the files tell; 0 when they are empty. */
  readonly newest: number;
  readonly damaged: number;
  readonly torn: number;
}

/**
 * The files of one queue. Only the places of the oldest segment's records are kept in memory; all
 * others are found again when they are needed, so memory does not grow with the cache.
 */
export interface QueueFiles {
  /** Finds what waits behind `released`; the journal counts what lies before `next`. Call once, first. */
  recover(released: number, next: number): Recovered;
  /** Appends whole records; throws what write(2) throws, and then nothing was appended. */
  append(records: readonly { readonly facts: RecordFacts; readonly json: string }[]): number;
  /** Facts of the oldest record that waits. */
  oldest(): RecordPlace | undefined;
  /** Removes the oldest record and returns it. */
  removeOldest(): RecordPlace | undefined;
  peek(maxBytes: number): readonly QueuedEvent[];
  /** Deletes files that are used up. Call when the journal says so, or a kill takes their sequences. */
  deleteSpent(): void;
  /** Rejects with what fdatasync(2) says; the next call tries all of it again. */
  sync(): Promise<void>;
  close(): void;
}

interface Head {
  readonly segment: Segment;
  readonly places: RecordPlace[];
  next: number;
}

/** Bytes of a record besides its JSON. */
export const RECORD_OVERHEAD_BYTES = encodeRecord(
  { sequence: 1, appendedAtMs: 0, priority: "Low", name: "Login" },
  "",
).length;

/** Bytes of JSON in a record. */
export function jsonBytesOf(place: RecordPlace): number {
  return place.end - place.jsonStart;
}

/** Bytes that a record takes on disk. */
export function recordBytesOf(place: RecordPlace): number {
  return place.end - place.start;
}

export function openQueueFiles(options: {
  readonly folder: string;
  readonly queue: Queue;
  readonly segmentBytes: number;
  /** Records that waited are not in their file any more: it is gone or was damaged. */
  readonly onLost: (events: number, jsonBytes: number) => void;
}): QueueFiles {
  const { folder, queue, segmentBytes, onLost } = options;
  let segments: Segment[] = [];
  /** Records of the oldest segment; `next` is the first that waits. */
  let head: Head | undefined;
  /** Used up, but still to be deleted. */
  let spent: Segment[] = [];
  let releasedThrough = 0;
  const unsynced = new Set<Segment>();
  let hasNewFile = false;

  /** Drops the oldest segment; records that should have waited in it and did not are lost. */
  function dropOldest(oldest: Segment): void {
    segments = segments.slice(1);
    unsynced.delete(oldest);
    spent.push(oldest);
    head = undefined;
    reportLost(oldest, 0, 0);
  }

  function reportLost(segment: Segment, events: number, jsonBytes: number): void {
    const lostEvents = segment.waitingEvents - events;
    const lostJsonBytes = segment.waitingJsonBytes - jsonBytes;
    segment.waitingEvents = events;
    segment.waitingJsonBytes = jsonBytes;
    if (lostEvents !== 0 || lostJsonBytes !== 0) onLost(lostEvents, lostJsonBytes);
  }

  /** Makes the oldest segment the head; undefined when none is left or it cannot be read now. */
  function ensureHead(): Head | undefined {
    for (;;) {
      const [oldest] = segments;
      if (oldest === undefined) return undefined;
      if (head === undefined) {
        const scanned = tryScanSegment(oldest.path);
        if (scanned === "unreadable") return undefined;
        if (scanned === "gone") {
          dropOldest(oldest);
          continue;
        }
        const { places } = scanned;
        const next = places.filter((place) => place.sequence <= releasedThrough).length;
        head = { segment: oldest, places: [...places], next };
        const waiting = places.slice(next);
        const jsonBytes = waiting.reduce((sum, place) => sum + jsonBytesOf(place), 0);
        reportLost(oldest, waiting.length, jsonBytes);
      }
      if (head.next < head.places.length || segments.length === 1) return head;
      dropOldest(oldest);
    }
  }

  function segmentFor(bytes: number, firstSequence: number): Segment {
    const last = segments.at(-1);
    const isRoomy = last !== undefined && last.bytes + bytes <= segmentBytes;
    if (last !== undefined && last.descriptor !== undefined && (isRoomy || last.bytes === 0)) {
      return last;
    }
    const fresh = createSegment(folder, queue, firstSequence);
    hasNewFile = true;
    segments = [...segments, fresh];
    return fresh;
  }

  /** Reads records of a segment; none when it cannot be read. */
  function read(segment: Segment, places: readonly RecordPlace[]): readonly QueuedEvent[] {
    if (places.length === 0) return [];
    try {
      return queuedEvents(queue, segment, places);
    } catch {
      // A head that is gone is found out when it is scanned again; what is unreadable now may come back.
      if (head?.segment === segment) head = undefined;
      return [];
    }
  }

  return {
    recover(released, next) {
      const found = { events: 0, jsonBytes: 0, newest: 0, damaged: 0, torn: 0 };
      const uncounted = { High: 0, Low: 0 };
      releasedThrough = released;
      for (const path of segmentPaths(folder, queue)) {
        const scanned = tryScanSegment(path);
        if (typeof scanned === "string") {
          found.damaged += 1;
          found.newest = Math.max(found.newest, sequenceInName(path));
          continue;
        }
        const { segment, places } = scanned;
        found.damaged += scanned.damaged;
        found.torn += scanned.isTorn ? 1 : 0;
        found.newest = Math.max(found.newest, segment.lastSequence);
        for (const place of places.filter(({ sequence }) => sequence > released)) {
          segment.waitingEvents += 1;
          segment.waitingJsonBytes += jsonBytesOf(place);
          if (place.sequence >= next) uncounted[place.priority] += 1;
        }
        found.events += segment.waitingEvents;
        found.jsonBytes += segment.waitingJsonBytes;
        (segment.waitingEvents === 0 ? spent : segments).push(segment);
      }
      const last = segments.at(-1);
      if (last !== undefined) tryReopen(last);
      return { ...found, uncounted };
    },
    append(records) {
      const [first] = records;
      if (first === undefined) return 0;
      const frames = records.map(({ facts, json }) => encodeRecord(facts, json));
      const bytes = Buffer.concat(frames);
      const segment = segmentFor(bytes.length, first.facts.sequence);
      let at = segment.bytes;
      appendWhole(segment, bytes);
      unsynced.add(segment);
      for (const [index, { facts }] of records.entries()) {
        const length = frames[index]?.length ?? 0;
        const jsonStart = at + RECORD_OVERHEAD_BYTES;
        if (head?.segment === segment) {
          head.places.push({ ...facts, start: at, jsonStart, end: at + length });
        }
        at += length;
        segment.lastSequence = facts.sequence;
        segment.waitingEvents += 1;
        segment.waitingJsonBytes += length - RECORD_OVERHEAD_BYTES;
      }
      return bytes.length;
    },
    oldest() {
      const at = ensureHead();
      return at?.places[at.next];
    },
    removeOldest() {
      const at = ensureHead();
      const place = at?.places[at.next];
      if (at === undefined || place === undefined) return undefined;
      at.next += 1;
      at.segment.waitingEvents -= 1;
      at.segment.waitingJsonBytes -= jsonBytesOf(place);
      releasedThrough = place.sequence;
      return place;
    },
    peek(maxBytes) {
      const events: QueuedEvent[] = [];
      let room = maxBytes;
      const at = ensureHead();
      if (at === undefined) return [];
      for (const segment of segments) {
        const scanned = at.segment === segment ? undefined : tryScanSegment(segment.path);
        // What lies behind an unread segment must not leave before it: release takes whole prefixes.
        if (typeof scanned === "string") break;
        const places = scanned?.places ?? at.places.slice(at.next);
        const wanted: RecordPlace[] = [];
        for (const place of places) {
          const size = jsonBytesOf(place);
          if (events.length + wanted.length > 0 && size > room) break;
          room -= size;
          wanted.push(place);
        }
        const found = read(segment, wanted);
        events.push(...found);
        if (found.length < places.length) break;
      }
      return events;
    },
    deleteSpent() {
      for (const segment of spent) deleteSegment(segment);
      spent = [];
    },
    async sync() {
      const dirty = [...unsynced];
      const folderOf = hasNewFile ? segments.at(-1)?.path : undefined;
      unsynced.clear();
      hasNewFile = false;
      try {
        for (const segment of dirty) await syncSegment(segment);
        if (folderOf !== undefined) await syncFolderOf(folderOf);
      } catch (error) {
        for (const segment of dirty) if (segments.includes(segment)) unsynced.add(segment);
        hasNewFile ||= folderOf !== undefined;
        throw error;
      }
      // Only the newest is written to again; a large cache must not use up the open files.
      for (const segment of segments.slice(0, -1)) {
        if (!unsynced.has(segment)) closeSegment(segment);
      }
    },
    close() {
      for (const segment of [...spent, ...segments]) closeSegment(segment);
    },
  };
}

/** Opens the newest segment for append; when that fails, the next append makes a new one. */
function tryReopen(segment: Segment): void {
  try {
    reopenSegment(segment);
  } catch {
    closeSegment(segment);
  }
}

function queuedEvents(
  queue: Queue,
  segment: Segment,
  places: readonly RecordPlace[],
): readonly QueuedEvent[] {
  if (places.length === 0) return [];
  const texts = readJson(segment, places);
  return places.map((place, index) => ({
    queue,
    sequence: place.sequence,
    priority: place.priority,
    name: place.name,
    json: texts[index] ?? "",
    sizeBytes: jsonBytesOf(place),
    appendedAtMs: place.appendedAtMs,
  }));
}
