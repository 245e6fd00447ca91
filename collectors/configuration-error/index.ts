import { defineWatchCollector } from "../../src/contract/collector.ts";
import { configurationErrorPayload, configurationErrorSettings } from "./schema.ts";

export const configurationError = defineWatchCollector({
  name: "configuration-error",
  summary: "What is wrong with the module twin or the configuration, and what is in force instead.",
  eventName: "ConfigurationError",
  cost: "light",
  needs: [],
  sources: ["docs/twin.md"],
  settings: configurationErrorSettings,
  payload: configurationErrorPayload,
  async watch(context, emit) {
    const stop = context.agent.onConfigurationFinding((finding) => {
      const item = {
        ConfigurationName: finding.configurationName,
        ErrorType: finding.errorType,
        UsedConfiguration: finding.usedConfiguration,
        Message: finding.message.slice(0, 4096),
      };
      emit([{ name: "ConfigurationError", payload: [item] }]);
    });
    return { stop: async () => stop() };
  },
});
