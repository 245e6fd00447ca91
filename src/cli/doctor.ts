import { readConfig } from "../config/read-config.ts";
import { createLog } from "../system/log.ts";
import { type Command, parseArguments } from "./command.ts";
import {
  checkCollectors,
  checkConfiguration,
  checkCredentials,
  checkHub,
  checkKernel,
  checkState,
  checkStreams,
  type DoctorFinding,
  type DoctorLevel,
} from "./doctor-checks.ts";
import { EXIT } from "./exit-code.ts";
import { credentialsBeside, readConfigFile } from "./run.ts";
import type { Colour, Terminal } from "./terminal.ts";

const HELP = `Usage: gatewarden doctor [--config FILE] [--offline] [--json]

Checks what the agent needs on this machine, as the user that runs the command: the configuration, the
state directory, secrets, what each collector can read, kernel interfaces, and whether the hub answers
with a certificate that is trusted. Each finding comes with a remedy. Nobody logs in at the hub: a
second connection would evict a running agent.

  --config FILE   the configuration; without it only the machine is checked
  --offline       leave the hub out
  --json          findings as JSON

Exit code 0 when nothing is wrong, 5 when there are warnings or errors.`;

const COLOURS: Readonly<Record<DoctorLevel, Colour>> = {
  ok: "green",
  note: "cyan",
  warning: "yellow",
  error: "red",
};

/** `gatewarden doctor`. */
export const doctorCommand: Command = {
  help: HELP,
  async run(args, { terminal, environment }) {
    const parsed = parseArguments(
      args,
      {
        config: { type: "string", short: "c" },
        offline: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
      { command: "doctor", positionals: 0 },
    );
    const findings: DoctorFinding[] = [];
    const file = parsed.text("config");
    if (file !== undefined) {
      const text = readConfigFile(file);
      const reading = readConfig(text, environment.variables);
      const source = credentialsBeside(file);
      findings.push(...checkConfiguration(reading), ...checkState(reading));
      findings.push(...checkCredentials(text, environment, source));
      if (!parsed.flag("offline")) {
        const log = createLog({ level: "silent" });
        findings.push(...(await checkHub(reading, environment, log, source)));
      }
    }
    findings.push(...checkKernel(), ...checkStreams(), ...checkCollectors());
    if (parsed.flag("json")) terminal.print(JSON.stringify(findings, null, 2));
    else for (const finding of findings) show(finding, terminal);
    const isFine = findings.every(({ level }) => level === "ok" || level === "note");
    return isFine ? EXIT.ok : EXIT.findings;
  },
};

function show(finding: DoctorFinding, terminal: Terminal): void {
  const level = terminal.paint(COLOURS[finding.level], finding.level.padEnd(7));
  terminal.print(`${level}  ${finding.area.padEnd(13)}  ${finding.what}`);
  if (finding.level !== "ok" && finding.remedy !== "") {
    terminal.print(`${" ".repeat(24)}${terminal.paint("grey", `→ ${finding.remedy}`)}`);
  }
}
