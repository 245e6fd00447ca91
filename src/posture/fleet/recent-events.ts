/** Ids of events of one device that are kept: more than any device sends within the time. */
const MAX_IDS = 128;

/**
 * Tells events that came twice: a device that has lost its connection sends again what it has had no
 * answer to. An id counts as known for `repeatMs` after it came.
 */
export interface RecentEvents {
  /** True for an id that came within the time before; else it is known from now on. */
  isRepeated(deviceId: string, eventId: string, atMs: number): boolean;
  /** When an id came last. */
  readonly lastMs: number;
  forgetBefore(atMs: number): void;
}

export function createRecentEvents(repeatMs: number): RecentEvents {
  const byDevice = new Map<string, Map<string, number>>();
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    get lastMs() {
      return lastMs;
    },
    isRepeated(deviceId, eventId, atMs) {
      let ids = byDevice.get(deviceId);
      if (ids === undefined) {
        ids = new Map();
        byDevice.set(deviceId, ids);
      }
      const cameMs = ids.get(eventId);
      if (cameMs !== undefined && cameMs > atMs - repeatMs) return true;
      lastMs = atMs;
      ids.delete(eventId);
      ids.set(eventId, atMs);
      for (const [oldest, oldestMs] of ids) {
        if (ids.size <= MAX_IDS && oldestMs > atMs - repeatMs) break;
        ids.delete(oldest);
      }
      return false;
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
