import { type Verdict, verdictWith } from "../recommendations/verdict.ts";
import { HUB_CATALOGUE } from "./catalogue.ts";
import { numbered } from "./device-groups.ts";
import { stateOf } from "./edge-coverage.ts";
import type { AddressRule, HubSettings } from "./hub-facts.ts";
import { HOW_TO_GET_HUB } from "./tls-version.ts";

type Evidence = Readonly<Record<string, string>>;
/** What one hub is found to be: evidence where it is wrong, a text where it cannot be told. */
type Finding = { readonly wrong: Evidence } | { readonly unknown: string } | undefined;

const LAST_IPV4 = 0xffff_ffffn;

/** Hubs that accept addresses that no rule speaks of. */
export function judgeDefaultFilter(hubs: readonly HubSettings[]): Verdict<"IoT_IPFilter_DenyAll"> {
  const missing = hubs.length === 0 ? [HOW_TO_GET_HUB] : [];
  const evidence: Evidence[] = [];
  for (const hub of hubs) {
    const finding = defaultOf(hub);
    if (finding === undefined) continue;
    if ("wrong" in finding) evidence.push({ hub: hub.name, ...finding.wrong });
    else missing.push(`${hub.name}: ${finding.unknown}`);
  }
  return verdictWith(HUB_CATALOGUE.IoT_IPFilter_DenyAll, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing,
  });
}

function defaultOf({
  publicNetworkAccess,
  networkRules,
  filterRules,
  brokenRules,
}: HubSettings): Finding {
  if (publicNetworkAccess?.toLowerCase() === "disabled") return undefined;
  if (networkRules !== undefined) {
    const action = networkRules.defaultAction?.toLowerCase();
    if (action === "deny") return undefined;
    if (action === undefined) return { unknown: "networkRuleSets without a defaultAction" };
    const value = networkRules.defaultAction ?? "";
    return { wrong: { setting: "properties.networkRuleSets.defaultAction", value } };
  }
  if (brokenRules > 0)
    return { unknown: `${numbered(brokenRules, "rule")} of its IP filter not readable` };
  return classicDefault(filterRules);
}

/**
 * The first rule over all addresses is the default. Without one, every address that no rule matches is
 * accepted. Source: IoT Hub, Use IP filters: rules are ordered, the first match decides.
 */
function classicDefault(rules: readonly AddressRule[]): Finding {
  const setting = "properties.ipFilterRules";
  const all = rules.find(
    ({ family, first, last }) => family === "ipv4" && first === 0n && last === LAST_IPV4,
  );
  if (all !== undefined) {
    if (!all.isAccept) return undefined;
    const { filterName, ipMask } = all;
    return { wrong: { setting, value: "Accept", filterName, ipMask } };
  }
  if (coversAll(rules)) return undefined;
  const value =
    rules.length === 0 ? "no rules: all addresses are accepted" : "no rule for all other addresses";
  return { wrong: { setting, value } };
}

/** Whether no address of IPv4 is left to the default. */
function coversAll(rules: readonly AddressRule[]): boolean {
  let next = 0n;
  const ranges = rules
    .filter(({ family }) => family === "ipv4")
    .sort((a, b) => (a.first < b.first ? -1 : 1));
  for (const { first, last } of ranges) {
    if (first > next) return false;
    if (last >= next) next = last + 1n;
  }
  return next > LAST_IPV4;
}

/** Accept rules with more addresses than the limit. Rules of a hub without public access do not matter. */
export function judgePermissiveFilter(
  hubs: readonly HubSettings[],
  maxAddresses: number,
): Verdict<"IoT_IPFilter_PermissiveRule"> {
  const missing = hubs.length === 0 ? [HOW_TO_GET_HUB] : [];
  const evidence: Evidence[] = [];
  for (const { name, publicNetworkAccess, networkRules, filterRules, brokenRules } of hubs) {
    if (publicNetworkAccess?.toLowerCase() === "disabled") continue;
    for (const rule of networkRules?.rules ?? filterRules) {
      const { filterName, ipMask, isAccept, first, last } = rule;
      const addresses = last - first + 1n;
      if (isAccept && addresses > BigInt(maxAddresses)) {
        evidence.push({ hub: name, filterName, ipMask, addresses: String(addresses) });
      }
    }
    if (brokenRules > 0) missing.push(`${name}: ${numbered(brokenRules, "rule")} not readable`);
  }
  return verdictWith(HUB_CATALOGUE.IoT_IPFilter_PermissiveRule, {
    state: stateOf(evidence.length, missing),
    evidence,
    missing,
  });
}
