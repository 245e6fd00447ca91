import type { NumberedAlert } from "../../src/fleet/analyze/output.ts";
import type { Place } from "../../src/fleet/analyze/place.ts";

export const PLACE: Place = {
  source: "endpoint",
  namespace: "fleet.example",
  eventHub: "telemetry",
  consumerGroup: "gatewarden",
  partitionId: "3",
};

export function sampleAlert(id: string, sequenceNumber = 7): NumberedAlert {
  return {
    sequenceNumber,
    alert: {
      id,
      alertType: "IoT_CA_TwinUpdatesNotInAllowedRange",
      ruleType: "TwinUpdatesNotInAllowedRange",
      severity: "Low",
      title: "Number of module twin updates is not in the allowed range",
      description: "what",
      remediation: "what to do",
      group: "default",
      subject: "fleet-hub/gateway-7",
      windowStartMs: Date.UTC(2026, 0, 15, 12),
      windowEndMs: Date.UTC(2026, 0, 15, 12, 5),
      count: 9,
      evidence: {
        reason: "too-many",
        minThreshold: 0,
        maxThreshold: 5,
        spreadCount: 0,
        isWatchComplete: true,
        samples: [{ eventId: "e", atMs: Date.UTC(2026, 0, 15, 12, 1), detail: "updateTwin" }],
      },
    },
  };
}
