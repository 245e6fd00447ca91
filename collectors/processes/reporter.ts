import type { Timer } from "../../src/contract/clock.ts";
import type { CollectorContext } from "../../src/contract/collector.ts";
import type { EventDraft, PayloadItem } from "../../src/contract/event.ts";
import type { ProcessFacts } from "../../src/contract/probe.ts";
import type { Infer } from "../../src/contract/schema.ts";
import { createHashes } from "./hashes.ts";
import { createItem, goneItem, terminateItem } from "./items.ts";
import { createProcessTable } from "./process-table.ts";
import type { processesSettings } from "./schema.ts";
import { createUserNames } from "./user-names.ts";

export type ProcessesContext = CollectorContext<Infer<typeof processesSettings>>;

/** Events are handed over together, this long after the first of them. */
const GATHER_MS = 100;
/** Ends and gone processes that wait for it; more are counted as lost. */
const MOST_WAITING = 20_000;
/** Processes remembered: more than small machines can run, about 3 MB when full. */
const MOST_PROCESSES = 32_768;

/** A process that ended, as the kernel told it. */
export interface ExitNotice {
  readonly processId: number;
  readonly parentProcessId: number | undefined;
  readonly waitStatus: number;
  readonly occurredAtMs: number;
}

/** Turns what sources see into events. */
export interface Reporter {
  /** A program has just been executed: reads what the process is, at once. */
  executed(processId: number, occurredAtMs: number, source: string): void;
  /** A process has ended. Executions that came before are to be told before `beforeHandingOver` returns. */
  ended(notice: ExitNotice, source: string): void;
  /** Remembers every running process; returns those that were not known. */
  learnRunning(): readonly number[];
  /** Hands over what waits. */
  stop(): void;
}

interface Waiting {
  readonly processId: number;
  readonly occurredAtMs: number;
  readonly source: string;
  /** What was left of it. */
  readonly facts: ProcessFacts | undefined;
}

/**
 * `beforeHandingOver` reads all executions that the kernel has told so far; false when there are more, so
 * that ends must wait.
 */
export function createReporter(
  context: ProcessesContext,
  emit: (drafts: readonly EventDraft[]) => void,
  beforeHandingOver: () => boolean,
): Reporter {
  const { probe, clock, agent } = context;
  const table = createProcessTable(MOST_PROCESSES, () =>
    agent.countLoss("ProcessTerminate", "table-full", 1),
  );
  const nameOf = createUserNames(probe, clock);
  const hashes = context.settings.hashExecutables ? createHashes(context) : undefined;
  let drafts: EventDraft[] = [];
  let gone = new Map<number, Waiting>();
  let ends: (ExitNotice & { readonly source: string })[] = [];
  let timer: Timer | undefined;

  function programOf(processId: number | undefined): string | undefined {
    return processId === undefined ? undefined : table.get(processId)?.executable;
  }

  function arm(): void {
    timer ??= clock.after(GATHER_MS, handOver);
  }

  function add(name: "ProcessCreate" | "ProcessTerminate", at: number, item: PayloadItem): void {
    drafts.push({ name, payload: [item], occurredAtMs: at });
    arm();
  }

  function handOver(): void {
    timer = undefined;
    // An end is matched with its execution, so executions have to be read first.
    if (!beforeHandingOver() && ends.length < MOST_WAITING) arm();
    else matchEnds();
    const ready = drafts;
    drafts = [];
    if (ready.length > 0) emit(ready);
  }

  function matchEnds(): void {
    const ended = ends;
    ends = [];
    const before = gone;
    gone = new Map();
    for (const notice of ended) {
      const { processId, parentProcessId } = notice;
      const unread = before.get(processId);
      if (unread !== undefined) {
        before.delete(processId);
        addGone(unread, parentProcessId);
      }
      addEnd(notice, unread !== undefined);
    }
    for (const unread of before.values()) addGone(unread, undefined);
  }

  function addGone(unread: Waiting, parentProcessId: number | undefined): void {
    const { processId, occurredAtMs, source, facts } = unread;
    const parentId = facts?.parentProcessId ?? parentProcessId;
    const known = {
      parentProcessId: parentId,
      parentExecutable: programOf(parentId),
      userId: facts?.userId,
      userName: facts?.userId === undefined ? undefined : nameOf(facts.userId),
    };
    add("ProcessCreate", occurredAtMs, goneItem(processId, known, source));
  }

  function addEnd(notice: ExitNotice & { readonly source: string }, isUnread: boolean): void {
    const { processId, parentProcessId, source } = notice;
    const own = table.get(processId);
    table.delete(processId);
    // Never executed a program: it ran that of its parent.
    const isForked = own === undefined && !isUnread;
    const executable = isForked ? programOf(parentProcessId) : own?.executable;
    const item = terminateItem(processId, executable ?? "", notice.waitStatus, {
      source,
      isForked,
    });
    add("ProcessTerminate", notice.occurredAtMs, item);
  }

  function wait<T>(name: "ProcessCreate" | "ProcessTerminate", size: number, put: () => T): void {
    if (size >= MOST_WAITING) agent.countLoss(name, "queue-full", 1);
    else put();
    arm();
  }

  return {
    executed(processId, occurredAtMs, source) {
      const found = probe.process(processId);
      if (!found.ok || found.value.hasEnded) {
        table.delete(processId);
        const facts = found.ok ? found.value : undefined;
        const unread = { processId, occurredAtMs, source, facts };
        wait("ProcessCreate", gone.size, () => gone.set(processId, unread));
        return;
      }
      const process = found.value;
      const { parentProcessId, userId } = process;
      table.set(processId, { executable: process.executable ?? "" });
      const details = {
        source,
        userName: userId === undefined ? undefined : nameOf(userId),
        parentExecutable: programOf(parentProcessId),
      };
      const report = (sha256: string | undefined): void =>
        add(
          "ProcessCreate",
          occurredAtMs,
          createItem(process, { ...details, sha256 }, context.mask),
        );
      if (hashes === undefined) report(undefined);
      else hashes.of(processId, report);
    },
    ended: (notice, source) =>
      wait("ProcessTerminate", ends.length, () => ends.push({ ...notice, source })),
    learnRunning() {
      const folders = probe.listFolder("/proc");
      const running = folders.ok ? folders.value.filter((name) => /^\d{1,10}$/.test(name)) : [];
      const ids = new Set(running.map(Number));
      for (const id of [...table.ids()]) if (!ids.has(id)) table.delete(id);
      const fresh = [...ids].filter((id) => table.get(id) === undefined);
      for (const id of fresh) {
        const link = probe.readLink(`/proc/${id}/exe`);
        table.set(id, { executable: link.ok ? link.value.replace(/ \(deleted\)$/, "") : "" });
      }
      return fresh;
    },
    stop() {
      timer?.cancel();
      hashes?.stop();
      handOver();
      timer?.cancel();
    },
  };
}
