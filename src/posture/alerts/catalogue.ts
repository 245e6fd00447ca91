/** Who can tell: the device from its own events, or only somebody who sees the hub. */
export type EvaluationPlace = "device" | "hub";

/** Form of the values of an allow list. `cidr`: addresses and ranges; `process`: paths or base names. */
export type AllowlistForm = "cidr" | "user" | "process";

/** One official rule type of custom alerts, in our own words. */
export interface CatalogueEntry {
  /** As `ruleType` spells it. */
  readonly ruleType: string;
  /** In which list of a security group it stands. */
  readonly list: "timeWindowRules" | "allowlistRules";
  readonly place: EvaluationPlace;
  /** Of list rules: what its values are. */
  readonly allowlistForm?: AllowlistForm;
  /** False for a rule type that the interface knows and the official list of alerts does not have. */
  readonly isListed: boolean;
  readonly severity: "Low";
  readonly title: string;
  readonly description: string;
  readonly remediation: string;
}

function hubCount(ruleType: string, what: string, remediation: string): CatalogueEntry {
  return {
    ruleType,
    list: "timeWindowRules",
    place: "hub",
    isListed: true,
    severity: "Low",
    title: `Unusual number of ${what}`,
    description: `Within the time window the number of ${what} was below or above the range set for this group.`,
    remediation,
  };
}

const WHO_SENDS =
  "Find out which back-end service sends to the device and whether its schedule or its code has changed; if nobody expects the traffic, renew the service credentials.";
const WHY_REJECTED =
  "Read on the device why it refuses messages: a wrong version on either side, or a sender who should not be there.";
const WHY_MORE =
  "Compare with what the device is meant to report: too few points at a device or network that fails, too many at a faulty loop or at someone else who has its credentials; if in doubt, renew them.";

/** The protocol in the name of a rule type and in words. */
const PROTOCOLS = [
  ["Amqp", "AMQP"],
  ["Mqtt", "MQTT"],
  ["Http", "HTTP"],
] as const;

const HUB_RULES: readonly CatalogueEntry[] = [
  ...PROTOCOLS.map(([prefix, protocol]) =>
    hubCount(
      `${prefix}C2DMessagesNotInAllowedRange`,
      `cloud-to-device messages over ${protocol}`,
      WHO_SENDS,
    ),
  ),
  ...PROTOCOLS.map(([prefix, protocol]) =>
    hubCount(
      `${prefix}C2DRejectedMessagesNotInAllowedRange`,
      `cloud-to-device messages over ${protocol} that the device rejected`,
      WHY_REJECTED,
    ),
  ),
  ...PROTOCOLS.map(([prefix, protocol]) =>
    hubCount(
      `${prefix}D2CMessagesNotInAllowedRange`,
      `device-to-cloud messages over ${protocol}`,
      WHY_MORE,
    ),
  ),
  hubCount(
    "DirectMethodInvokesNotInAllowedRange",
    "direct method calls to the device",
    "Find the caller in the hub's logs; remove its right to call if the calls are not expected.",
  ),
  hubCount(
    "FileUploadsNotInAllowedRange",
    "files uploaded by the device",
    "Look at the uploaded files in the storage container: what are they, and which program on the device sends them?",
  ),
  hubCount(
    "QueuePurgesNotInAllowedRange",
    "purges of the device's message queue",
    "Find out who empties the queue: commands to the device are lost each time.",
  ),
  hubCount(
    "TwinUpdatesNotInAllowedRange",
    "updates of the device's twins",
    "Compare the versions of the twin and find the writer; the device itself and every service with registry rights can be it.",
  ),
  hubCount(
    "UnauthorizedOperationsNotInAllowedRange",
    "operations refused as unauthorized",
    "Look at the refused identity and address: an expired key or a wrong clock is the harmless case, guessing of credentials the other.",
  ),
];

const DEVICE_RULES: readonly CatalogueEntry[] = [
  {
    ruleType: "ActiveConnectionsNotInAllowedRange",
    list: "timeWindowRules",
    place: "device",
    isListed: true,
    severity: "Low",
    title: "Unusual number of network connections",
    description:
      "Within the time window the device had fewer or more network connections than the range set for this group.",
    remediation:
      "Look at the programs and remote addresses in the evidence. Remove what nobody can explain; raise the range if the device has got a new task. Too few often means a service that no longer runs.",
  },
  {
    ruleType: "FailedLocalLoginsNotInAllowedRange",
    list: "timeWindowRules",
    place: "device",
    isListed: true,
    severity: "Low",
    title: "Unusual number of failed logins",
    description:
      "Within the time window more (or fewer) logins to the device were refused than the range set for this group.",
    remediation:
      "See from where and as whom somebody tried. Close the service to that network, allow keys only, and check that none of the attempts succeeded in the end.",
  },
  {
    ruleType: "ConnectionToIpNotAllowed",
    list: "allowlistRules",
    place: "device",
    allowlistForm: "cidr",
    isListed: true,
    severity: "Low",
    title: "Connection to an address that is not allowed",
    description: "The device connected, or tried to, to an address outside all allowed ranges.",
    remediation:
      "Find the program in the evidence and what it wants there. Remove it if it does not belong; otherwise add the range to the allow list. A firewall that denies output by default stops the next one.",
  },
  {
    ruleType: "LocalUserNotAllowed",
    list: "allowlistRules",
    place: "device",
    allowlistForm: "user",
    isListed: true,
    severity: "Low",
    title: "Login of a user who is not allowed",
    description: "A user whose name is not on the allow list logged in to the device.",
    remediation:
      "Ask who used the account and for what. Lock it and end its sessions if nobody can tell; otherwise add the name to the allow list.",
  },
  {
    ruleType: "ProcessNotAllowed",
    list: "allowlistRules",
    place: "device",
    allowlistForm: "process",
    isListed: true,
    severity: "Low",
    title: "Program that is not allowed was started",
    description: "The device ran a program that is not on the allow list.",
    remediation:
      "See which user and which parent started it, and to which package the file belongs. Stop and keep it for analysis if it belongs to none; otherwise add it to the allow list.",
  },
  {
    ruleType: "ConnectionFromIpNotAllowed",
    list: "allowlistRules",
    place: "device",
    allowlistForm: "cidr",
    isListed: false,
    severity: "Low",
    title: "Connection from an address that is not allowed",
    description: "The device was connected to from an address outside all allowed ranges.",
    remediation:
      "See which service was reached. Close its port to that network in the firewall, or add the range to the allow list.",
  },
];

/**
 * Every rule type of custom alerts: the 19 of the official list, 5 for the device and 14 for the hub,
 * and one that later versions of the interface have and the list has not. Official: names, lists and
 * severity; all other words are ours.
 * Source: Microsoft.Security deviceSecurityGroups 2019-08-01; the lists of customizable alerts.
 */
export const CATALOGUE: readonly CatalogueEntry[] = [...DEVICE_RULES, ...HUB_RULES];

const BY_TYPE: ReadonlyMap<string, CatalogueEntry> = new Map(
  CATALOGUE.map((entry) => [entry.ruleType, entry]),
);

/** The entry of a rule type, spelled exactly; undefined when there is none. */
export function catalogueEntry(ruleType: string): CatalogueEntry | undefined {
  return BY_TYPE.get(ruleType);
}

/** `IoT_CA_` and the rule type. Published for the hub's rules, inferred for those of the device. */
export function alertTypeOf(ruleType: string): string {
  return `IoT_CA_${ruleType}`;
}
