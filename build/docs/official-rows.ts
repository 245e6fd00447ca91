import { markdownTable } from "../../src/parse/markdown-table.ts";
import { CATALOGUE as ALERTS, alertTypeOf } from "../../src/posture/alerts/catalogue.ts";
import { HUB_CATALOGUE, HUB_RECOMMENDATION_TYPES } from "../../src/posture/hub/catalogue.ts";
import { CATALOGUE, RECOMMENDATION_TYPES } from "../../src/posture/recommendations/catalogue.ts";
import { type GeneratedDocument, replaceSection } from "./document.ts";
import { HUB_RECOMMENDATION_TESTS } from "./hub-posture-page.ts";
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
  /** Files, from the project root. */
  readonly tests: readonly string[];
}

const AGENT_RULES_TEST = "src/posture/fleet/agent-rules.test.ts";

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
    ...HUB_RECOMMENDATION_TYPES.map((type): OfficialRow => {
      const { rule, judgedBy } = HUB_CATALOGUE[type];
      return {
        list: "hub recommendations",
        type,
        rule,
        source: judgedBy.join(", "),
        place: "`gatewarden hub-posture`",
        tests: [HUB_RECOMMENDATION_TESTS[type]],
      };
    }),
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
