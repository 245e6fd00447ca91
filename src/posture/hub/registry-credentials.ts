import { type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { HUB_CATALOGUE } from "./catalogue.ts";
import { createDeviceGroups } from "./device-groups.ts";
import { brokenOf, missingOfEdge, stateOf } from "./edge-coverage.ts";
import type { EdgeFacts } from "./hub-facts.ts";

/** Registries of Azure in the public and the sovereign clouds. Source: Azure Container Registry, endpoints. */
const AZURE_REGISTRY = /\.azurecr\.(?:io|cn|us|de)$/i;
/** Service principals log in with their application id. Source: Azure Container Registry, authentication. */
const APPLICATION_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Logins at registries of Azure with anything but a service principal. */
export function judgeRegistryCredentials(edge: EdgeFacts): Verdict<"IoT_ACRAuthentication"> {
  const groups = createDeviceGroups();
  for (const { deviceId, registries } of edge.deployments) {
    for (const { address, username } of registries) {
      const registry = hostOf(address);
      if (AZURE_REGISTRY.test(registry) && !APPLICATION_ID.test(username)) {
        groups.add({ registry, username }, deviceId);
      }
    }
  }
  const evidence = groups.evidence();
  const missing = [
    ...missingOfEdge(edge),
    ...brokenOf(edge, (part) => part.startsWith("registryCredentials")),
  ];
  return verdictWith(HUB_CATALOGUE.IoT_ACRAuthentication, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing,
  });
}

/** `https://Name.azurecr.io:443/path` → `name.azurecr.io` */
function hostOf(address: string): string {
  const host = address.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").split(/[/:]/)[0] ?? "";
  return host.toLowerCase();
}
