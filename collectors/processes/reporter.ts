import type { Timer } from "../../src/contract/clock.ts";
import type { EventDraft, PayloadItem } from "../../src/contract/event.ts";
import type { ProcessFacts } from "../../src/contract/probe.ts";
import type { AuditWitness } from "./audit.ts";
import type { ProcessesContext } from "./context.ts";
import { createHashes } from "./hashes.ts";
import { createItem, goneItem, terminateItem } from "./items.ts";
import { createProcessTable } from "./process-table.ts";
import { createUserNames } from "./user-names.ts";

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
  /** Another witness tells what a process is that has executed a program. */
  told(facts: ProcessFacts, occurredAtMs: number, source: string): void;
  /** A process has ended. Executions that came before are to be told before `readOn` returns. */
  ended(notice: ExitNotice, source: string): void;
  /** Remembers every running process; returns those that were not known. */
  learnRunning(): readonly number[];
  /** Hands over what waits. */
  stop(): void;
}

/** An execution whose process was gone, or half gone, when it was read: its end may name its parent. */
interface Unread {
  readonly processId: number;
  readonly occurredAtMs: number;
  readonly source: string;
  /** What was left of it. */
  readonly facts: ProcessFacts | undefined;
}

/**
 * `readOn` reads what the kernel has told so far, ends first and then executions, so that every end that has
 * been read has its execution; false when there are more executions, so that ends must wait.
 */
export function createReporter(
  context: ProcessesContext,
  emit: (drafts: readonly EventDraft[]) => void,
  readOn: () => boolean,
  witness?: AuditWitness,
): Reporter {
  const { probe, clock, agent } = context;
  const table = createProcessTable(MOST_PROCESSES, () =>
    agent.countLoss("ProcessTerminate", "table-full", 1),
  );
  const nameOf = createUserNames(probe, clock);
  const hashes = context.settings.hashExecutables ? createHashes(context) : undefined;
  let drafts: EventDraft[] = [];
  let unread: Unread[] = [];
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
    const waited = unread;
    unread = [];
    if (!readOn() && ends.length < MOST_WAITING) {
      unread = [...waited, ...unread];
      arm();
    } else matchEnds(waited);
    const ready = drafts;
    drafts = [];
    if (ready.length > 0) emit(ready);
  }

  /** The ends of what was read just now are still to come; what has waited a round gets no better. */
  function matchEnds(waited: readonly Unread[]): void {
    const byProcess = new Map<number, Unread[]>();
    for (const one of [...waited, ...unread]) {
      byProcess.set(one.processId, [...(byProcess.get(one.processId) ?? []), one]);
    }
    const ended = ends;
    ends = [];
    for (const notice of ended) {
      const mine = byProcess.get(notice.processId) ?? [];
      byProcess.delete(notice.processId);
      for (const one of mine) addUnread(one, notice.parentProcessId);
      addEnd(notice, mine.length > 0);
    }
    for (const one of waited) if (byProcess.has(one.processId)) addUnread(one, undefined);
    unread = unread.filter((one) => byProcess.has(one.processId));
    if (unread.length > 0) arm();
  }

  function addUnread(one: Unread, parentOfEnd: number | undefined): void {
    const { processId, occurredAtMs, source } = one;
    const audited = one.facts?.hasEnded === false ? undefined : witness?.factsOf(processId);
    if (audited !== undefined) {
      addProcess(audited, occurredAtMs, `${source}+audit`);
      return;
    }
    const { facts } = one;
    const parentProcessId = facts?.parentProcessId ?? parentOfEnd;
    if (facts !== undefined && !facts.hasEnded) {
      addProcess({ ...facts, parentProcessId }, occurredAtMs, source);
      return;
    }
    const known = {
      parentProcessId,
      parentExecutable: programOf(parentProcessId),
      userId: facts?.userId,
      userName: facts?.userId === undefined ? undefined : nameOf(facts.userId),
    };
    add("ProcessCreate", occurredAtMs, goneItem(processId, known, source));
  }

  function addProcess(process: ProcessFacts, occurredAtMs: number, source: string): void {
    const { userId } = process;
    const details = {
      source,
      userName: userId === undefined ? undefined : nameOf(userId),
      parentExecutable: programOf(process.parentProcessId),
    };
    const report = (sha256: string | undefined): void =>
      add("ProcessCreate", occurredAtMs, createItem(process, { ...details, sha256 }, context.mask));
    if (hashes === undefined) report(undefined);
    else hashes.of(process.processId, report);
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

  function wait(
    name: "ProcessCreate" | "ProcessTerminate",
    size: number,
    put: () => unknown,
  ): void {
    if (size >= MOST_WAITING) agent.countLoss(name, "queue-full", 1);
    else put();
    arm();
  }

  return {
    executed(processId, occurredAtMs, source) {
      const found = probe.process(processId);
      const facts = found.ok ? found.value : undefined;
      if (facts === undefined || facts.hasEnded) table.delete(processId);
      else table.set(processId, { executable: facts.executable ?? "" });
      if (facts !== undefined && !facts.hasEnded && facts.parentProcessId !== undefined) {
        addProcess(facts, occurredAtMs, source);
        return;
      }
      wait("ProcessCreate", unread.length, () =>
        unread.push({ processId, occurredAtMs, source, facts }),
      );
    },
    told(facts, occurredAtMs, source) {
      table.set(facts.processId, { executable: facts.executable ?? "" });
      addProcess(facts, occurredAtMs, source);
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
      // What was read just before waits for its end no longer.
      handOver();
      timer?.cancel();
    },
  };
}
