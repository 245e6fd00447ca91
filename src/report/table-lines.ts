import { plainText } from "../parse/plain-text.ts";
import { findingsOf, headFacts, orderedRecommendations, totalsOf } from "./finding.ts";
import { isCounted, lookText, recordText, skippedTexts, tellingLook } from "./record-text.ts";
import {
  isScan,
  LEVELS,
  type Level,
  type Report,
  type ReportedCheck,
  type ReportedRecommendation,
} from "./scan-report.ts";

type Colour = "green" | "yellow" | "red" | "cyan" | "grey" | "bold";
/** Colours a text for a terminal, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

const COLOURS: Readonly<Record<Level, Colour>> = {
  high: "red",
  medium: "yellow",
  low: "cyan",
  informational: "grey",
};
const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  high: "HIGH",
  medium: "MEDIUM",
  low: "LOW",
  informational: "INFO",
};
/** Records of evidence that a summary shows of one recommendation. */
const MOST_RECORDS = 8;
/** Checks that are told with what to do; of the others there is a line each. */
const MOST_TOLD = 20;
/** Lines of a remedy that a summary shows. */
const MOST_REMEDY_LINES = 6;
const INDENT = " ".repeat(10);

/** The summary for a terminal: what is wrong, how bad it is and what to do, the worst first. */
export function tableLines(report: Report, paint: Paint): readonly string[] {
  const findings = findingsOf(report);
  const checks = findings.flatMap((one) => (one.kind === "check" ? [one.check] : []));
  const told = new Set(checks.slice(0, MOST_TOLD));
  const idWidth = Math.max(0, ...checks.map(({ id }) => id.length));
  return [
    ...headLines(report, paint),
    "",
    ...findings.flatMap((one) =>
      one.kind === "check"
        ? checkLines(one.check, { isTold: told.has(one.check), idWidth }, paint)
        : recommendationLines(one.recommendation, paint),
    ),
    ...healthyLines(report, paint),
    ...gapLines(report, paint),
    "",
    summaryLine(report),
  ];
}

/** What is right, in a line each. */
function healthyLines(report: Report, paint: Paint): readonly string[] {
  return orderedRecommendations(report)
    .filter(({ state }) => state === "healthy")
    .map(
      (one) =>
        `${paint("green", "ok".padEnd(8))}  ${line(one.title)}: not found  ${paint("grey", line(one.type))}`,
    );
}

function headLines(report: Report, paint: Paint): readonly string[] {
  const { name } = report;
  const facts = headFacts(report).map(line);
  const head = `${paint("bold", line(name))}  ${facts.join(", ")}`;
  if (!isScan(report)) return [head, paint("grey", `look at the hub, ${report.made.at}`)];
  const { made } = report;
  const where = made.isLive ? "this device" : `the root in ${line(made.root)}`;
  const who = made.isRoot ? "root" : "a user that is not root: some things cannot be read";
  return [head, paint("grey", `scan of ${where} as ${who}, ${made.at}`)];
}

/** `4 findings: 1 high, …` */
export function summaryLine(report: Report): string {
  const { wrong, open, checks, notJudged } = totalsOf(report);
  const all = LEVELS.reduce((sum, level) => sum + wrong[level], 0);
  const levels = LEVELS.map((level) => `${wrong[level]} ${level}`).join(", ");
  const beside = [
    ...(isScan(report) ? [`${checks.passed} of ${checks.passed + checks.failed} checks pass`] : []),
    `${open} not decided`,
    ...(notJudged === 0 ? [] : [`${notJudged} checks not judged`]),
    ...(isScan(report) || report.skipped.count === 0
      ? []
      : [`${report.skipped.count} records skipped`]),
  ];
  return `${all} findings: ${levels}. ${beside.join(", ")}.`;
}

function recommendationLines(one: ReportedRecommendation, paint: Paint): readonly string[] {
  const [word, colour] = wordOf(one);
  const isWrong = one.state === "unhealthy";
  const count = isWrong ? `: ${one.count}` : "";
  const title = `${paint("bold", line(one.title))}${count}  ${paint("grey", line(one.type))}`;
  const counted = one.evidence.filter((record) => isCounted(one, record));
  const shown = counted.slice(0, MOST_RECORDS).map(recordText);
  const rest = one.count - shown.length;
  const texts = [
    ...(isWrong ? [one.description, ...shown] : []),
    ...(isWrong && rest > 0 && shown.length > 0 ? [`and ${rest} more`] : []),
    ...one.missing.map((text) => `not known: ${text}`),
    ...(isWrong ? [`→ ${one.remediation}`] : []),
  ];
  return [
    `${paint(colour, word.padEnd(8))}  ${title}`,
    ...texts.flatMap((text) => wrapped(text, paint)),
  ];
}

function wordOf({ state, level }: ReportedRecommendation): readonly [string, Colour] {
  return state === "unknown" ? ["UNKNOWN", "cyan"] : [LEVEL_WORDS[level], COLOURS[level]];
}

function checkLines(
  check: ReportedCheck,
  { isTold, idWidth }: { readonly isTold: boolean; readonly idWidth: number },
  paint: Paint,
): readonly string[] {
  const isError = check.standing === "error";
  const [word, colour]: readonly [string, Colour] = isError
    ? ["ERROR", "cyan"]
    : [LEVEL_WORDS[check.level], COLOURS[check.level]];
  const first = `${paint(colour, word.padEnd(8))}  ${line(check.id).padEnd(idWidth)}  ${line(check.title)}`;
  return [first, ...(isTold ? reasonsOf(check, paint) : [])];
}

function reasonsOf(check: ReportedCheck, paint: Paint): readonly string[] {
  const look = tellingLook(check.evidence);
  const why = check.reason ?? (look === undefined ? undefined : lookText(look));
  const [remedy = "", ...more] = check.remediation.split("\n");
  // A remedy that announces lines is of no use without them.
  const lines = remedy.endsWith(":") ? more.slice(0, MOST_REMEDY_LINES) : [];
  const rest = remedy.endsWith(":") && more.length > lines.length ? ["…"] : [];
  return [
    ...(why === undefined ? [] : wrapped(why, paint)),
    ...(check.standing === "failed" && remedy !== ""
      ? [
          ...wrapped(`→ ${remedy}`, paint),
          ...[...lines, ...rest].map((text) => `${INDENT}    ${paint("grey", line(text))}`),
        ]
      : []),
  ];
}

function gapLines(report: Report, paint: Paint): readonly string[] {
  const gaps = [...report.gaps, ...(isScan(report) ? [] : skippedTexts(report))];
  if (gaps.length === 0) return [];
  return ["", paint("bold", "Could not be read"), ...gaps.flatMap((gap) => wrapped(gap, paint))];
}

function line(text: string): string {
  return plainText(text, 500);
}

/** Words of a text in lines of a hundred columns, below the title. */
function wrapped(text: string, paint: Paint): readonly string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of line(text).split(" ")) {
    if (current !== "" && current.length + word.length + 1 > 90) {
      lines.push(current);
      current = "";
    }
    current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current].map((one) => `${INDENT}${paint("grey", one)}`);
}
