import { markdownTable } from "../../src/parse/markdown-table.ts";
import { CATALOGUE as ALERTS, alertTypeOf } from "../../src/posture/alerts/catalogue.ts";
import { CATALOGUE, RECOMMENDATION_TYPES } from "../../src/posture/recommendations/catalogue.ts";
import { type GeneratedDocument, replaceSection } from "./document.ts";
import { HUB_RULES_TEST, MEASURES_TEST, RULE_TESTS } from "./posture-page.ts";

/** One row of the official lists, and what became of it here. */
export interface OfficialRow {
  readonly list: "agent recommendations" | "hub recommendations" | "custom alerts";
  readonly type: string;
  /** The rule in short. */
  readonly rule: string;
  readonly source: string;
  /** Which command or service judges it. */
  readonly place: string;
  /** Files, from the project root; empty while there is none. */
  readonly tests: readonly string[];
}

const AGENT_RULES_TEST = "src/posture/fleet/agent-rules.test.ts";

/** The recommendations that only data of the hub decides, in the order of the published list. */
const HUB_RECOMMENDATIONS: readonly Omit<OfficialRow, "list" | "place">[] = [
  {
    type: "IoT_SharedCredentials",
    rule: "Several devices have the same key or certificate, or connect with a key of the whole hub.",
    source: "identity registry, Connections log",
    tests: [],
  },
  {
    type: "IoT_PrivilegedDockerOptions",
    rule: "A module runs privileged, with wide capabilities or in the network of the host.",
    source: "$edgeAgent twins",
    tests: [],
  },
  {
    type: "IoT_ACRAuthentication",
    rule: "The user name for a registry of Azure is no application id.",
    source: "$edgeAgent twins",
    tests: [],
  },
  {
    type: "IoT_VulnerableTLSCipherSuite",
    rule: "The hub takes TLS below 1.2.",
    source: "ARM resource of the hub",
    tests: [],
  },
  {
    type: "IoT_IPFilter_DenyAll",
    rule: "What no rule of the IP filter speaks of is accepted.",
    source: "ARM resource of the hub",
    tests: [],
  },
  {
    type: "IoT_IPFilter_PermissiveRule",
    rule: "A rule of the IP filter accepts a wide range of addresses.",
    source: "ARM resource of the hub",
    tests: [],
  },
  {
    type: "IoT_InconsistentModuleSettings",
    rule: "Most gateways of a group have the same settings of a module, and this one has others.",
    source: "$edgeAgent twins, device twins",
    tests: [],
  },
  {
    type: "IoT_EdgeHubMemOptimize",
    rule: "A head of edgeHub is on, and nobody uses its protocol.",
    source: "$edgeAgent and $edgeHub twins",
    tests: [],
  },
  {
    type: "IoT_EdgeLoggingOptions",
    rule: "The log driver of a module is none.",
    source: "$edgeAgent twins",
    tests: [],
  },
];

/** Where the counts of the hub's rules come from, by what their rule types begin with. */
const ALERT_SOURCES: readonly (readonly [RegExp, string])[] = [
  [/^(Amqp|Mqtt|Http)C2DRejected/, "feedback on commands (Rejected, DeliveryCountExceeded)"],
  [/^(Amqp|Mqtt|Http)C2D/, "feedback on commands (Success)"],
  [/^(Amqp|Mqtt|Http)D2C/, "built-in endpoint; protocol from the Connections log"],
  [/^DirectMethodInvokes/, "DirectMethods log"],
  [/^FileUploads/, "file upload notifications"],
  [/^QueuePurges/, "feedback on commands (Purged), or the C2DCommands log"],
  [/^TwinUpdates/, "twinChangeEvents route, or the two logs of twin operations"],
  [/^UnauthorizedOperations/, "all logs: level Error and 401"],
  [/^(ActiveConnections|ConnectionTo)/, "ConnectionCreate events"],
  [/^(FailedLocalLogins|LocalUser)/, "Login events"],
  [/^Process/, "ProcessCreate events"],
];

/** All 36 rows of the official lists: 8 and 9 recommendations, 19 custom alerts. */
export function officialRows(): readonly OfficialRow[] {
  return [
    ...RECOMMENDATION_TYPES.map((type): OfficialRow => {
      const { rule, judgedBy } = CATALOGUE[type];
      const place = "device: agent, `gatewarden scan`";
      const tests = [RULE_TESTS[type]];
      return {
        list: "agent recommendations",
        type,
        rule,
        source: judgedBy.join(", "),
        place,
        tests,
      };
    }),
    ...HUB_RECOMMENDATIONS.map(
      (row): OfficialRow => ({
        list: "hub recommendations",
        ...row,
        place: "`gatewarden hub-posture`",
      }),
    ),
    ...ALERTS.filter((entry) => entry.isListed).map((entry): OfficialRow => {
      const { ruleType, title, place } = entry;
      const isDevice = place === "device";
      return {
        list: "custom alerts",
        type: alertTypeOf(ruleType),
        rule: `${title}.`,
        source: ALERT_SOURCES.find(([pattern]) => pattern.test(ruleType))?.[1] ?? "",
        place: isDevice
          ? "device: agent; `gatewarden analyze` over its messages"
          : "`gatewarden analyze`",
        tests: isDevice ? [MEASURES_TEST, AGENT_RULES_TEST] : [HUB_RULES_TEST],
      };
    }),
  ];
}

/** The table of the official lists. */
export function officialRowsPage(): GeneratedDocument {
  return {
    path: "docs/official-rows.md",
    render: (current) => replaceSection(current, "rows", rowsTable()),
  };
}

function rowsTable(): string {
  const rows = officialRows().map(({ list, type, rule, source, place, tests }, index) => [
    String(index + 1),
    list,
    `\`${type}\``,
    rule,
    source,
    place,
    tests.map((path) => `[${nameOf(path)}](../${path})`).join(", "),
  ]);
  return markdownTable(["", "List", "Type", "Rule", "Source", "Judged by", "Tests"], rows);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(".test.ts", "");
}
