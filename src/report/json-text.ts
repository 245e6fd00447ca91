import { findingsOf, totalsOf } from "./finding.ts";
import { isScan, type Report } from "./scan-report.ts";

/** Version of the form below: the first number changes when a field goes or changes its meaning. */
const FORM_VERSION = "1.0";

/** The report as one JSON object: everything, with totals and the order of findings. */
export function jsonText(report: Report): string {
  const findings = findingsOf(report).map(({ id, kind, level, state, title }) => ({
    id,
    kind,
    level,
    state,
    title,
  }));
  const { checks, notJudged, ...counts } = totalsOf(report);
  const totals = isScan(report) ? { ...counts, checks, notJudged } : counts;
  return JSON.stringify({ formVersion: FORM_VERSION, totals, findings, ...report }, null, 2);
}
