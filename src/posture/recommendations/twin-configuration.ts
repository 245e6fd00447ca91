import type { ConfigurationFinding } from "../../contract/agent-facts.ts";
import { compareText } from "./text-order.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** A remark on a property of the twin or of the local configuration that is in force. */
export type ConfigurationRemark = Readonly<
  Pick<ConfigurationFinding, "configurationName" | "errorType" | "usedConfiguration" | "message">
>;

/**
 * Twin configuration not optimal: a value that works and wastes. `remarks` are all that hold for the
 * settings in force, undefined before the first settings were judged.
 */
export function judgeTwinNotOptimal(remarks: readonly ConfigurationRemark[] | undefined): Verdict {
  return judge("IoT_TwinConfigurationNotOptimal", "NotOptimal", remarks);
}

/** Twin configuration conflict: values that contradict each other. Parameters as for not optimal. */
export function judgeTwinConflict(remarks: readonly ConfigurationRemark[] | undefined): Verdict {
  return judge("IoT_TwinConfigurationConflict", "Conflict", remarks);
}

function judge(
  type: "IoT_TwinConfigurationNotOptimal" | "IoT_TwinConfigurationConflict",
  errorType: ConfigurationRemark["errorType"],
  remarks: readonly ConfigurationRemark[] | undefined,
): Verdict {
  if (remarks === undefined) {
    const missing = ["the settings, which have not been judged yet"];
    return verdictOf(type, { state: "unknown", missing });
  }
  const concerned = remarks
    .filter((remark) => remark.errorType === errorType)
    .sort((a, b) => compareText(a.configurationName, b.configurationName));
  return verdictOf(type, {
    state: concerned.length > 0 ? "unhealthy" : "healthy",
    evidence: concerned.map((remark) => ({
      property: remark.configurationName,
      inForce: remark.usedConfiguration,
      reason: remark.message,
    })),
  });
}
