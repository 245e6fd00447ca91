import type { Verdict } from "../recommendations/verdict.ts";
import { DEFAULT_MAX_ADDRESSES, type HubRecommendationType } from "./catalogue.ts";
import { judgeEdgeHubHeads } from "./edge-hub-heads.ts";
import type { HubFacts } from "./hub-facts.ts";
import { judgeModuleSettings } from "./inconsistent-settings.ts";
import { judgeDefaultFilter, judgePermissiveFilter } from "./ip-filter.ts";
import { judgeModuleLogging } from "./module-logging.ts";
import { judgePrivilegedDocker } from "./privileged-docker.ts";
import { judgeRegistryCredentials } from "./registry-credentials.ts";
import { judgeSharedCredentials } from "./shared-credentials.ts";
import { judgeTlsVersion } from "./tls-version.ts";

export interface HubThresholds {
  /** Most addresses of an accept rule. */
  readonly maxAddresses?: number;
}

/** Every recommendation about a hub, in the order of the catalogue. */
export function judgeHub(
  { hubs, credentials, edge }: HubFacts,
  { maxAddresses = DEFAULT_MAX_ADDRESSES }: HubThresholds = {},
): readonly Verdict<HubRecommendationType>[] {
  return [
    judgeSharedCredentials(credentials),
    judgePrivilegedDocker(edge),
    judgeRegistryCredentials(edge),
    judgeTlsVersion(hubs),
    judgeDefaultFilter(hubs),
    judgePermissiveFilter(hubs, maxAddresses),
    judgeModuleSettings(edge),
    judgeEdgeHubHeads(edge),
    judgeModuleLogging(edge),
  ];
}
