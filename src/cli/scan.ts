import { AgentError } from "../contract/errors.ts";
import { type AllowedPort, parseAllowedPort } from "../posture/recommendations/allowed-ports.ts";
import { failsAt } from "../report/finding.ts";
import { htmlText } from "../report/html/html-text.ts";
import { jsonText } from "../report/json-text.ts";
import { markdownText } from "../report/markdown-text.ts";
import { sarifText } from "../report/sarif-text.ts";
import { LEVELS, type Level, type ScanReport } from "../report/scan-report.ts";
import { type Paint, summaryLine, tableLines } from "../report/table-lines.ts";
import { systemClock } from "../system/clock.ts";
import { writeFileAtomically } from "../system/files.ts";
import { createProbe } from "../system/probe.ts";
import { type Command, parseArguments } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { lookAtDevice } from "./scan-device.ts";
import { reportOf } from "./scan-view.ts";
import { VERSION } from "./version.ts";

const HELP = `Usage: gatewarden scan [--format table|json|sarif|html|markdown] [-o FILE] [--fail-on LEVEL]
                       [--allow PORT[,PORT…]] [--root DIR] [--walk] [--strict]

Looks once at this device and says what is wrong, how bad it is and what to do, the worst first: sockets and
who can reach them through the firewall, the firewall itself, and the OS baseline. It needs no hub and no
configuration, changes nothing and sends nothing. Only the tools of the firewall are run (nft,
iptables-save), and those only where the kernel has rules or does not say. As root it sees everything; what
another user may not read is reported as not known.

  --format FORM    table (the default), json, sarif, html or markdown; without it, by the name after -o
  -o, --output F   write the report to a file that only you can read, and the summary here
  --fail-on LEVEL  exit code 5 from this level on: high, medium (the default), low, informational or none
  --strict         what could not be judged counts as wrong
  --allow PORT     ports that are meant to be open: 22, tcp/443, udp/5000-5010, tcp/22@192.0.2.0/24,
                   "tcp/443 nginx"; commas between them
  --root DIR       look at the root file system in DIR, such as a mounted image, instead of this device
  --walk           look at every file of the local file systems too; seven checks need it

Levels: high is Critical of the baseline, medium Important, low Warning. The recommendation IoT_Baseline
counts by its checks.

Exit code 0 when nothing is wrong at the level of --fail-on or above, 5 otherwise.`;

const OPTIONS = {
  format: { type: "string" },
  output: { type: "string", short: "o" },
  "fail-on": { type: "string", default: "medium" },
  strict: { type: "boolean", default: false },
  allow: { type: "string" },
  root: { type: "string" },
  walk: { type: "boolean", default: false },
} as const;

type Format = "table" | "json" | "sarif" | "html" | "markdown";

const FORMATS: Readonly<Record<Format, (report: ScanReport, paint: Paint) => string>> = {
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

/** `gatewarden scan`. */
export const scanCommand: Command = {
  help: HELP,
  async run(args, { terminal, environment }) {
    const parsed = parseArguments(args, OPTIONS, { command: "scan", positionals: 0 });
    const output = parsed.text("output");
    const format = formatOf(parsed.text("format"), output);
    const failOn = levelOf(parsed.text("fail-on") ?? "");
    const entries = (parsed.text("allow") ?? "").split(",").filter((text) => text.trim() !== "");
    const allowed = entries.map(allowedPort);
    const root = parsed.text("root") ?? "/";
    const probe = createProbe({ root });
    if (!probe.facts("/etc").ok) {
      throw usage(`${root} has no /etc`, "Name the folder that holds a root file system.");
    }
    const startMs = systemClock.monotonicMs();
    const at = new Date(systemClock.nowMs()).toISOString();
    const facts = await lookAtDevice({ probe, isWalkOn: parsed.flag("walk"), terminal });
    const report = reportOf({
      probe,
      facts,
      allowed,
      made: {
        version: VERSION,
        at,
        durationMs: Math.round(systemClock.monotonicMs() - startMs),
        root: probe.root,
        isLive: probe.isLive,
        isRoot: environment.isRoot,
        allowedPorts: entries,
      },
    });
    if (output === undefined) terminal.print(FORMATS[format](report, terminal.paint));
    else {
      writeReport(
        output,
        FORMATS[format](report, (_colour, text) => text),
      );
      terminal.print(summaryLine(report));
      terminal.print(`report: ${output}`);
    }
    return failsAt(report, failOn, parsed.flag("strict")) ? EXIT.findings : EXIT.ok;
  },
};

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
  const known = Object.keys(FORMATS);
  if (isFormat(name)) return name;
  throw usage(`--format is '${name}'`, `Give one of ${known.join(", ")}.`);
}

function isFormat(name: string): name is Format {
  return Object.hasOwn(FORMATS, name);
}

function levelOf(name: string): Level | "none" {
  const level = LEVELS.find((one) => one === name.toLowerCase());
  if (level !== undefined) return level;
  if (name === "none") return "none";
  throw usage(`--fail-on is '${name}'`, `Give one of ${LEVELS.join(", ")}, none.`);
}

function allowedPort(text: string): AllowedPort {
  const port = parseAllowedPort(text);
  if (port.ok) return port.value;
  throw usage(`--allow: ${port.problem.detail}`, "Give ports such as 22 or tcp/443.");
}

function usage(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_USAGE", what, { remedy });
}
