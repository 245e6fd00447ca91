import { AgentError } from "../contract/errors.ts";
import { failsAt } from "../report/finding.ts";
import { htmlText } from "../report/html/html-text.ts";
import { jsonText } from "../report/json-text.ts";
import { markdownText } from "../report/markdown-text.ts";
import { sarifText } from "../report/sarif-text.ts";
import { LEVELS, type Level, type Report } from "../report/scan-report.ts";
import { type Paint, summaryLine, tableLines } from "../report/table-lines.ts";
import { writeFileAtomically } from "../system/files.ts";
import type { ParsedArguments } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** Options of every command that reports. */
export const REPORT_OPTIONS = {
  format: { type: "string" },
  output: { type: "string", short: "o" },
  "fail-on": { type: "string", default: "medium" },
  strict: { type: "boolean", default: false },
} as const;

type Format = "table" | "json" | "sarif" | "html" | "markdown";

/** What was asked for: the form, where it goes, and what makes the exit code. */
export interface ReportChoice {
  readonly format: Format;
  /** File; standard output without one. */
  readonly output: string | undefined;
  readonly failOn: Level | "none";
  readonly isStrict: boolean;
}

const FORMATS: Readonly<Record<Format, (report: Report, paint: Paint) => string>> = {
  table: (report, paint) => tableLines(report, paint).join("\n"),
  json: jsonText,
  sarif: sarifText,
  html: htmlText,
  markdown: markdownText,
};
const BY_ENDING: Readonly<Record<string, Format>> = {
  json: "json",
  sarif: "sarif",
  html: "html",
  htm: "html",
  md: "markdown",
};
/** What a report says of a device is nobody else's business. */
const FILE_MODE = 0o600;

/** Reads the options of REPORT_OPTIONS. Throws AGENT_USAGE. */
export function reportChoice(parsed: ParsedArguments): ReportChoice {
  const output = parsed.text("output");
  return {
    format: formatOf(parsed.text("format"), output),
    output,
    failOn: levelOf(parsed.text("fail-on") ?? ""),
    isStrict: parsed.flag("strict"),
  };
}

/** Prints or writes a report; returns the exit code. Throws AGENT_USAGE where the file cannot be written. */
export function deliverReport(report: Report, choice: ReportChoice, terminal: Terminal): number {
  const { format, output, failOn, isStrict } = choice;
  if (output === undefined) terminal.print(FORMATS[format](report, terminal.paint));
  else {
    writeReport(
      output,
      FORMATS[format](report, (_colour, text) => text),
    );
    terminal.print(summaryLine(report));
    terminal.print(`report: ${output}`);
  }
  return failsAt(report, failOn, isStrict) ? EXIT.findings : EXIT.ok;
}

function writeReport(output: string, text: string): void {
  const written = writeFileAtomically(output, text.endsWith("\n") ? text : `${text}\n`, FILE_MODE);
  if (written.ok) return;
  throw new AgentError("AGENT_USAGE", `${output}: ${written.problem.detail}`, {
    remedy: "Name a file in a folder that you can write to: -o FILE.",
  });
}

function formatOf(name: string | undefined, output: string | undefined): Format {
  const ending = output?.split(".").at(-1) ?? "";
  if (name === undefined) return BY_ENDING[ending.toLowerCase()] ?? "table";
  if (isFormat(name)) return name;
  throw new AgentError("AGENT_USAGE", `--format is '${name}'`, {
    remedy: `Give one of ${Object.keys(FORMATS).join(", ")}.`,
  });
}

function isFormat(name: string): name is Format {
  return Object.hasOwn(FORMATS, name);
}

function levelOf(name: string): Level | "none" {
  const level = LEVELS.find((one) => one === name.toLowerCase());
  if (level !== undefined) return level;
  if (name === "none") return "none";
  throw new AgentError("AGENT_USAGE", `--fail-on is '${name}'`, {
    remedy: `Give one of ${LEVELS.join(", ")}, none.`,
  });
}
