import type { Watch } from "../../src/contract/collector.ts";
import type { EventDraft } from "../../src/contract/event.ts";
import type { Problem } from "../../src/contract/result.ts";
import { watchConnector } from "./connector.ts";
import type { ProcessesContext } from "./context.ts";
import { watchByPolling } from "./polling.ts";

/** Watches processes by the best source that there is. */
export async function watchProcesses(
  context: ProcessesContext,
  emit: (drafts: readonly EventDraft[]) => void,
): Promise<Watch> {
  const { source } = context.settings;
  if (source === "polling") return asWatch(watchByPolling(context, emit));
  let current: { stop(): void } | undefined;
  let isStopped = false;
  const connected = watchConnector(context, emit, (problem) => {
    context.log.warn({ reason: problem.detail }, "the proc connector ended, polling /proc");
    if (!isStopped) current = watchByPolling(context, emit);
  });
  if (connected.ok) current = connected.value;
  else if (source === "connector") throw new Error(describe(connected.problem));
  else current = watchByPolling(context, emit);
  return {
    problems: connected.ok ? [] : [pollingInstead(connected.problem)],
    async stop() {
      isStopped = true;
      current?.stop();
    },
  };
}

function asWatch(watch: { stop(): void }): Watch {
  return { stop: async () => watch.stop() };
}

function describe(problem: Problem): string {
  return `${problem.subject}: ${problem.detail}`;
}

function pollingInstead(problem: Problem): Problem {
  const detail = `${problem.detail}; /proc is polled instead, which misses short-lived processes`;
  return { ...problem, detail };
}
