import { createSecretMask } from "../parse/mask-secrets.ts";
import type { Verdict } from "../posture/recommendations/verdict.ts";
import type { Level, ReportedRecommendation } from "../report/scan-report.ts";

/** Levels of the two scales as one. */
const LEVELS: Readonly<Record<string, Level>> = {
  High: "high",
  Medium: "medium",
  Low: "low",
  Critical: "high",
  Important: "medium",
  Warning: "low",
  Informational: "informational",
};
const MASK = createSecretMask([]);

/** The level of a report for the word of a catalogue or of the baseline. */
export function levelOf(severity: string): Level {
  return LEVELS[severity] ?? "informational";
}

/** A verdict in the values of a report, with the words of its catalogue. Secrets in texts are masked. */
export function reportedRecommendation(
  verdict: Verdict<string>,
  { title, rule }: { readonly title: string; readonly rule: string },
): ReportedRecommendation {
  const { type, state, count, description, remediation } = verdict;
  return {
    type,
    title,
    level: levelOf(verdict.severity),
    state,
    count,
    description,
    remediation,
    rule,
    evidence: verdict.evidence.map((record) =>
      Object.fromEntries(Object.entries(record).map(([name, text]) => [name, MASK.text(text)])),
    ),
    missing: verdict.missing.map((text) => MASK.text(text)),
  };
}
