import { choice, integer, optional, record, textMap } from "../../src/contract/schema.ts";

export const droppedEventsStatisticsSettings = record({});

export const droppedEventsStatisticsPayload = record({
  Queue: choice(["High", "Low"] as const, { doc: "Priority the events were given" }),
  CollectedEvents: integer({ min: 0, doc: "Events handed to the spool since the last report" }),
  DroppedEvents: integer({
    min: 0,
    doc: "Events dropped because the local cache was full, since the last report",
  }),
  ExtraDetails: optional(
    textMap({
      doc: "Dropped events by event name, `Dropped.ProcessCreate`, and what collectors could not see, by reason: `Lost.ProcessCreate.overrun`",
    }),
  ),
});
