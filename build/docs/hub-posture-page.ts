import { markdownTable } from "../../src/parse/markdown-table.ts";
import {
  HUB_CATALOGUE,
  HUB_RECOMMENDATION_TYPES,
  type HubRecommendationType,
} from "../../src/posture/hub/catalogue.ts";
import { type GeneratedDocument, replaceSection } from "./document.ts";
import { testsOf } from "./posture-page.ts";

/** The test file of each recommendation, from the project root. */
export const HUB_RECOMMENDATION_TESTS: Readonly<Record<HubRecommendationType, string>> = {
  IoT_SharedCredentials: "test/posture/hub/credentials.test.ts",
  IoT_PrivilegedDockerOptions: "test/posture/hub/edge.test.ts",
  IoT_ACRAuthentication: "test/posture/hub/edge.test.ts",
  IoT_VulnerableTLSCipherSuite: "test/posture/hub/network.test.ts",
  IoT_IPFilter_DenyAll: "test/posture/hub/network.test.ts",
  IoT_IPFilter_PermissiveRule: "test/posture/hub/network.test.ts",
  IoT_InconsistentModuleSettings: "test/posture/hub/edge.test.ts",
  IoT_EdgeHubMemOptimize: "test/posture/hub/edge.test.ts",
  IoT_EdgeLoggingOptions: "test/posture/hub/edge.test.ts",
};
const COMMAND_TESTS = ["test/fleet/read-live.test.ts", "test/fleet/bundle-live.test.ts"];

/** The page on the recommendations about a hub: its table follows from the catalogue. */
export function hubPosturePage(): GeneratedDocument {
  return {
    path: "docs/hub-posture.md",
    render: (current) => replaceSection(current, "hub-recommendations", table()),
  };
}

function table(): string {
  const rows = HUB_RECOMMENDATION_TYPES.map((type) => {
    const { severity, rule, thresholds, judgedBy, evidence } = HUB_CATALOGUE[type];
    return [
      `\`${type}\``,
      severity,
      rule,
      thresholds.join("; "),
      judgedBy.join(", "),
      evidence.join(", "),
      testsOf(type, [HUB_RECOMMENDATION_TESTS[type], ...COMMAND_TESTS]),
    ];
  });
  const head = ["Type", "Severity", "Unhealthy when", "Thresholds (ours)", "Judged by", "Evidence"];
  return markdownTable([...head, "Tests"], rows);
}
