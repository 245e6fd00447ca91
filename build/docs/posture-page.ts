import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { markdownTable } from "../../src/parse/markdown-table.ts";
import { CATALOGUE as ALERTS } from "../../src/posture/alerts/catalogue.ts";
import {
  CATALOGUE,
  RECOMMENDATION_TYPES,
  type RecommendationType,
} from "../../src/posture/recommendations/catalogue.ts";
import { type GeneratedDocument, replaceSection } from "./document.ts";

/** Where a rule is tried: tests of rules, then of the whole agent. */
export const RULE_TESTS: Readonly<Record<RecommendationType, string>> = {
  IoT_OpenPorts: "src/posture/recommendations/open-ports.test.ts",
  IoT_PermissiveFirewallPolicy: "src/posture/recommendations/firewall-policy.test.ts",
  IoT_PermissiveInputFirewallRules: "src/posture/recommendations/permissive-rules.test.ts",
  IoT_PermissiveOutputFirewallRules: "src/posture/recommendations/permissive-rules.test.ts",
  IoT_Baseline: "src/posture/recommendations/simple-verdicts.test.ts",
  IoT_AgentSendsUnutilizedMessages: "src/posture/recommendations/simple-verdicts.test.ts",
  IoT_TwinConfigurationNotOptimal: "src/posture/recommendations/simple-verdicts.test.ts",
  IoT_TwinConfigurationConflict: "src/posture/recommendations/simple-verdicts.test.ts",
};
/** Where something is really changed, and told at a hub or in a message, and put right again. */
const CHANGE_TESTS: Readonly<Record<RecommendationType, readonly string[]>> = {
  IoT_OpenPorts: ["test/end-to-end/posture.test.ts", "test/vm/plain-scan.ts"],
  IoT_PermissiveFirewallPolicy: [
    "test/end-to-end/firewall-posture.test.ts",
    "test/vm/plain-scan.ts",
  ],
  IoT_PermissiveInputFirewallRules: ["test/end-to-end/firewall-posture.test.ts"],
  IoT_PermissiveOutputFirewallRules: ["test/end-to-end/firewall-posture.test.ts"],
  IoT_Baseline: ["test/end-to-end/baseline-posture.test.ts", "test/slow/plain-debian.test.ts"],
  IoT_AgentSendsUnutilizedMessages: ["test/end-to-end/unutilized-messages.test.ts"],
  IoT_TwinConfigurationNotOptimal: ["test/end-to-end/posture.test.ts"],
  IoT_TwinConfigurationConflict: ["test/end-to-end/posture.test.ts"],
};
/** At the hub over hours of a clock that is moved by hand, and on a virtual machine on which each is done. */
const ALERT_TESTS = ["test/end-to-end/custom-alerts.test.ts", "test/vm/posture-steps.ts"];
export const MEASURES_TEST = "src/posture/alerts/device-measures.test.ts";
/** Has a case for each rule of the hub, and fails where one is missing. */
export const HUB_RULES_TEST = "src/posture/fleet/hub-rules.test.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The page on recommendations and custom alerts: its tables follow from the catalogues. */
export function posturePage(): GeneratedDocument {
  return {
    path: "docs/posture.md",
    render: (current) =>
      replaceSection(
        replaceSection(current, "recommendations", recommendationTable()),
        "alerts",
        alertTable(),
      ),
  };
}

function recommendationTable(): string {
  const rows = RECOMMENDATION_TYPES.map((type) => {
    const { isOfficialName, severity, rule, thresholds, judgedBy, evidence } = CATALOGUE[type];
    return [
      `\`${type}\`${isOfficialName ? "" : " (name is ours)"}`,
      severity,
      rule,
      thresholds.join("; "),
      judgedBy.join(", "),
      evidence.join(", "),
      allTestsOf(type, [RULE_TESTS[type], ...CHANGE_TESTS[type]]),
    ];
  });
  const head = ["Type", "Severity", "Unhealthy when", "Thresholds", "Judged by", "Evidence"];
  return markdownTable([...head, "Tests"], rows);
}

function alertTable(): string {
  const rows = ALERTS.map((entry) => {
    const { ruleType, isListed, place, list, severity, title } = entry;
    const isRange = list === "timeWindowRules";
    const isDevice = place === "device";
    return [
      `\`${ruleType}\`${isListed ? "" : " (not on the official list)"}`,
      severity,
      place,
      title,
      isRange ? "`minThreshold`, `maxThreshold`, `timeWindowSize`" : "`allowlistValues`",
      `count, ${isRange ? "range" : "value"}, window, three samples`,
      isDevice
        ? allTestsOf(ruleType, [MEASURES_TEST, ...(isListed ? ALERT_TESTS : [])])
        : testsOf("NotInAllowedRange", [HUB_RULES_TEST]),
    ];
  });
  const head = ["Rule type", "Severity", "Judged by", "What", "Set by", "Evidence"];
  return markdownTable([...head, "Tests"], rows);
}

/** Links to tests. The first of these must be about the word, the others are named where they are. Throws where it is not. */
export function testsOf(word: string, paths: readonly string[]): string {
  const [first = ""] = paths;
  const named = paths.filter((path) => speaksOf(word, path));
  const isIndirect = word.startsWith("IoT_TwinConfiguration");
  if (!named.includes(first) && !isIndirect) throw new Error(`no test of ${word} in ${first}`);
  return (named.includes(first) ? named : [first, ...named])
    .map((path) => `[${nameOf(path)}](../${path})`)
    .join(", ");
}

/** The same where each test must be about the word, but for the first of what is tested by its function. */
function allTestsOf(word: string, paths: readonly string[]): string {
  const silent = paths.slice(1).find((path) => !speaksOf(word, path));
  if (silent !== undefined) throw new Error(`no test of ${word} in ${silent}`);
  return testsOf(word, paths);
}

function speaksOf(word: string, path: string): boolean {
  const file = `${root}${path}`;
  return existsSync(file) && readFileSync(file, "utf8").includes(word);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(?:\.test)?\.ts$/, "");
}
