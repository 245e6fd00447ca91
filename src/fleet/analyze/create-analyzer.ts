import { createPartitionAnalyzer } from "../../posture/fleet/create-partition-analyzer.ts";
import { FLEET_INPUTS } from "../../posture/fleet/fleet-rules.ts";
import type { AnalyzerFactory } from "./analyzer-factory.ts";
import type { AnalyzeConfig } from "./config.ts";

const HOUR_MS = 3_600_000;

/** The rules of posture for each partition, as the configuration wants them. */
export function analyzerFactory(config: AnalyzeConfig): AnalyzerFactory {
  return (place, groups) =>
    createPartitionAnalyzer({
      groups,
      hub: config.hub,
      // A diagnostic setting fills one event hub, everything else the other.
      inputs: FLEET_INPUTS.filter(
        (input) =>
          config.completeInputs.some((one) => one === input) &&
          (input === "logs") === (place.source === "logs"),
      ),
      groupProperty: config.groupProperty,
      ...(config.protocolProperty === undefined
        ? {}
        : { protocolProperty: config.protocolProperty }),
      twinUpdates: config.twinUpdates,
      queuePurges: config.queuePurges,
      rememberMs: config.rememberHours * HOUR_MS,
      maxDevices: config.maxDevices,
      keepsSnapshot: true,
    });
}
