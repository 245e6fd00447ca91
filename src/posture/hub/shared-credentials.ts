import { type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { HUB_CATALOGUE } from "./catalogue.ts";
import { namesOf } from "./device-groups.ts";
import { stateOf } from "./edge-coverage.ts";
import type { CredentialFacts } from "./hub-facts.ts";

/**
 * The same credential on more than one device, connections with a policy of the hub, and identities in use
 * twice. Without the log the registry decides alone, and the verdict says what was not seen.
 */
export function judgeSharedCredentials(facts: CredentialFacts): Verdict<"IoT_SharedCredentials"> {
  const { shared, policyDevices, policyDeviceCount, displaced } = facts;
  const evidence = [
    ...shared.map(({ kind, hash, devices, count }) => ({
      credential: kind,
      devices: namesOf(devices, count),
      count,
      hash,
    })),
    ...(policyDeviceCount === 0
      ? []
      : [
          {
            credential: "shared access policy of the hub",
            devices: namesOf(policyDevices, policyDeviceCount),
            count: policyDeviceCount,
          },
        ]),
    ...displaced.map(({ identity, hour, count }) => ({
      credential: "identity in use twice (400027)",
      identity,
      count,
      hour,
    })),
  ];
  const missing = missingOfRegistry(facts);
  const isWithoutLog = facts.connectionRecords === 0;
  return verdictWith(HUB_CATALOGUE.IoT_SharedCredentials, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing: [
      ...missing,
      ...(isWithoutLog
        ? ["Connections log: policies of the hub and identities in use twice (--logs FILE)"]
        : []),
    ],
  });
}

function missingOfRegistry(facts: CredentialFacts): readonly string[] {
  const { identities, withoutKeys, notCompared } = facts;
  if (identities === 0) {
    return [
      "identities: az iot hub device-identity export -n HUB --include-keys true … (--identities FILE)",
    ];
  }
  return [
    ...(withoutKeys === 0
      ? []
      : [
          `keys of ${withoutKeys} of ${identities} identities: export them with their keys (--include-keys true)`,
        ]),
    ...(notCompared === 0 ? [] : [`${notCompared} credentials beyond the most that are compared`]),
  ];
}
