import type { QueueCounts } from "../../contract/agent-facts.ts";
import type { SpooledName } from "./spool-contract.ts";
import type { SpoolState } from "./spool-journal.ts";

/** Adds one dropped event to the counters of a state. */
export function countDrop(state: SpoolState, priority: "High" | "Low", name: SpooledName): void {
  const counts = state.counts[priority];
  counts.dropped += 1;
  counts.droppedByName.set(name, (counts.droppedByName.get(name) ?? 0) + 1);
}

/** The counters of a state, high first; they start again at zero. */
export function takeCountsOf(state: SpoolState): readonly QueueCounts[] {
  return (["High", "Low"] as const).map((priority) => {
    const counts = state.counts[priority];
    const taken: QueueCounts = {
      queue: priority,
      collectedEvents: counts.collected,
      droppedEvents: counts.dropped,
      droppedByName: Object.fromEntries(counts.droppedByName),
    };
    counts.collected = 0;
    counts.dropped = 0;
    counts.droppedByName.clear();
    return taken;
  });
}
