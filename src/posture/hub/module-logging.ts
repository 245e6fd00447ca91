import { type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { HUB_CATALOGUE } from "./catalogue.ts";
import { createDeviceGroups } from "./device-groups.ts";
import { brokenOf, missingOfEdge, stateOf } from "./edge-coverage.ts";
import type { EdgeFacts } from "./hub-facts.ts";

/** Modules whose output the container engine throws away. */
export function judgeModuleLogging(edge: EdgeFacts): Verdict<"IoT_EdgeLoggingOptions"> {
  const groups = createDeviceGroups();
  for (const { deviceId, modules, defaultLogDriver } of edge.deployments) {
    for (const { name, isSystem, logDriver, isReadable } of modules) {
      const isOwn = logDriver !== undefined;
      const driver = logDriver ?? (isReadable ? defaultLogDriver : undefined) ?? "";
      if (driver.toLowerCase() !== "none") continue;
      const place = isSystem ? "systemModules" : "modules";
      const jsonPath = isOwn
        ? `${place}.${name}.settings.createOptions.HostConfig.LogConfig.Type`
        : "runtime.settings.loggingOptions";
      groups.add({ module: name, jsonPath, driver }, deviceId);
    }
  }
  const evidence = groups.evidence();
  const missing = [
    ...missingOfEdge(edge),
    ...brokenOf(edge, (part) => !part.startsWith("registryCredentials")),
  ];
  return verdictWith(HUB_CATALOGUE.IoT_EdgeLoggingOptions, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing,
  });
}
