import { encodeRecord, type RecordFacts, type RecordPlace } from "./record.ts";
import {
  appendWhole,
  closeSegment,
  createSegment,
  deleteSegment,
  readJson,
  reopenSegment,
  type Segment,
  scanSegment,
  segmentPaths,
  syncSegment,
} from "./segment-file.ts";
import type { Queue, QueuedEvent } from "./spool-contract.ts";

/** What recovery found in the files of a queue. */
export interface Recovered {
  /** Records that wait, and the bytes of their JSON. */
  readonly events: number;
  readonly jsonBytes: number;
  /** Records that were appended after the journal was last written, by priority. */
  readonly uncounted: Readonly<Record<"High" | "Low", number>>;
  /** Sequence of the newest record, 0 when none waits. */
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
  sync(): Promise<void>;
  close(): void;
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
}): QueueFiles {
  const { folder, queue, segmentBytes } = options;
  let segments: Segment[] = [];
  /** Records of the oldest segment; `next` is the first that waits. */
  let head: { readonly segment: Segment; readonly places: RecordPlace[]; next: number } | undefined;
  const unsynced = new Set<Segment>();

  function ensureHead(): typeof head {
    while (head === undefined || head.next >= head.places.length) {
      const [oldest] = segments;
      if (oldest === undefined) return undefined;
      if (head !== undefined && head.segment === oldest) {
        if (segments.length === 1) return head;
        segments = segments.slice(1);
        unsynced.delete(oldest);
        deleteSegment(oldest);
        head = undefined;
        continue;
      }
      head = { segment: oldest, places: [...scanSegment(oldest.path).places], next: 0 };
      if (head.places.length === 0 && segments.length === 1) return head;
    }
    return head;
  }

  function segmentFor(bytes: number, firstSequence: number): Segment {
    const last = segments.at(-1);
    const isRoomy = last !== undefined && last.bytes + bytes <= segmentBytes;
    if (last !== undefined && last.descriptor !== undefined && (isRoomy || last.bytes === 0)) {
      return last;
    }
    const fresh = createSegment(folder, queue, firstSequence);
    segments = [...segments, fresh];
    return fresh;
  }

  return {
    recover(released, next) {
      const uncounted = { High: 0, Low: 0 };
      let events = 0;
      let jsonBytes = 0;
      let newest = 0;
      let damaged = 0;
      let torn = 0;
      for (const path of segmentPaths(folder, queue)) {
        const scanned = scanSegment(path);
        damaged += scanned.damaged;
        torn += scanned.isTorn ? 1 : 0;
        const live = scanned.places.filter((place) => place.sequence > released);
        if (live.length === 0) {
          deleteSegment(scanned.segment);
          continue;
        }
        segments.push(scanned.segment);
        for (const place of live) {
          events += 1;
          jsonBytes += jsonBytesOf(place);
          newest = Math.max(newest, place.sequence);
          if (place.sequence >= next) uncounted[place.priority] += 1;
        }
      }
      const last = segments.at(-1);
      if (last !== undefined) reopenSegment(last);
      const first = ensureHead();
      if (first !== undefined) {
        first.next = first.places.filter((place) => place.sequence <= released).length;
      }
      return { events, jsonBytes, uncounted, newest, damaged, torn };
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
      if (at !== undefined && place !== undefined) at.next += 1;
      return place;
    },
    peek(maxBytes) {
      const events: QueuedEvent[] = [];
      let room = maxBytes;
      const at = ensureHead();
      for (const segment of segments) {
        const places =
          at?.segment === segment ? at.places.slice(at.next) : scanSegment(segment.path).places;
        const wanted: RecordPlace[] = [];
        for (const place of places) {
          const size = jsonBytesOf(place);
          if (events.length + wanted.length > 0 && size > room) {
            return [...events, ...queuedEvents(queue, segment, wanted)];
          }
          room -= size;
          wanted.push(place);
        }
        events.push(...queuedEvents(queue, segment, wanted));
      }
      return events;
    },
    async sync() {
      const dirty = [...unsynced];
      unsynced.clear();
      for (const segment of dirty) await syncSegment(segment);
    },
    close() {
      for (const segment of segments) closeSegment(segment);
    },
  };
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
