import type { QueueCounts, QueueReport } from "../contract/agent-facts.ts";
import type { EventName, Priority } from "../contract/event.ts";

/** What collectors could not see, until it is reported. */
export interface LossBook {
  /** Count 0: something was lost, nobody knows how much. */
  count(name: EventName, reason: string, count: number): void;
  /** The counts of the spool with those of the losses, which start from zero then. */
  addTo(counts: readonly QueueCounts[]): readonly QueueReport[];
  /** Everything since the start, for the status of the agent. */
  total(): Readonly<Record<string, number>>;
}

/** Losses of unknown size are counted under this ending, by occasion. */
const UNKNOWN_SIZE = "-of-unknown-size";

/** `priorityOf` says in which queue the events would have been. */
export function createLossBook(priorityOf: (name: EventName) => Priority): LossBook {
  const totals = new Map<string, number>();
  let open = new Map<string, { readonly name: EventName; count: number }>();

  return {
    count(name, reason, count) {
      const key = count === 0 ? `${name}.${reason}${UNKNOWN_SIZE}` : `${name}.${reason}`;
      const added = Math.max(1, count);
      totals.set(key, (totals.get(key) ?? 0) + added);
      const known = open.get(key);
      if (known === undefined) open.set(key, { name, count: added });
      else known.count += added;
    },
    addTo(counts) {
      const taken = open;
      open = new Map();
      return counts.map((queue) => {
        const ofQueue = [...taken].filter(
          ([, { name }]) => (priorityOf(name) === "High" ? "High" : "Low") === queue.queue,
        );
        return {
          ...queue,
          lost: Object.fromEntries(ofQueue.map(([key, { count }]) => [key, count])),
        };
      });
    },
    total: () => Object.fromEntries(totals),
  };
}
