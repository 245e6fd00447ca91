/** Ids of events of one device that are kept: more than any device sends within the time. */
const MAX_IDS = 128;

/** The record that an id came with. */
interface CountedFrom {
  readonly enqueuedAtMs: number;
  readonly sequenceNumber: number;
}

/** One record is noted for all that come within this time after it. */
const SPACING_MS = 1_000;

/**
 * Tells events that came twice: a device that has lost its connection sends again what it has had no
 * answer to. An id counts as known for `repeatMs` after it came last,
 * so that what is known at a time follows from the records of that time before.
 */
export interface RecentEvents {
  /** True for an id that came within the time before. It is known from now on. */
  isRepeated(deviceId: string, eventId: string, from: CountedFrom): boolean;
  /** The first record whose ids are known at the time of a record, or one shortly before it; never goes back. */
  neededAt(enqueuedAtMs: number): number | undefined;
  forgetBefore(atMs: number): void;
}

export function createRecentEvents(repeatMs: number): RecentEvents {
  const byDevice = new Map<string, Map<string, number>>();
  const noted: CountedFrom[] = [];

  function note(from: CountedFrom): void {
    const last = noted[noted.length - 1];
    if (last === undefined || from.enqueuedAtMs >= last.enqueuedAtMs + SPACING_MS) noted.push(from);
  }

  return {
    neededAt(atMs) {
      const passed = noted.findIndex((one) => one.enqueuedAtMs + SPACING_MS > atMs - repeatMs);
      noted.splice(0, passed === -1 ? noted.length : passed);
      return noted[0]?.sequenceNumber;
    },
    isRepeated(deviceId, eventId, from) {
      const atMs = from.enqueuedAtMs;
      let ids = byDevice.get(deviceId);
      if (ids === undefined) {
        ids = new Map();
        byDevice.set(deviceId, ids);
      }
      const cameMs = ids.get(eventId);
      note(from);
      ids.delete(eventId);
      ids.set(eventId, atMs);
      for (const [oldest, oldestMs] of ids) {
        if (ids.size <= MAX_IDS && oldestMs > atMs - repeatMs) break;
        ids.delete(oldest);
      }
      return cameMs !== undefined && cameMs > atMs - repeatMs;
    },
    forgetBefore(atMs) {
      for (const [deviceId, ids] of byDevice) {
        for (const [id, cameMs] of ids) {
          if (cameMs > atMs) break;
          ids.delete(id);
        }
        if (ids.size === 0) byDevice.delete(deviceId);
      }
    },
  };
}
