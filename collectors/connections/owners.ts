import type { Clock } from "../../src/contract/clock.ts";
import type { Probe, ProcessFacts } from "../../src/contract/probe.ts";

/** Processes that held sockets lately, looked at first. */
const MOST_RECENT = 32;
/** Looking at all processes may take no more than this part of a processor, in the long run. */
const WALK_SHARE = 0.05;
/** What may be used up at once, ms: a burst of connections is worth a look at each. */
const MOST_CREDIT_MS = 250;
/** Without that much, it is not begun, ms. */
const LEAST_CREDIT_MS = 10;
/** What is known of a process is read anew after this time: it may have executed another program. */
const FACTS_MS = 1_000;
const MOST_FACTS = 1_024;

/** Which process holds a socket. */
export interface Owners {
  /**
   * Processes by socket inode, as far as they can be found now: first among those that held sockets lately,
   * then, when it is time for that again, among all.
   */
  find(inodes: ReadonlySet<number>): ReadonlyMap<number, number>;
  /** Milliseconds until all processes may be looked at again. */
  waitMs(): number;
  factsOf(processId: number): ProcessFacts | undefined;
}

/** Source: proc_pid_fd(5). */
export function createOwners(probe: Probe, clock: Clock): Owners {
  let recent: readonly number[] = [];
  let creditMs = MOST_CREDIT_MS;
  let creditedAtMs = clock.monotonicMs();
  const facts = new Map<number, { readonly facts: ProcessFacts; readonly readAtMs: number }>();

  function credit(): number {
    const nowMs = clock.monotonicMs();
    creditMs = Math.min(MOST_CREDIT_MS, creditMs + (nowMs - creditedAtMs) * WALK_SHARE);
    creditedAtMs = nowMs;
    return creditMs;
  }

  function search(
    processIds: readonly number[],
    wanted: Set<number>,
    found: Map<number, number>,
  ): void {
    for (const processId of processIds) {
      if (wanted.size === 0) return;
      const folder = `/proc/${processId}/fd`;
      const descriptors = probe.listFolder(folder);
      if (!descriptors.ok) continue;
      for (const descriptor of descriptors.value) {
        const inode = socketInode(probe, `${folder}/${descriptor}`);
        if (inode === undefined || !wanted.has(inode)) continue;
        found.set(inode, processId);
        wanted.delete(inode);
        if (wanted.size === 0) break;
      }
    }
  }

  return {
    find(inodes) {
      const wanted = new Set(inodes);
      wanted.delete(0);
      const found = new Map<number, number>();
      search(recent, wanted, found);
      if (wanted.size > 0 && credit() >= LEAST_CREDIT_MS) {
        const startedAtMs = clock.monotonicMs();
        search(otherProcesses(probe, recent), wanted, found);
        creditMs -= clock.monotonicMs() - startedAtMs;
      }
      recent = [...new Set([...found.values(), ...recent])].slice(0, MOST_RECENT);
      return found;
    },
    waitMs: () => Math.max(0, (LEAST_CREDIT_MS - credit()) / WALK_SHARE),
    factsOf(processId) {
      const nowMs = clock.monotonicMs();
      const known = facts.get(processId);
      if (known !== undefined && nowMs - known.readAtMs < FACTS_MS) return known.facts;
      const read = probe.process(processId);
      // A server that has ended since is still the one that held the socket.
      if (!read.ok || read.value.hasEnded) return known?.facts;
      facts.delete(processId);
      facts.set(processId, { facts: read.value, readAtMs: nowMs });
      const [oldest] = facts.keys();
      if (facts.size > MOST_FACTS && oldest !== undefined) facts.delete(oldest);
      return read.value;
    },
  };
}

/** All processes but those, and process 1 last: it hands its sockets to others. */
function otherProcesses(probe: Probe, known: readonly number[]): readonly number[] {
  const folders = probe.listFolder("/proc");
  const names = folders.ok ? folders.value.filter((name) => /^\d{1,10}$/.test(name)) : [];
  const ids = names.map(Number).filter((id) => id !== 1 && !known.includes(id));
  return [...ids.reverse(), 1];
}

function socketInode(probe: Probe, path: string): number | undefined {
  const target = probe.readLink(path);
  const digits = target.ok ? /^socket:\[(\d{1,15})\]$/.exec(target.value)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}
