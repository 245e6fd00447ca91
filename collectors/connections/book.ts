/** Connections that are known, and so reported no more. */
export interface ConnectionBook {
  /** True when it was not known, or another one took its place. */
  add(key: string, inode: number): boolean;
  has(key: string): boolean;
  /** False when it was not known. */
  remove(key: string): boolean;
  /** Forgets those that have been missing from such lists for some seconds. */
  keep(keys: ReadonlySet<string>, nowMs: number): void;
}

/** The end of what is missing may be told yet: forgetting it at once would report it again. */
const MISSING_MS = 5_000;

interface Known {
  readonly inode: number;
  missingSinceMs: number | undefined;
}

/** Bounded: beyond that the oldest are forgotten, and would be reported anew. */
export function createConnectionBook(mostKnown: number, onForgotten: () => void): ConnectionBook {
  const known = new Map<string, Known>();
  return {
    add(key, inode) {
      const before = known.get(key);
      // A socket that closes without its process has no inode any more.
      if (before !== undefined && (before.inode === inode || inode === 0)) return false;
      known.set(key, { inode, missingSinceMs: undefined });
      const [oldest] = known.keys();
      if (known.size > mostKnown && oldest !== undefined) {
        known.delete(oldest);
        onForgotten();
      }
      return true;
    },
    has: (key) => known.has(key),
    remove: (key) => known.delete(key),
    keep(keys, nowMs) {
      for (const [key, one] of known) {
        if (keys.has(key)) one.missingSinceMs = undefined;
        else if (one.missingSinceMs === undefined) one.missingSinceMs = nowMs;
        else if (nowMs - one.missingSinceMs > MISSING_MS) known.delete(key);
      }
    },
  };
}
