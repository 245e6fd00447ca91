import { type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { HUB_CATALOGUE } from "./catalogue.ts";
import { stateOf } from "./edge-coverage.ts";
import type { HubSettings } from "./hub-facts.ts";

/** How the resource of a hub is had. */
export const HOW_TO_GET_HUB = "resource of the hub: az iot hub show -n HUB (--hub FILE)";

/** Hubs that do not insist on TLS 1.2. */
export function judgeTlsVersion(
  hubs: readonly HubSettings[],
): Verdict<"IoT_VulnerableTLSCipherSuite"> {
  const missing = hubs.length === 0 ? [HOW_TO_GET_HUB] : [];
  const evidence: Readonly<Record<string, string>>[] = [];
  for (const { name, minTlsVersion } of hubs) {
    const found = /^(?:tls)?v?(\d{1,2})[._](\d{1,2})$/i.exec(minTlsVersion ?? "");
    const isOld = minTlsVersion === undefined || (found !== null && isBelow(found));
    if (isOld) {
      const value = minTlsVersion ?? "not set";
      evidence.push({ hub: name, setting: "properties.minTlsVersion", value });
    } else if (found === null)
      missing.push(`minTlsVersion of ${name}: '${minTlsVersion}' is no version`);
  }
  return verdictWith(HUB_CATALOGUE.IoT_VulnerableTLSCipherSuite, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing,
  });
}

function isBelow([, major = "0", minor = "0"]: RegExpExecArray): boolean {
  return Number(major) < 1 || (Number(major) === 1 && Number(minor) < 2);
}
