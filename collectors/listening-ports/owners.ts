import type { CollectorContext } from "../../src/contract/collector.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { parseProcessStat } from "../../src/parse/proc-stat.ts";

/** A process that holds a socket open. Pid and start time together name one process and no other. */
export interface Owner {
  readonly processId: number;
  /** Number of the descriptor below /proc/[pid]/fd that is the socket. */
  readonly descriptor: string;
  readonly startTicks: number;
}

export interface OwnerSearch {
  /** Owners by socket inode, oldest process first, process 1 last; no entry where none was found. */
  readonly owners: ReadonlyMap<number, readonly Owner[]>;
  /** Processes whose descriptors the agent may not see. */
  readonly deniedProcesses: number;
}

interface CachedSearch extends OwnerSearch {
  readonly inodes: ReadonlySet<number>;
  /** Every socket that is held, with one entry for each of its owners. */
  readonly held: readonly Held[];
  /** The next of `held` whose descriptor is looked at. */
  nextCheck: number;
}

interface Held {
  readonly inode: number;
  readonly owner: Owner;
}

/** Per probe, so that two agents (or two captured roots) in one process never mix. */
const lastSearches = new WeakMap<Probe, CachedSearch>();

/** Work between two pauses: processes looked at, and descriptors read. */
const PROCESSES_PER_PORTION = 200;
const DESCRIPTORS_PER_PORTION = 4000;

/** Descriptors that are looked at again when the set of sockets is the same; the next time, the next ones. */
const CHECKED_DESCRIPTORS = 16;

type WalkContext = Pick<CollectorContext<unknown>, "probe" | "signal" | "pause">;

/**
 * Finds which processes hold the sockets. The walk over /proc happens only when the set of inodes is
 * new or an owner has let go of its socket; otherwise the last answer stands. An owner that has ended is
 * noticed at once, one that has handed its socket over and lives on when its turn comes: at once among the
 * first 16. Undefined when the signal aborted first. Source: proc_pid_fd(5).
 * Cost: one folder per process and one link per descriptor, when it walks; else one file per owner and at
 * most 16 links.
 */
export async function findOwners(
  context: WalkContext,
  inodes: ReadonlySet<number>,
): Promise<OwnerSearch | undefined> {
  const last = lastSearches.get(context.probe);
  if (last !== undefined && isSameSet(last.inodes, inodes) && stillHold(context.probe, last)) {
    return last;
  }
  const search = await walk(context, inodes);
  if (search === undefined) return undefined;
  const held = [...search.owners].flatMap(([inode, owners]) =>
    owners.map((owner) => ({ inode, owner })),
  );
  lastSearches.set(context.probe, { ...search, inodes, held, nextCheck: 0 });
  return search;
}

function isSameSet(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  if (one.size !== other.size) return false;
  for (const inode of one) if (!other.has(inode)) return false;
  return true;
}

function stillHold(probe: Probe, search: CachedSearch): boolean {
  const { held } = search;
  const startTicks = new Map<number, number>();
  for (const { owner } of held) startTicks.set(owner.processId, owner.startTicks);
  for (const [processId, ticks] of startTicks) {
    if (startTicksOf(probe, processId) !== ticks) return false;
  }
  const count = Math.min(held.length, CHECKED_DESCRIPTORS);
  for (let step = 0; step < count; step += 1) {
    const entry = held[(search.nextCheck + step) % held.length];
    if (entry === undefined) continue;
    const { inode, owner } = entry;
    const target = probe.readLink(`/proc/${owner.processId}/fd/${owner.descriptor}`);
    if (!target.ok || socketInode(target.value) !== inode) return false;
  }
  search.nextCheck = (search.nextCheck + count) % Math.max(held.length, 1);
  return true;
}

async function walk(
  context: WalkContext,
  inodes: ReadonlySet<number>,
): Promise<OwnerSearch | undefined> {
  const state: WalkState = { inodes, found: new Map(), denied: 0, read: 0 };
  const { near, far } = processesByNamespace(context.probe);
  if (!(await walkProcesses(context, near, state))) return undefined;
  // A process of another namespace can hold one of our sockets only if it was handed over, so these
  // are looked at last, and only for sockets nobody here holds.
  const isComplete = [...inodes].every((inode) => state.found.has(inode));
  if (!isComplete && !(await walkProcesses(context, far, state))) return undefined;
  return { owners: ordered(state.found), deniedProcesses: state.denied };
}

interface WalkState {
  readonly inodes: ReadonlySet<number>;
  readonly found: Map<number, Owner[]>;
  denied: number;
  read: number;
}

function processesByNamespace(probe: Probe): {
  readonly near: readonly string[];
  readonly far: readonly string[];
} {
  const folders = probe.listFolder("/proc");
  const ids = folders.ok ? folders.value.filter((name) => /^\d{1,10}$/.test(name)) : [];
  const own = probe.readLink("/proc/self/ns/net");
  if (!own.ok) return { near: ids, far: [] };
  const far = new Set(
    ids.filter((id) => {
      const other = probe.readLink(`/proc/${id}/ns/net`);
      return other.ok && other.value !== own.value;
    }),
  );
  return { near: ids.filter((id) => !far.has(id)), far: [...far] };
}

/** False when the signal aborted. */
async function walkProcesses(
  context: WalkContext,
  ids: readonly string[],
  state: WalkState,
): Promise<boolean> {
  for (const [index, id] of ids.entries()) {
    if (context.signal.aborted) return false;
    walkDescriptors(context.probe, id, state);
    if (index % PROCESSES_PER_PORTION !== PROCESSES_PER_PORTION - 1) {
      if (state.read < DESCRIPTORS_PER_PORTION) continue;
    }
    state.read = 0;
    await context.pause();
  }
  return !context.signal.aborted;
}

function walkDescriptors(probe: Probe, id: string, state: WalkState): void {
  const descriptors = probe.listFolder(`/proc/${id}/fd`);
  if (!descriptors.ok) {
    // A process that ended meanwhile is ordinary; only a refusal is a loss.
    if (descriptors.problem.code === "not-permitted") state.denied += 1;
    return;
  }
  let startTicks: number | undefined;
  for (const descriptor of descriptors.value) {
    const target = probe.readLink(`/proc/${id}/fd/${descriptor}`);
    state.read += 1;
    if (!target.ok) {
      if (target.problem.code !== "not-permitted") continue;
      state.denied += 1;
      return;
    }
    const inode = socketInode(target.value);
    if (inode === undefined || !state.inodes.has(inode)) continue;
    startTicks ??= startTicksOf(probe, Number(id));
    if (startTicks === undefined) return;
    addOwner(state.found, inode, { processId: Number(id), descriptor, startTicks });
  }
}

/** A process that holds a socket twice counts once. */
function addOwner(found: Map<number, Owner[]>, inode: number, owner: Owner): void {
  const known = found.get(inode) ?? [];
  if (known.some((other) => other.processId === owner.processId)) return;
  found.set(inode, [...known, owner]);
}

function ordered(found: ReadonlyMap<number, readonly Owner[]>): Map<number, readonly Owner[]> {
  return new Map([...found].map(([inode, owners]) => [inode, [...owners].sort(byAge)]));
}

/**
 * Oldest first: of a server and its workers that is the server. Process 1 last: it holds the sockets
 * it hands to services on demand, and the service is the better answer.
 */
export function byAge(a: Owner, b: Owner): number {
  const isInitA = a.processId === 1 ? 1 : 0;
  const isInitB = b.processId === 1 ? 1 : 0;
  return isInitA - isInitB || a.startTicks - b.startTicks || a.processId - b.processId;
}

function socketInode(target: string): number | undefined {
  if (!target.startsWith("socket:[")) return undefined;
  const digits = /^socket:\[(\d{1,15})\]$/.exec(target)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function startTicksOf(probe: Probe, processId: number): number | undefined {
  const text = probe.readText(`/proc/${processId}/stat`, 4096);
  return text.ok ? parseProcessStat(text.value)?.startTicks : undefined;
}
