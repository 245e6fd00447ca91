import { AgentError } from "../contract/errors.ts";
import { readSmallText } from "../system/files.ts";
import { lintTwin } from "../twin/lint.ts";
import { formatLintReport } from "../twin/lint-format.ts";
import { type Command, parseArguments } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { lintSecurityGroups } from "./security-groups-lint.ts";

const MAX_TWIN_BYTES = 1_048_576;

const HELP = `Usage: gatewarden twin lint FILE [--json]

Checks a module twin offline. FILE holds a whole twin, its desired properties, or the security
configuration object alone.

For each property it says whether the agent would apply it, use its default, or reject it and why;
then what is not optimal, in conflict, unknown, or over a limit of IoT Hub. Rules of custom alerts
(deviceSecurityGroups) are read as the agent would read them.

  --json   the report as JSON

Exit code 0 when nothing is wrong, 5 when there are errors or warnings.`;

/** `gatewarden twin lint FILE`. */
export const twinCommand: Command = {
  help: HELP,
  async run(args, { terminal }) {
    const parsed = parseArguments(
      args,
      { json: { type: "boolean", default: false } },
      { command: "twin lint", positionals: 2 },
    );
    const [action, file] = parsed.positionals;
    if (action !== "lint" || file === undefined) {
      throw new AgentError("AGENT_USAGE", "expected: gatewarden twin lint FILE", {
        remedy: "Run `gatewarden twin --help`.",
      });
    }
    const text = readSmallText(file, MAX_TWIN_BYTES);
    if (!text.ok) {
      throw new AgentError("AGENT_TWIN_INVALID", `${file}: ${text.problem.detail}`, {
        remedy: "Name a readable file with the twin's JSON, at most 1 MiB.",
      });
    }
    const report = lintTwin(text.value, lintSecurityGroups);
    const colour = terminal.paint("bold", "") !== "";
    terminal.print(formatLintReport(report, { colour, json: parsed.flag("json") }));
    const isClean = report.findings.every((finding) => finding.severity === "note");
    return isClean ? EXIT.ok : EXIT.findings;
  },
};
