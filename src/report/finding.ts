import {
  isScan,
  LEVELS,
  type Level,
  type Report,
  type ReportedCheck,
  type ReportedRecommendation,
} from "./scan-report.ts";

/**
 * One thing that is wrong, or that could not be judged. `IoT_Baseline` is none: each of its checks counts
 * with a level of its own.
 */
export type Finding = {
  readonly id: string;
  readonly title: string;
  readonly level: Level;
  /** `open`: what decides could not be seen. */
  readonly state: "wrong" | "open";
} & (
  | { readonly kind: "recommendation"; readonly recommendation: ReportedRecommendation }
  | { readonly kind: "check"; readonly check: ReportedCheck }
);

/** The recommendation whose parts are the checks of the baseline. */
export const BASELINE_TYPE = "IoT_Baseline";

/**
 * What is wrong or open, the worst first: level, then what is surely wrong, then recommendations before
 * checks, then numbers of checks as numbers. The same for every order of the input.
 */
export function findingsOf(report: Report): readonly Finding[] {
  const recommendations = report.recommendations
    .filter(({ state, type }) => state !== "healthy" && type !== BASELINE_TYPE)
    .map(
      (recommendation): Finding => ({
        kind: "recommendation",
        id: recommendation.type,
        title: recommendation.title,
        level: recommendation.level,
        state: recommendation.state === "unhealthy" ? "wrong" : "open",
        recommendation,
      }),
    );
  const checks = checksOf(report)
    .filter(({ standing }) => standing === "failed" || standing === "error")
    .map(
      (check): Finding => ({
        kind: "check",
        id: check.id,
        title: check.title,
        level: check.level,
        state: check.standing === "failed" ? "wrong" : "open",
        check,
      }),
    );
  return [...recommendations, ...checks].sort(compareFindings);
}

/** A hub has no checks of an operating system. */
function checksOf(report: Report): readonly ReportedCheck[] {
  return isScan(report) ? report.baseline.checks : [];
}

function compareFindings(a: Finding, b: Finding): number {
  return (
    LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) ||
    Number(a.state === "open") - Number(b.state === "open") ||
    Number(a.kind === "check") - Number(b.kind === "check") ||
    compareIds(a.id, b.id) ||
    compareText(a.title, b.title)
  );
}

/** `1.2.9` before `1.2.10`; the same in every locale. */
export function compareIds(left: string, right: string): number {
  const a = left.split(".");
  const b = right.split(".");
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [one = "", other = ""] = [a[at], b[at]];
    if (one === other) continue;
    const areNumbers = /^\d{1,9}$/.test(one) && /^\d{1,9}$/.test(other);
    const difference = areNumbers ? Number(one) - Number(other) : 0;
    // Numbers come before words, or 1 < a < 01 < 1 would be a circle.
    const rank = Number(!/^\d{1,9}$/.test(one)) - Number(!/^\d{1,9}$/.test(other));
    return rank || difference || compareText(one, other);
  }
  return 0;
}

/** Order by code units, the same everywhere. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The numbers of a report. */
export interface Totals {
  /** Findings that are surely wrong, by level. */
  readonly wrong: Readonly<Record<Level, number>>;
  /** What could not be judged. */
  readonly open: number;
  readonly unhealthy: number;
  readonly unknown: number;
  readonly healthy: number;
  readonly checks: Readonly<Record<ReportedCheck["standing"], number>>;
  readonly notJudged: number;
}

/** Counts a report. */
export function totalsOf(report: Report): Totals {
  const findings = findingsOf(report);
  const wrong = { high: 0, medium: 0, low: 0, informational: 0 };
  for (const { level, state } of findings) if (state === "wrong") wrong[level] += 1;
  const checks = { passed: 0, failed: 0, error: 0, "not-applicable": 0, manual: 0, waived: 0 };
  for (const { standing } of checksOf(report)) checks[standing] += 1;
  const inState = (wanted: ReportedRecommendation["state"]): number =>
    report.recommendations.filter(({ state }) => state === wanted).length;
  return {
    wrong,
    open: findings.filter(({ state }) => state === "open").length,
    unhealthy: inState("unhealthy"),
    unknown: inState("unknown"),
    healthy: inState("healthy"),
    checks,
    notJudged: isScan(report)
      ? report.baseline.skipped.reduce((sum, { ids }) => sum + ids.length, 0)
      : 0,
  };
}

/** What `--fail-on` asks: is something wrong at this level or above? `isStrict`: open counts as wrong. */
export function failsAt(report: Report, level: Level | "none", isStrict: boolean): boolean {
  if (level === "none") return false;
  const worst = LEVELS.indexOf(level);
  return findingsOf(report).some(
    (finding) => LEVELS.indexOf(finding.level) <= worst && (isStrict || finding.state === "wrong"),
  );
}

/** Recommendations in the order of what to do first: unhealthy, unknown, healthy, by level, the baseline last, by name. */
export function orderedRecommendations(report: Report): readonly ReportedRecommendation[] {
  const states = ["unhealthy", "unknown", "healthy"];
  return [...report.recommendations].sort(
    (a, b) =>
      states.indexOf(a.state) - states.indexOf(b.state) ||
      LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) ||
      Number(a.type === BASELINE_TYPE) - Number(b.type === BASELINE_TYPE) ||
      compareText(a.type, b.type),
  );
}

/** What a title says of a device beside its name, in a few words. */
export function headFacts({ device, name }: Report): readonly string[] {
  return device
    .map(({ text }) => text)
    .filter((text) => text !== name)
    .slice(0, 3);
}
