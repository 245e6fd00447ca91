import { EVICTION_ORDER, type SpoolEntry } from "./spool-contract.ts";

const LIMIT_BYTES = 1_048_576;

/** Entries that the disk refused: in memory, in order, bounded. */
export interface HeldEntries {
  readonly count: number;
  has(entry: SpoolEntry): boolean;
  /** Keeps entries; returns what had to give way, in the order of `EVICTION_ORDER`. */
  add(entries: readonly SpoolEntry[]): readonly SpoolEntry[];
  /** All of them, oldest first; nothing is held then. */
  takeAll(): readonly SpoolEntry[];
}

export function createHeldEntries(): HeldEntries {
  let held: SpoolEntry[] = [];
  let bytes = 0;

  function dropOne(): SpoolEntry | undefined {
    for (const queue of EVICTION_ORDER) {
      const at = held.findIndex((entry) => entry.queue === queue);
      if (at >= 0) return held.splice(at, 1)[0];
    }
    return undefined;
  }

  return {
    get count() {
      return held.length;
    },
    has: (entry) => held.includes(entry),
    add(entries) {
      const dropped: SpoolEntry[] = [];
      held.push(...entries);
      for (const { json } of entries) bytes += Buffer.byteLength(json);
      while (bytes > LIMIT_BYTES) {
        const entry = dropOne();
        if (entry === undefined) break;
        bytes -= Buffer.byteLength(entry.json);
        dropped.push(entry);
      }
      return dropped;
    },
    takeAll() {
      const all = held;
      held = [];
      bytes = 0;
      return all;
    },
  };
}
