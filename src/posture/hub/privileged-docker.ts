import { type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { HUB_CATALOGUE } from "./catalogue.ts";
import { createDeviceGroups } from "./device-groups.ts";
import { brokenOf, missingOfEdge, stateOf } from "./edge-coverage.ts";
import type { EdgeFacts } from "./hub-facts.ts";

/** Modules with options that make their container no boundary. */
export function judgePrivilegedDocker(edge: EdgeFacts): Verdict<"IoT_PrivilegedDockerOptions"> {
  const groups = createDeviceGroups();
  for (const { deviceId, modules } of edge.deployments) {
    for (const { name, isSystem, privileges } of modules) {
      for (const { jsonPath, value } of privileges) {
        const place = isSystem ? "systemModules" : "modules";
        const path = `${place}.${name}.settings.createOptions.${jsonPath}`;
        groups.add({ module: name, jsonPath: path, value }, deviceId);
      }
    }
  }
  const evidence = groups.evidence();
  const missing = [
    ...missingOfEdge(edge),
    ...brokenOf(edge, (part) => !/^registryCredentials|^runtime/.test(part)),
  ];
  return verdictWith(HUB_CATALOGUE.IoT_PrivilegedDockerOptions, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing,
  });
}
