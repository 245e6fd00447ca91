import type { Severity } from "../recommendations/catalogue.ts";

/**
 * Recommendations that data of the hub decides, in the order of the published list. Source: the published
 * list of recommendations for IoT Hub, and the enumeration RecommendationType of the REST interface.
 */
export const HUB_RECOMMENDATION_TYPES = [
  "IoT_SharedCredentials",
  "IoT_PrivilegedDockerOptions",
  "IoT_ACRAuthentication",
  "IoT_VulnerableTLSCipherSuite",
  "IoT_IPFilter_DenyAll",
  "IoT_IPFilter_PermissiveRule",
  "IoT_InconsistentModuleSettings",
  "IoT_EdgeHubMemOptimize",
  "IoT_EdgeLoggingOptions",
] as const;

export type HubRecommendationType = (typeof HUB_RECOMMENDATION_TYPES)[number];

/** What is to be known of a recommendation beside its verdict on a hub. */
export interface HubRecommendation<Type extends HubRecommendationType = HubRecommendationType> {
  readonly type: Type;
  readonly title: string;
  readonly severity: Severity;
  /** What an unhealthy verdict means. */
  readonly description: string;
  /** What to do about it. */
  readonly remediation: string;
  /** When the verdict is unhealthy, in one sentence. */
  readonly rule: string;
  /** Numbers that no publication gives, so that they are ours; empty where there is none. */
  readonly thresholds: readonly string[];
  /** Records that it is judged by. */
  readonly judgedBy: readonly string[];
  /** Names of the fields that its evidence may have. */
  readonly evidence: readonly string[];
}

/** Connections of one identity that another one ended, within an hour, from which they count. */
export const MOST_DISPLACED_IN_HOUR = 3;
/** Addresses of a /16: an accept rule with more is permissive unless the owner says otherwise. */
export const DEFAULT_MAX_ADDRESSES = 65_536;
/** Fewest gateways of a group that are compared. */
export const FEWEST_IN_GROUP = 3;
/** Days in which a client counts as one that uses a protocol head. */
export const HEAD_WINDOW_DAYS = 7;

/** Every recommendation about a hub, by type. */
export const HUB_CATALOGUE: {
  readonly [Type in HubRecommendationType]: HubRecommendation<Type>;
} = {
  IoT_SharedCredentials: {
    type: "IoT_SharedCredentials",
    title: "Devices share credentials",
    severity: "High",
    description:
      "The same key, certificate or policy serves more than one device: one that is stolen opens them " +
      "all, and none can be locked out alone.",
    remediation:
      "Give each device a key or a certificate of its own, roll the shared ones, and let no device " +
      "connect with a shared access policy of the hub.",
    rule:
      "A key or thumbprint belongs to two devices or more, a device connects with a policy of the hub, " +
      "or connections of one identity displace each other again and again.",
    thresholds: [
      `displaced connections of one identity in an hour of the clock: ${MOST_DISPLACED_IN_HOUR}`,
    ],
    judgedBy: ["identity registry", "Connections log"],
    evidence: ["credential", "devices", "count", "hash", "identity", "hour"],
  },
  IoT_PrivilegedDockerOptions: {
    type: "IoT_PrivilegedDockerOptions",
    title: "Edge module has high privileges",
    severity: "High",
    description:
      "A container of IoT Edge may do nearly what root of the gateway may: whoever gets into the module " +
      "gets the gateway.",
    remediation:
      "Take Privileged, the added capabilities and the namespaces of the host out of the createOptions, " +
      "and bind no more than the folders that the module needs.",
    rule:
      "createOptions set Privileged, a strong capability, a namespace of the host, or bind the root or " +
      "the socket of the container engine.",
    thresholds: [
      "capabilities: ALL, SYS_ADMIN, NET_ADMIN, SYS_MODULE, SYS_PTRACE, SYS_RAWIO, DAC_READ_SEARCH",
      "binds: /, docker.sock",
    ],
    judgedBy: ["$edgeAgent desired properties"],
    evidence: ["module", "jsonPath", "value", "devices", "count"],
  },
  IoT_ACRAuthentication: {
    type: "IoT_ACRAuthentication",
    title: "Registry is not used with a service principal",
    severity: "Medium",
    description:
      "Gateways log in to an Azure container registry with an account that is no service principal, such " +
      "as its administrator, who may also push images.",
    remediation:
      "Create a service principal that may only pull (AcrPull), put its application id and secret into " +
      "the deployment, and switch the administrator of the registry off.",
    rule: "The user name for a registry of Azure is no application id, which is a GUID.",
    thresholds: [],
    judgedBy: ["$edgeAgent desired properties"],
    evidence: ["registry", "username", "devices", "count"],
  },
  IoT_VulnerableTLSCipherSuite: {
    type: "IoT_VulnerableTLSCipherSuite",
    title: "Hub does not insist on TLS 1.2",
    severity: "Medium",
    description: "The hub is not set to refuse versions of TLS below 1.2 and their weak ciphers.",
    remediation:
      "minTlsVersion is fixed when a hub is made: make a hub with minTlsVersion 1.2 and move the devices.",
    rule: "minTlsVersion of the hub is absent or below 1.2.",
    thresholds: [],
    judgedBy: ["ARM resource of the hub"],
    evidence: ["hub", "setting", "value"],
  },
  IoT_IPFilter_DenyAll: {
    type: "IoT_IPFilter_DenyAll",
    title: "IP filter accepts by default",
    severity: "Medium",
    description: "Addresses that no rule of the hub speaks of may connect.",
    remediation:
      "Set the default action of the network rules to Deny, or end the IP filter with a rule that " +
      "rejects 0.0.0.0/0, after rules for the networks that need the hub.",
    rule:
      "Public access is on, and the default action is not Deny; or, in an IP filter, an address that no " +
      "other rule matches is accepted.",
    thresholds: [],
    judgedBy: ["ARM resource of the hub"],
    evidence: ["hub", "setting", "value", "filterName", "ipMask"],
  },
  IoT_IPFilter_PermissiveRule: {
    type: "IoT_IPFilter_PermissiveRule",
    title: "IP filter rule accepts a large range",
    severity: "Medium",
    description: "A rule of the hub accepts connections from a large range of addresses.",
    remediation:
      "Give each accept rule only the networks that your devices and services connect from.",
    rule: "An accept rule holds more addresses than the limit.",
    thresholds: [`addresses of a rule: ${DEFAULT_MAX_ADDRESSES} (--max-addresses)`],
    judgedBy: ["ARM resource of the hub"],
    evidence: ["hub", "filterName", "ipMask", "addresses"],
  },
  IoT_InconsistentModuleSettings: {
    type: "IoT_InconsistentModuleSettings",
    title: "Module settings differ within a group",
    severity: "Medium",
    description:
      "A few gateways of a group run a module with other settings than most: a deployment that did not " +
      "reach them, or a change by hand.",
    remediation:
      "Deploy the same settings to the whole group, or give the gateways that must differ a group of " +
      "their own (tags.SecurityGroup).",
    rule: "Most gateways of a group have the same settings of a module, and this one has others.",
    thresholds: [
      `fewest gateways of a group with the module: ${FEWEST_IN_GROUP}`,
      "most: more than half",
    ],
    judgedBy: ["$edgeAgent desired properties", "device twins: tags.SecurityGroup"],
    evidence: ["group", "module", "devices", "count", "differs", "majority"],
  },
  IoT_EdgeHubMemOptimize: {
    type: "IoT_EdgeHubMemOptimize",
    title: "Edge hub memory can be optimised",
    severity: "Low",
    description: "The edge hub keeps a protocol head in memory that no client uses.",
    remediation:
      "Switch the heads off that nobody uses, in the environment of edgeHub: amqpSettings__enabled, " +
      "mqttSettings__enabled or httpSettings__enabled = false.",
    rule: "Fewer clients were connected in the window than there are heads that hold connections.",
    thresholds: [`window: ${HEAD_WINDOW_DAYS} days`],
    judgedBy: ["$edgeAgent desired properties", "$edgeHub reported properties"],
    evidence: ["enabledHeads", "clients", "unusedHeads", "devices", "count"],
  },
  IoT_EdgeLoggingOptions: {
    type: "IoT_EdgeLoggingOptions",
    title: "Edge module does not log",
    severity: "Low",
    description:
      "The container engine throws the output of a module away, so nobody can look into it.",
    remediation:
      "Set HostConfig.LogConfig.Type of the createOptions to a driver that keeps logs, such as local or " +
      "json-file with max-size and max-file.",
    rule: "The log driver of a module is none.",
    thresholds: [],
    judgedBy: ["$edgeAgent desired properties"],
    evidence: ["module", "jsonPath", "driver", "devices", "count"],
  },
};
