import { integer, optional, record, textMap } from "../../src/contract/schema.ts";

export const messageStatisticsSettings = record({});

export const messageStatisticsPayload = record({
  MessagesSent: integer({ min: 0, doc: "Messages the hub acknowledged since the last report" }),
  MessagesUnder4KB: integer({
    min: 0,
    doc: "Of those, messages whose metered size (body and properties) was under 4096 bytes",
  }),
  TotalFailed: integer({
    min: 0,
    doc: "Send attempts that the hub refused or did not acknowledge in time",
  }),
  ExtraDetails: optional(textMap({ doc: "Not used yet" })),
});
