import type { FileFacts, Probe } from "../contract/probe.ts";
import { fail, ok, type Problem, type Result } from "../contract/result.ts";
import type { Device } from "./device.ts";
import type { Fact } from "./fact.ts";
import { accounts, groups } from "./facts/accounts.ts";
import type { Pacer } from "./pacer.ts";
import { WALK_LIST_LIMIT, type WalkList, type WalkReport } from "./walk-report.ts";
import { walkRoots } from "./walk-roots.ts";

export interface WalkOptions {
  readonly probe: Probe;
  /** The same device, for its accounts and groups. */
  readonly device: Device;
  /** Wall clock ms, asked at the end. */
  readonly nowMs: () => number;
  /** Steps are files and folders. */
  readonly pacer: Pacer;
  readonly signal: AbortSignal;
  /** Most files and folders looked at; 5,000,000 where absent. */
  readonly maxEntries?: number;
  /** Most names held at a time, which bounds the memory; 400,000 where absent. */
  readonly maxHeldNames?: number;
  /** Called after each folder. */
  readonly onProgress?: (entries: number) => void;
}

const MAX_ENTRIES = 5_000_000;
const MAX_HELD_NAMES = 400_000;

/** A folder on the way down, and how far its names have been looked at. */
interface Frame {
  readonly path: string;
  readonly names: readonly string[];
  next: number;
}

/**
 * Looks once at every file of the local file systems, without following links. A walk that is stopped
 * begins anew next time: what moved meanwhile would be missed otherwise. Errors: `timed-out` when the
 * signal aborts; those of reading the mount table, or of the root folder.
 * Cost: one lstat(2) per file and one readdir per folder, paced.
 */
export async function walkFileSystems(options: WalkOptions): Promise<Result<WalkReport>> {
  const { probe, signal } = options;
  const roots = walkRoots(probe);
  if (!roots.ok) return roots;
  const tally = createTally(options.device);
  for (const [index, start] of roots.value.starts.entries()) {
    const facts = probe.facts(start, false);
    if (!facts.ok) {
      // Another mount may have gone meanwhile; without the root there is nothing to say.
      if (index === 0) return facts;
      tally.refused(start, facts.problem);
      continue;
    }
    const isDone = await walkOne(start, facts.value, options, {
      tally,
      isBarrier: (path) => roots.value.barriers.has(path),
    });
    if (signal.aborted) return fail("timed-out", start, "stopped before it was complete");
    if (!isDone) break;
  }
  return ok(tally.report(options.nowMs()));
}

interface Walking {
  readonly tally: Tally;
  readonly isBarrier: (path: string) => boolean;
}

/** One file system, depth first. False when a bound ended it. */
async function walkOne(
  start: string,
  startFacts: FileFacts,
  options: WalkOptions,
  { tally, isBarrier }: Walking,
): Promise<boolean> {
  const { probe, pacer, signal } = options;
  const maxEntries = options.maxEntries ?? MAX_ENTRIES;
  const maxHeldNames = options.maxHeldNames ?? MAX_HELD_NAMES;
  const frames: Frame[] = [];
  let heldNames = 0;

  function enter(path: string): void {
    const names = probe.listFolder(path);
    if (!names.ok) {
      tally.refused(path, names.problem);
      return;
    }
    if (heldNames + names.value.length > maxHeldNames) {
      tally.cut();
      return;
    }
    heldNames += names.value.length;
    frames.push({ path, names: names.value, next: 0 });
  }

  tally.look(start, startFacts);
  if (startFacts.kind === "folder") enter(start);
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const name = frame.names[frame.next];
    frame.next += 1;
    if (name === undefined) {
      heldNames -= frame.names.length;
      frames.pop();
      options.onProgress?.(tally.entries);
      continue;
    }
    const path = frame.path === "/" ? `/${name}` : `${frame.path}/${name}`;
    if (isBarrier(path)) continue;
    if (tally.entries >= maxEntries) {
      tally.cut();
      return false;
    }
    const facts = probe.facts(path, false);
    if (!facts.ok) tally.refused(path, facts.problem);
    // A folder on another device is a mount that is new, or a subvolume with a life of its own.
    else if (facts.value.kind !== "folder" || facts.value.deviceId === startFacts.deviceId) {
      tally.look(path, facts.value);
      if (facts.value.kind === "folder") enter(path);
    }
    await pacer.step(1);
    if (signal.aborted) return false;
  }
  return true;
}

interface MutableList {
  total: number;
  readonly paths: string[];
}

/** What has been seen so far. */
interface Tally {
  readonly entries: number;
  look(path: string, facts: FileFacts): void;
  refused(path: string, problem: Problem): void;
  cut(): void;
  report(finishedAtMs: number): WalkReport;
}

function note(list: MutableList, path: string): void {
  list.total += 1;
  if (list.paths.length < WALK_LIST_LIMIT) list.paths.push(path);
}

function newList(): MutableList {
  return { total: 0, paths: [] };
}

function createTally(device: Device): Tally {
  const users = knownIds(accounts(device), "/etc/passwd", ({ userId }) => userId);
  const groupIds = knownIds(groups(device), "/etc/group", ({ groupId }) => groupId);
  const lists = {
    openFolders: newList(),
    openFiles: newList(),
    unknownUsers: newList(),
    unknownGroups: newList(),
    setuid: newList(),
    setgid: newList(),
  };
  const unread = newList();
  let entries = 0;
  let isCut = false;
  return {
    get entries() {
      return entries;
    },
    look(path, { kind, mode, userId, groupId }) {
      entries += 1;
      const isOpen = (mode & 0o002) !== 0;
      if (kind === "folder" && isOpen && (mode & 0o1000) === 0) note(lists.openFolders, path);
      if (kind === "file") {
        if (isOpen) note(lists.openFiles, path);
        if ((mode & 0o4000) !== 0) note(lists.setuid, path);
        if ((mode & 0o2000) !== 0) note(lists.setgid, path);
      }
      if (users.ok && !users.value.has(userId)) note(lists.unknownUsers, path);
      if (groupIds.ok && !groupIds.value.has(groupId)) note(lists.unknownGroups, path);
    },
    refused(path, problem) {
      // What went away between the two looks is no loss.
      if (problem.code !== "not-found") note(unread, path);
    },
    cut() {
      isCut = true;
    },
    report: (finishedAtMs): WalkReport => ({
      entries,
      isCut,
      finishedAtMs,
      ...lists,
      ...(unread.total === 0 ? {} : { unread: copyOf(unread) }),
      ...(users.ok ? {} : { usersUnknown: users.problem.detail }),
      ...(groupIds.ok ? {} : { groupsUnknown: groupIds.problem.detail }),
    }),
  };
}

function copyOf({ total, paths }: MutableList): WalkList {
  return { total, paths };
}

/** Ids that have a name; a table that is missing names nobody, one that is unreadable says nothing. */
function knownIds<T>(
  fact: Fact<readonly T[]>,
  path: string,
  idOf: (entry: T) => number,
): Result<ReadonlySet<number>> {
  if (fact.state === "unreadable") return fail("malformed", path, fact.reason);
  if (fact.state === "missing") return fail("not-found", path, `${path} is not there`);
  return ok(new Set(fact.value.map(idOf)));
}
