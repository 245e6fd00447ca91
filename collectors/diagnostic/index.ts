import type { DiagnosticFinding } from "../../src/contract/agent-facts.ts";
import { defineWatchCollector } from "../../src/contract/collector.ts";
import { diagnosticPayload, diagnosticSettings } from "./schema.ts";

const SEVERITIES: readonly DiagnosticFinding["severity"][] = [
  "Fatal",
  "Error",
  "Warning",
  "Information",
  "Debug",
];

export const diagnostic = defineWatchCollector({
  name: "diagnostic",
  summary: "What the agent found about itself: a collector that cannot work, data that was lost.",
  eventName: "Diagnostic",
  cost: "light",
  needs: [],
  sources: ["docs/troubleshooting.md"],
  settings: diagnosticSettings,
  payload: diagnosticPayload,
  async watch(context, emit) {
    const lowest = SEVERITIES.indexOf(context.settings.minimumSeverity);
    const stop = context.agent.onDiagnostic((finding) => {
      if (SEVERITIES.indexOf(finding.severity) > lowest) return;
      const item = {
        Severity: finding.severity,
        Message: finding.message.slice(0, 4096),
        ProcessId: context.agent.processId,
        ThreadId: context.agent.processId,
        ...(Object.keys(finding.details).length === 0 ? {} : { ExtraDetails: finding.details }),
      };
      emit([{ name: "Diagnostic", payload: [item] }]);
    });
    return { stop: async () => stop() };
  },
});
