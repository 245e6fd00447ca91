import { cceIdOf } from "../../collectors/os-baseline/items.ts";
import type { Evidence } from "../baseline/outcome.ts";
import type { Rule } from "../baseline/rule.ts";
import {
  countStandings,
  type RuleResult,
  type ScanReport,
  type Standing,
  standingOf,
} from "../baseline/scan.ts";
import type { WalkReport } from "../baseline/walk-report.ts";
import { markdownTable } from "../parse/markdown-table.ts";
import { plainText } from "../parse/plain-text.ts";
import type { Colour } from "./terminal.ts";

/** A scan as people and programs read it. */
export interface BaselineView {
  readonly report: ScanReport;
  /** The root that was looked at. */
  readonly root: string;
  /** `debian-12`. */
  readonly system: string;
  readonly walk: WalkReport | undefined;
  /** Every check with its evidence, not only those that failed. */
  readonly isDetailed: boolean;
}

type Paint = (colour: Colour, text: string) => string;

const WORDS: Readonly<Record<Standing, { readonly word: string; readonly colour: Colour }>> = {
  passed: { word: "pass", colour: "green" },
  failed: { word: "FAIL", colour: "red" },
  error: { word: "ERROR", colour: "yellow" },
  "not-applicable": { word: "n/a", colour: "grey" },
  manual: { word: "manual", colour: "cyan" },
  waived: { word: "waived", colour: "cyan" },
};

/** Results by group, in the order in which the groups first occur. */
function byGroup(report: ScanReport): ReadonlyMap<string, readonly RuleResult[]> {
  const groups = new Map<string, RuleResult[]>();
  for (const result of report.results) {
    const group = plainText(result.rule.group);
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [result]);
    else known.push(result);
  }
  return groups;
}

function lookText({ source, expected, found, state }: Evidence): string {
  const now = state === undefined ? "" : ` (${state})`;
  return `${source}${now}: expected ${expected}, found ${found}`;
}

/** Why a check is as it is, one line each. */
function reasonsOf({ outcome, waiver, expiredWaiver }: RuleResult): readonly string[] {
  const told = waiver ?? expiredWaiver;
  const until = waiver === undefined ? "waiver was over on" : "waived until";
  return [
    ...(outcome.reason === undefined ? [] : [outcome.reason]),
    ...outcome.evidence.map(lookText),
    ...(told === undefined ? [] : [plainText(`${until} ${told.expires}: ${told.reason}`)]),
  ];
}

/** `237 checks: 120 passed, 47 failed, …` */
export function totalsLine(report: ScanReport): string {
  const counts = countStandings(report.results);
  const parts = [
    `${counts.passed} passed`,
    `${counts.failed} failed`,
    `${counts.error} errors`,
    `${counts["not-applicable"]} not applicable`,
    `${counts.manual} for a person`,
    ...(counts.waived === 0 ? [] : [`${counts.waived} waived`]),
    ...(report.skipped.length === 0 ? [] : [`${report.skipped.length} not judged`]),
  ];
  return `${report.results.length + report.skipped.length} checks: ${parts.join(", ")}`;
}

/** Why checks were not judged, with their numbers; names that mean nothing are left out. */
function skippedLines(report: ScanReport): readonly string[] {
  const reasons = new Map<string, string[]>();
  for (const { rule, reason } of report.skipped) {
    if (reason === "not asked for") continue;
    reasons.set(reason, [...(reasons.get(reason) ?? []), rule.id]);
  }
  return [...reasons].map(([reason, ids]) => `not judged, ${reason}: ${ids.join(", ")}`);
}

/** Lines for a terminal: groups, one line per check, and more where something is wrong. */
export function tableLines(view: BaselineView, paint: Paint): readonly string[] {
  const lines: string[] = [];
  for (const [group, results] of byGroup(view.report)) {
    lines.push(paint("bold", group));
    const width = Math.max(...results.map(({ rule }) => rule.id.length));
    for (const result of results) lines.push(...checkLines(result, width, view.isDetailed, paint));
    lines.push("");
  }
  lines.push(...skippedLines(view.report), totalsLine(view.report));
  return lines;
}

function checkLines(
  result: RuleResult,
  idWidth: number,
  isDetailed: boolean,
  paint: Paint,
): readonly string[] {
  const { rule } = result;
  const standing = standingOf(result);
  const { word, colour } = WORDS[standing];
  const isBad = standing === "failed" || standing === "error";
  const severity = isBad ? `  ${paint("grey", rule.severity)}` : "";
  const title = plainText(rule.title);
  const first = `  ${paint(colour, word.padEnd(6))}  ${rule.id.padEnd(idWidth)}  ${title}${severity}`;
  const indent = " ".repeat(idWidth + 12);
  const isSilent = standing === "passed" && !isDetailed;
  const reasons = isSilent ? [] : reasonsOf(result);
  const [what = "", ...how] = standing === "failed" ? remedyLines(rule) : [];
  const remedy = what === "" ? [] : [`→ ${what}`, ...how.map((line) => `  ${line}`)];
  return [first, ...[...reasons, ...remedy].map((line) => `${indent}${paint("grey", line)}`)];
}

/** One JSON object with everything. */
export function jsonText(view: BaselineView): string {
  const { report, root, system, walk } = view;
  const results = report.results.map((result) => ({
    id: result.rule.id,
    cceId: cceIdOf(result.rule, system),
    title: result.rule.title,
    group: result.rule.group,
    level: result.rule.level,
    severity: result.rule.severity,
    standing: standingOf(result),
    ...result.outcome,
    remediation: result.rule.remediation,
    ...(result.waiver === undefined ? {} : { waiver: result.waiver }),
    ...(result.expiredWaiver === undefined ? {} : { expiredWaiver: result.expiredWaiver }),
  }));
  const skipped = report.skipped.map(({ rule, reason }) => ({ id: rule.id, reason }));
  const counts = countStandings(report.results);
  const walked = walk === undefined ? {} : { walk };
  return JSON.stringify({ root, system, counts, ...walked, results, skipped }, null, 2);
}

/** A report in Markdown: totals, a table per group, and what to do about each failure. */
export function markdownText(view: BaselineView): string {
  const { report, root, system } = view;
  const parts = [
    "# OS baseline",
    `System \`${system}\`, root \`${plainText(root)}\`. ${totalsLine(report)}.`,
    ...skippedLines(report).map((line) => `${line}.`),
  ];
  for (const [group, results] of byGroup(report)) {
    const rows = results.map((result) => [
      result.rule.id,
      WORDS[standingOf(result)].word,
      plainText(result.rule.title),
      result.rule.severity,
    ]);
    parts.push(`## ${group}`, markdownTable(["Check", "Result", "Title", "Severity"], rows));
    const told = results.filter(
      (result) => view.isDetailed || ["failed", "error", "waived"].includes(standingOf(result)),
    );
    for (const result of told) parts.push(...markdownCheck(result));
  }
  return parts.join("\n\n");
}

function markdownCheck(result: RuleResult): readonly string[] {
  const { rule } = result;
  const standing = standingOf(result);
  // Back quotes in what a device says would end the code that it stands in.
  const reasons = reasonsOf(result).map((line) => `- \`${line.replaceAll("`", "'")}\``);
  return [
    `### ${rule.id} ${plainText(rule.title)}: ${WORDS[standing].word}`,
    ...(reasons.length === 0 ? [] : [reasons.join("\n")]),
    ...(standing === "failed" ? [markdownRemedy(rule)] : []),
  ];
}

/** What to do, line by line; the lines after the first are mostly those of a file. */
function remedyLines(rule: Rule): readonly string[] {
  return rule.remediation.split("\n").map((line) => plainText(line, 500));
}

function markdownRemedy(rule: Rule): string {
  const [what = "", ...how] = remedyLines(rule);
  if (how.length === 0) return what;
  return [what, "", ...how.map((line) => `    ${line}`)].join("\n");
}
