import type { Clock } from "../../src/contract/clock.ts";
import type { Probe } from "../../src/contract/probe.ts";
import type { Owners } from "./owners.ts";

/** A listener that has closed is still remembered so long: its connections may end after it. */
const KEPT_MS = 60_000;
const MOST_LISTENERS = 4_096;

interface Listener {
  readonly inodes: ReadonlySet<number>;
  seenAtMs: number;
  /** Process that holds the listening socket, once it is known. */
  owner: number | undefined;
}

/** Ports on which this device waits for others. */
export interface Listeners {
  /** Looks anew, unless that was done within so many milliseconds. */
  refresh(youngestMs: number): void;
  has(protocol: "tcp" | "udp", port: number): boolean;
  ownerOf(protocol: "tcp" | "udp", port: number): number | undefined;
}

export function createListeners(probe: Probe, clock: Clock, owners: Owners): Listeners {
  let known = new Map<string, Listener>();
  let refreshedAtMs = Number.NEGATIVE_INFINITY;

  function look(nowMs: number): void {
    const list = probe.listeningSockets();
    if (!list.ok) return;
    const inodes = new Map<string, Set<number>>();
    for (const { protocol, localPort, inode } of list.value.sockets) {
      const key = `${protocol} ${localPort}`;
      const of = inodes.get(key) ?? new Set();
      inodes.set(key, of.add(inode));
    }
    const next = new Map<string, Listener>();
    for (const [key, listener] of known) {
      if (nowMs - listener.seenAtMs < KEPT_MS && !inodes.has(key)) next.set(key, listener);
    }
    for (const [key, of] of inodes) {
      if (next.size >= MOST_LISTENERS) break;
      const before = known.get(key);
      const isSame = before !== undefined && [...of].some((inode) => before.inodes.has(inode));
      next.set(key, { inodes: of, seenAtMs: nowMs, owner: isSame ? before.owner : undefined });
    }
    known = next;
    findOwners();
  }

  /** At once, so that the process is known even when both end soon. */
  function findOwners(): void {
    const unknown = [...known.values()].filter((listener) => listener.owner === undefined);
    if (unknown.length === 0) return;
    const found = owners.find(new Set(unknown.flatMap((listener) => [...listener.inodes])));
    for (const listener of unknown) {
      for (const inode of listener.inodes) listener.owner ??= found.get(inode);
    }
  }

  return {
    refresh(youngestMs) {
      const nowMs = clock.monotonicMs();
      if (nowMs - refreshedAtMs < youngestMs) return;
      refreshedAtMs = nowMs;
      look(nowMs);
    },
    has: (protocol, port) => known.has(`${protocol} ${port}`),
    ownerOf(protocol, port) {
      const listener = known.get(`${protocol} ${port}`);
      if (listener === undefined || listener.owner !== undefined) return listener?.owner;
      findOwners();
      return listener.owner;
    },
  };
}
