import { defineSnapshotCollector } from "../../src/contract/collector.ts";
import { messageStatisticsPayload, messageStatisticsSettings } from "./schema.ts";

export const messageStatistics = defineSnapshotCollector({
  name: "message-statistics",
  summary: "How many messages were sent, were smaller than a metering unit, or failed.",
  eventName: "MessageStatistics",
  cost: "light",
  needs: [],
  sources: ["Azure IoT Hub pricing: messages are metered in blocks of 4 KB"],
  settings: messageStatisticsSettings,
  payload: messageStatisticsPayload,
  async collect(context) {
    const counts = context.agent.takeMessageCounts();
    const item = {
      MessagesSent: counts.messagesSent,
      MessagesUnder4KB: counts.messagesUnder4Kb,
      TotalFailed: counts.totalFailed,
    };
    return { events: [{ name: "MessageStatistics", payload: [item] }], problems: [] };
  },
});
