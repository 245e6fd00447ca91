import type { Timer } from "../../src/contract/clock.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { KernelListening, KernelStreamListener } from "../../src/contract/kernel-stream.ts";
import { ok, type Problem, type Result } from "../../src/contract/result.ts";
import { type ProcessNotice, parseProcessNotice } from "../../src/parse/proc-connector.ts";
import { listenToAudit } from "./audit.ts";
import type { ProcessesContext } from "./context.ts";
import { createReporter } from "./reporter.ts";

const SOURCE = "proc_connector";
const FOUND_LATER = "proc";
/** After the kernel dropped notices, what runs is compared with what is known so much later. */
const RESYNC_MS = 1_000;

/** Executions and ends as the kernel tells them. */
export interface ConnectorWatch {
  stop(): void;
}

type Told = Exclude<ProcessNotice, { readonly kind: "answer" }>;

/**
 * Listens to the proc connector. Each of the two streams has a socket of its own, so that what the kernel
 * drops is counted exactly and by kind. Errors: those of `Probe.listen`. `onEnd` tells that the kernel ended
 * it. Source: linux/cn_proc.h.
 */
export function watchConnector(
  context: ProcessesContext,
  emit: (drafts: readonly EventDraft[]) => void,
  onEnd: (problem: Problem) => void,
): Result<ConnectorWatch> {
  const { probe, clock, agent } = context;
  let executions: KernelListening | undefined;
  let exits: KernelListening | undefined;
  let resync: Timer | undefined;
  const audit = listenToAudit(context, () => undefined);
  const witness = audit.ok ? audit.value : undefined;
  const reporter = createReporter(
    context,
    emit,
    () => {
      exits?.readNow();
      witness?.readNow();
      return executions?.readNow() ?? true;
    },
    witness,
  );

  /** A notice may have waited while the agent was busy. */
  function wallClockMs(monotonicMs: number): number {
    return clock.nowMs() - Math.max(0, probe.kernelClockMs() - monotonicMs);
  }

  /** Once for all that a storm made the kernel drop: what is missed now may be missed in a moment again. */
  function findMissed(): void {
    resync ??= clock.after(RESYNC_MS, () => {
      resync = undefined;
      const missed = reporter.learnRunning();
      context.log.warn({ stillRunning: missed.length }, "the kernel dropped notices of processes");
      for (const id of missed) reporter.executed(id, clock.nowMs(), FOUND_LATER);
    });
  }

  function stop(): void {
    resync?.cancel();
    executions?.stop();
    exits?.stop();
    witness?.stop();
    reporter.stop();
  }

  function listenerOf(
    name: "ProcessCreate" | "ProcessTerminate",
    take: (notice: Told, occurredAtMs: number) => void,
  ): KernelStreamListener {
    return {
      onDatagram(bytes) {
        const notice = parseProcessNotice(bytes, probe.endianness);
        if (notice === undefined) agent.countLoss(name, "unreadable", 1);
        else if (notice.kind !== "answer") take(notice, wallClockMs(notice.monotonicMs));
      },
      onOverrun(lost) {
        agent.countLoss(name, "overrun", lost ?? 0);
        findMissed();
      },
      onEnd(problem) {
        stop();
        onEnd(problem);
      },
    };
  }

  const opened = probe.listen(
    "executions",
    listenerOf("ProcessCreate", (notice, occurredAtMs) =>
      reporter.executed(notice.processId, occurredAtMs, SOURCE),
    ),
  );
  if (!opened.ok) {
    witness?.stop();
    return opened;
  }
  executions = opened.value;
  const openedExits = probe.listen(
    "exits",
    listenerOf("ProcessTerminate", (notice, occurredAtMs) => {
      if (notice.kind === "exit") reporter.ended({ ...notice, occurredAtMs }, SOURCE);
    }),
  );
  if (!openedExits.ok) {
    executions.stop();
    witness?.stop();
    return openedExits;
  }
  exits = openedExits.value;
  // After the streams are open, so that nothing falls between.
  reporter.learnRunning();
  return ok({ stop });
}
