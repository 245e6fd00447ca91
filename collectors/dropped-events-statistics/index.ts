import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { droppedEventsStatisticsPayload, droppedEventsStatisticsSettings } from "./schema.ts";

export const droppedEventsStatistics = defineSnapshotCollector({
  name: "dropped-events-statistics",
  summary: "How many events were collected and how many the full cache had to drop, exactly.",
  eventName: "DroppedEventsStatistics",
  cost: "light",
  needs: [],
  sources: ["docs/decisions/0003-spool.md: which events a full cache drops first"],
  settings: droppedEventsStatisticsSettings,
  payload: droppedEventsStatisticsPayload,
  async collect(context) {
    const payload = context.agent.takeQueueCounts().map((counts) => {
      const dropped = Object.entries(counts.droppedByName)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => [`Dropped.${name}`, String(count)]);
      const lost = Object.entries(counts.lost)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([what, count]) => [`Lost.${what}`, String(count)]);
      const details = [...dropped, ...lost];
      return {
        Queue: counts.queue,
        CollectedEvents: counts.collectedEvents,
        DroppedEvents: counts.droppedEvents,
        ...(details.length === 0 ? {} : { ExtraDetails: Object.fromEntries(details) }),
      };
    });
    return { events: [{ name: "DroppedEventsStatistics", payload }], problems: [] };
  },
});
