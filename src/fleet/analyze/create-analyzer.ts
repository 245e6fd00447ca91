import { createPartitionAnalyzer } from "../../posture/fleet/create-partition-analyzer.ts";
import type { DeviceFacts } from "../../posture/fleet/device-facts.ts";
import { FLEET_INPUTS } from "../../posture/fleet/fleet-rules.ts";
import type { AnalyzerFactory } from "./analyzer-factory.ts";
import type { AnalyzeConfig } from "./config.ts";

const HOUR_MS = 3_600_000;

/**
 * The rules of posture for each partition, as the configuration wants them. `devices` gives the list of
 * devices in force.
 */
export function analyzerFactory(
  config: AnalyzeConfig,
  devices: () => ReadonlyMap<string, DeviceFacts>,
): AnalyzerFactory {
  // A diagnostic setting fills an event hub of its own, or the same as everything else.
  const areLogsApart = config.logs !== undefined;
  return (place, groups) =>
    createPartitionAnalyzer({
      groups,
      hub: config.hub,
      inputs: FLEET_INPUTS.filter(
        (input) =>
          config.completeInputs.some((one) => one === input) &&
          (!areLogsApart || (input === "logs") === (place.source === "logs")),
      ),
      devices: devices(),
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
