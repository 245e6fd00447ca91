import type { PropertyVerdict } from "./dialect.ts";
import { valueText } from "./found-text.ts";
import type { LintFinding, LintReport } from "./lint.ts";
import { DESIRED_LIMIT_BYTES } from "./twin-limits.ts";

export interface LintFormat {
  /** Adds ANSI colours. */
  readonly colour: boolean;
  /** The report as JSON instead of text; never coloured. */
  readonly json?: boolean;
}

const CODES = { error: "31", warning: "33", note: "36", good: "32", dim: "90" } as const;
type Tone = keyof typeof CODES;

const OUTCOME_TONES = { applied: "good", defaulted: "dim", rejected: "error" } as const;

/** A lint report for people: aligned lines without a trailing newline. Only printable text gets in. */
export function formatLintReport(report: LintReport, format: LintFormat): string {
  if (format.json === true) return JSON.stringify(report, null, 2);
  const paint = (tone: Tone, text: string): string =>
    format.colour ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text;
  const blocks = [
    propertyLines(report.properties, paint),
    report.findings.map((finding) => findingLine(finding, paint)),
    [summaryLine(report, paint)],
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

type Paint = (tone: Tone, text: string) => string;

function propertyLines(properties: readonly PropertyVerdict[], paint: Paint): readonly string[] {
  const outcomeWidth = widest(properties.map((property) => property.outcome));
  const nameWidth = widest(properties.map((property) => property.name));
  return properties.map((property) => {
    const outcome = paint(OUTCOME_TONES[property.outcome], property.outcome.padEnd(outcomeWidth));
    return `${outcome}  ${property.name.padEnd(nameWidth)}  ${valueText(property.inForce)}`;
  });
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

function findingLine(finding: LintFinding, paint: Paint): string {
  const severity = paint(finding.severity, finding.severity.padEnd("warning".length));
  const where = finding.where === "" ? "" : `${finding.where}: `;
  const hint = finding.suggestion === undefined ? "" : `; did you mean ${finding.suggestion}?`;
  return `${severity}  ${where}${finding.message}${hint} (${finding.kind})`;
}

function summaryLine(report: LintReport, paint: Paint): string {
  const counts = `${counted(report.errors, "error")}, ${counted(report.warnings, "warning")}`;
  const tone = report.errors > 0 ? "error" : report.warnings > 0 ? "warning" : "good";
  if (report.shape === undefined) return paint(tone, counts);
  const size = `${report.sizeBytes} of ${DESIRED_LIMIT_BYTES} bytes`;
  return `${paint(tone, counts)} in a ${report.shape} of ${size}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
