import { AgentError } from "../contract/errors.ts";
import { type AllowedPort, parseAllowedPort } from "../posture/recommendations/allowed-ports.ts";
import { systemClock } from "../system/clock.ts";
import { createProbe } from "../system/probe.ts";
import { type Command, parseArguments } from "./command.ts";
import { deliverReport, REPORT_OPTIONS, reportChoice } from "./report-output.ts";
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
  ...REPORT_OPTIONS,
  allow: { type: "string" },
  root: { type: "string" },
  walk: { type: "boolean", default: false },
} as const;

/** `gatewarden scan`. */
export const scanCommand: Command = {
  help: HELP,
  async run(args, { terminal, environment }) {
    const parsed = parseArguments(args, OPTIONS, { command: "scan", positionals: 0 });
    const choice = reportChoice(parsed);
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
    return deliverReport(report, choice, terminal);
  },
};

function allowedPort(text: string): AllowedPort {
  const port = parseAllowedPort(text);
  if (port.ok) return port.value;
  throw usage(`--allow: ${port.problem.detail}`, "Give ports such as 22 or tcp/443.");
}

function usage(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_USAGE", what, { remedy });
}
