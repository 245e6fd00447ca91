/** Importance as the retired cloud service graded it. */
export type Severity = "High" | "Medium" | "Low";

/**
 * Recommendations that an agent can judge by itself. The two about the twin have no published type name:
 * theirs are ours, in the same form. Source: the published lists of recommendations for IoT devices, and
 * the enumeration RecommendationType of the service's REST interface.
 */
export const RECOMMENDATION_TYPES = [
  "IoT_OpenPorts",
  "IoT_PermissiveFirewallPolicy",
  "IoT_PermissiveInputFirewallRules",
  "IoT_PermissiveOutputFirewallRules",
  "IoT_Baseline",
  "IoT_AgentSendsUnutilizedMessages",
  "IoT_TwinConfigurationNotOptimal",
  "IoT_TwinConfigurationConflict",
] as const;

/** Name of a recommendation. */
export type RecommendationType = (typeof RECOMMENDATION_TYPES)[number];

/** What is to be known of a recommendation beside its verdict on this device. */
export interface Recommendation {
  readonly type: RecommendationType;
  /** False where the published lists name the recommendation in words alone, without a type. */
  readonly isOfficialName: boolean;
  readonly title: string;
  readonly severity: Severity;
  readonly kind: "security" | "operational";
  /** What an unhealthy verdict means. */
  readonly description: string;
  /** What to do about it. */
  readonly remediation: string;
  /** When the verdict is unhealthy, in one sentence. */
  readonly rule: string;
  /** Defaults of what an operator may set, in words; empty where there is nothing to set. */
  readonly thresholds: readonly string[];
  /** Events and facts that it is judged by. */
  readonly judgedBy: readonly string[];
  /** Names of the fields that its evidence may have. */
  readonly evidence: readonly string[];
}

const RULE_FIELDS = [
  "backend",
  "family",
  "table",
  "chain",
  "position",
  "wide",
  "sourceAddress",
  "sourcePort",
  "destinationAddress",
  "destinationPort",
  "protocol",
  "interface",
  "rule",
] as const;
const RULE_THRESHOLDS = [
  "IPv4: more addresses than a /8 holds",
  "IPv6: more addresses than a /32 holds",
  "more than 1000 ports, or any port",
] as const;
const RULE_REMEDIATION =
  "Give each rule the networks and the ports that the device needs, and remove rules that nothing uses. " +
  "Keep the rules for loopback and for connections that exist already: they are not counted.";

/** Every recommendation, in the order of the published list. */
export const CATALOGUE: Readonly<Record<RecommendationType, Recommendation>> = {
  IoT_OpenPorts: {
    type: "IoT_OpenPorts",
    isOfficialName: true,
    title: "Open ports on the device",
    severity: "Medium",
    kind: "security",
    description:
      "A program waits for connections that the network can reach, and the port is not on the list of " +
      "allowed ports.",
    remediation:
      "Stop the program if nobody needs it, bind it to a loopback address if only this device does, or " +
      "let the firewall admit no more than the networks that need it. Add ports that are meant to be " +
      "open to the list of allowed ports.",
    rule: "A socket that is not allowed is reachable from outside, by its address and the firewall.",
    thresholds: ["allowed ports: none"],
    judgedBy: ["ListeningPorts", "FirewallConfiguration", "addresses and routes of the device"],
    evidence: [
      "protocol",
      "address",
      "port",
      "exposure",
      "interfaces",
      "sources",
      "arrivesAt",
      "rule",
      "reason",
      "process",
      "executable",
      "pid",
      "unit",
      "container",
      "isAllowed",
    ],
  },
  IoT_PermissiveFirewallPolicy: {
    type: "IoT_PermissiveFirewallPolicy",
    isOfficialName: true,
    title: "Firewall accepts by default",
    severity: "Medium",
    kind: "security",
    description:
      "What no rule of the firewall speaks of may come in or go out, or there is no firewall at all.",
    remediation:
      "Let the input and output chains drop by default, in IPv4 and in IPv6, and add rules for the " +
      "traffic that the device needs. Keep a way in while you change a remote device.",
    rule: "No chain at the input or the output hook refuses what no rule speaks of.",
    thresholds: [],
    judgedBy: ["FirewallConfiguration", "addresses of the device"],
    evidence: [
      "direction",
      "family",
      "default",
      "backend",
      "table",
      "chain",
      "policy",
      "decidedBy",
      "reason",
    ],
  },
  IoT_PermissiveInputFirewallRules: {
    type: "IoT_PermissiveInputFirewallRules",
    isOfficialName: true,
    title: "Firewall rule lets in too much",
    severity: "Medium",
    kind: "security",
    description:
      "A firewall rule lets new connections in from a wide range of addresses or to many ports.",
    remediation: RULE_REMEDIATION,
    rule: "A rule that accepts new connections has a wide range of sources or of ports.",
    thresholds: RULE_THRESHOLDS,
    judgedBy: ["FirewallConfiguration"],
    evidence: RULE_FIELDS,
  },
  IoT_PermissiveOutputFirewallRules: {
    type: "IoT_PermissiveOutputFirewallRules",
    isOfficialName: true,
    title: "Firewall rule lets out too much",
    severity: "Medium",
    kind: "security",
    description:
      "A firewall rule lets new connections out to a wide range of addresses or to many ports.",
    remediation: RULE_REMEDIATION,
    rule: "A rule that accepts new connections has a wide range of destinations or of ports.",
    thresholds: RULE_THRESHOLDS,
    judgedBy: ["FirewallConfiguration"],
    evidence: RULE_FIELDS,
  },
  IoT_Baseline: {
    type: "IoT_Baseline",
    isOfficialName: true,
    title: "Checks of the operating system fail",
    severity: "Medium",
    kind: "security",
    description: "The operating system is not set up as the baseline asks.",
    remediation:
      "Put the failed checks right, the most severe first, and waive with a reason those that do not " +
      "suit this device.",
    rule: "At least one check fails and is not waived.",
    thresholds: [],
    judgedBy: ["OSBaseline"],
    evidence: [
      "totalFailed",
      "totalErrors",
      "totalWaived",
      "failedCritical",
      "failedImportant",
      "failedWarning",
      "failedInformational",
      "ruleId",
      "title",
      "ruleSeverity",
    ],
  },
  IoT_AgentSendsUnutilizedMessages: {
    type: "IoT_AgentSendsUnutilizedMessages",
    isOfficialName: true,
    title: "Agent sends small messages",
    severity: "Low",
    kind: "operational",
    description:
      "Many security messages were smaller than 4 KB, and the hub charges each as if it were 4 KB.",
    remediation:
      "Lengthen the interval of high priority events, move noisy events to low priority or switch " +
      "aggregation on, so that messages fill up before they leave.",
    rule: "Of the security messages of the last 24 hours, 10 % or more were smaller than 4096 bytes.",
    thresholds: ["share: 10 %", "window: 24 hours", "fewest messages before a day has passed: 10"],
    judgedBy: ["MessageStatistics"],
    evidence: ["messages", "smallMessages", "share", "observedHours"],
  },
  IoT_TwinConfigurationNotOptimal: {
    type: "IoT_TwinConfigurationNotOptimal",
    isOfficialName: false,
    title: "Twin configuration is not optimal",
    severity: "Low",
    kind: "operational",
    description: "A property of the module twin has a value that works and wastes.",
    remediation: "Give the properties the values that the evidence proposes.",
    rule: "The settings in force have at least one remark NotOptimal.",
    thresholds: [],
    judgedBy: ["ConfigurationError"],
    evidence: ["property", "inForce", "reason"],
  },
  IoT_TwinConfigurationConflict: {
    type: "IoT_TwinConfigurationConflict",
    isOfficialName: false,
    title: "Twin configuration conflicts",
    severity: "Low",
    kind: "operational",
    description: "Properties of the module twin contradict each other, or the local configuration.",
    remediation:
      "Change one of the properties that the evidence names, so that both can apply as meant.",
    rule: "The settings in force have at least one remark Conflict.",
    thresholds: [],
    judgedBy: ["ConfigurationError"],
    evidence: ["property", "inForce", "reason"],
  },
};

const TYPES: ReadonlySet<string> = new Set(RECOMMENDATION_TYPES);

/** Whether a text names a recommendation of the catalogue. */
export function isRecommendationType(text: string): text is RecommendationType {
  return TYPES.has(text);
}
