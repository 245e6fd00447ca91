import type { Timer } from "../../src/contract/clock.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import { listenToAudit } from "./audit.ts";
import type { ProcessesContext } from "./context.ts";
import { createReporter } from "./reporter.ts";

const SOURCE = "proc_polling";

/**
 * The last resort: compares the processes in /proc from time to time. What starts and ends in between is
 * not seen, a program that replaces another in the same process neither, and no end has its status.
 */
export function watchByPolling(
  context: ProcessesContext,
  emit: (drafts: readonly EventDraft[]) => void,
): { stop(): void } {
  const { clock, settings } = context;
  const reporter = createReporter(context, emit, () => true);
  // Where executions are audited, most are known before they are found.
  const audit = listenToAudit(context, (facts, occurredAtMs) =>
    reporter.told(facts, occurredAtMs, "audit"),
  );
  let timer: Timer | undefined;

  function look(): void {
    for (const processId of reporter.learnRunning()) {
      reporter.executed(processId, clock.nowMs(), SOURCE);
    }
    timer = clock.after(settings.pollSeconds * 1_000, look);
  }

  reporter.learnRunning();
  timer = clock.after(settings.pollSeconds * 1_000, look);
  return {
    stop() {
      timer?.cancel();
      if (audit.ok) audit.value.stop();
      reporter.stop();
    },
  };
}
