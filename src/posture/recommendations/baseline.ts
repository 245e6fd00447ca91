import { compareNumbered } from "./text-order.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** One check of the operating system, as the last scan judged it. */
export interface BaselineResult {
  readonly ruleId: string;
  readonly title: string;
  readonly verdict: "pass" | "fail" | "not-applicable" | "manual" | "error";
  readonly severity: "Critical" | "Important" | "Warning" | "Informational";
  /** An operator has excused this device from the check. */
  readonly isWaived: boolean;
}

const ORDER = ["Critical", "Important", "Warning", "Informational"] as const;

/**
 * IoT_Baseline: unhealthy when a check fails that is not waived. Without a failure, checks that could not
 * be decided leave the verdict unknown. `results` undefined: not scanned yet.
 */
export function judgeBaseline(results: readonly BaselineResult[] | undefined): Verdict {
  if (results === undefined) {
    return verdictOf("IoT_Baseline", {
      state: "unknown",
      missing: ["the baseline, which has not been scanned yet"],
    });
  }
  const failed = inOrder(results.filter((one) => one.verdict === "fail" && !one.isWaived));
  const errors = inOrder(results.filter((one) => one.verdict === "error" && !one.isWaived));
  const hasJudged = results.some((one) => one.verdict === "pass" || one.verdict === "fail");
  const missing = [
    ...errors.map(({ ruleId }) => `what decides check ${ruleId}`),
    ...(hasJudged ? [] : ["a check that applies to this device"]),
  ];
  const state = failed.length > 0 ? "unhealthy" : missing.length > 0 ? "unknown" : "healthy";
  return verdictOf("IoT_Baseline", {
    state,
    count: failed.length,
    evidence: [totals(results, failed, errors), ...failed.map(recordOf)],
    missing,
  });
}

function inOrder(results: readonly BaselineResult[]): readonly BaselineResult[] {
  return [...results].sort(
    (a, b) =>
      ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity) || compareNumbered(a.ruleId, b.ruleId),
  );
}

function totals(
  results: readonly BaselineResult[],
  failed: readonly BaselineResult[],
  errors: readonly BaselineResult[],
): Readonly<Record<string, number>> {
  const of = (severity: BaselineResult["severity"]): number =>
    failed.filter((one) => one.severity === severity).length;
  return {
    totalFailed: failed.length,
    totalErrors: errors.length,
    totalWaived: results.filter((one) => one.isWaived).length,
    failedCritical: of("Critical"),
    failedImportant: of("Important"),
    failedWarning: of("Warning"),
    failedInformational: of("Informational"),
  };
}

function recordOf({ ruleId, title, severity }: BaselineResult): Readonly<Record<string, string>> {
  return { ruleId, title, ruleSeverity: severity };
}
