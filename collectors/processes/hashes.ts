import type { CollectorContext } from "../../src/contract/collector.ts";

const MOST_KNOWN = 1_024;
const MOST_WAITING = 256;
const MAX_BYTES = 268_435_456;

/** SHA-256 of executables, computed once per file. */
export interface Hashes {
  /** Calls back with the hash, at once when it is known; without one where it cannot be had. */
  of(processId: number, done: (sha256: string | undefined) => void): void;
  /** Calls back everybody who waits. */
  stop(): void;
}

/** A file is the same while device, inode, size and time of change are. One is read at a time. */
export function createHashes(context: Pick<CollectorContext<unknown>, "probe" | "signal">): Hashes {
  const { probe, signal } = context;
  const known = new Map<string, string>();
  const waiting = new Map<string, ((sha256: string | undefined) => void)[]>();
  let isStopped = false;
  let last: Promise<void> = Promise.resolve();

  function remember(key: string, sha256: string): void {
    known.set(key, sha256);
    if (known.size <= MOST_KNOWN) return;
    const [oldest] = known.keys();
    if (oldest !== undefined) known.delete(oldest);
  }

  async function read(key: string, path: string): Promise<void> {
    const hashed = isStopped ? undefined : await probe.sha256(path, MAX_BYTES, signal);
    if (hashed?.ok === true) remember(key, hashed.value);
    const calls = waiting.get(key) ?? [];
    waiting.delete(key);
    for (const done of calls) done(hashed?.ok === true ? hashed.value : undefined);
  }

  return {
    of(processId, done) {
      // The link leads to the very file that runs, in any mount namespace and after it was removed.
      const path = `/proc/${processId}/exe`;
      const facts = probe.facts(path);
      if (!facts.ok) return done(undefined);
      const { deviceId, inode, sizeBytes, modifiedMs } = facts.value;
      const key = `${deviceId} ${inode} ${sizeBytes} ${modifiedMs}`;
      const sha256 = known.get(key);
      if (sha256 !== undefined) return done(sha256);
      const others = waiting.get(key);
      if (others !== undefined) others.push(done);
      else if (waiting.size >= MOST_WAITING) done(undefined);
      else {
        waiting.set(key, [done]);
        last = last.then(() => read(key, path));
      }
    },
    stop() {
      isStopped = true;
      for (const calls of waiting.values()) for (const done of calls) done(undefined);
      waiting.clear();
    },
  };
}
