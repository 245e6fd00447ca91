import { systemName } from "../../collectors/os-baseline/items.ts";
import { decodeCustomRules, MAX_RULE_FILE_BYTES } from "../baseline/custom-rules.ts";
import type { DeviceExtras } from "../baseline/device.ts";
import { valueFact } from "../baseline/fact.ts";
import type { Rule } from "../baseline/rule.ts";
import { RULES } from "../baseline/rules/index.ts";
import { isNameOf } from "../baseline/selection.ts";
import { AgentError } from "../contract/errors.ts";
import type { Probe } from "../contract/probe.ts";
import { firewallOf } from "../parse/firewall/firewall-of.ts";
import { readSmallText } from "../system/files.ts";
import { createProbe } from "../system/probe.ts";
import { importPolicy } from "./baseline-import.ts";
import { type BaselineView, jsonText, markdownText, tableLines } from "./baseline-view.ts";
import { type Command, type ParsedArguments, parseArguments } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { runBaseline } from "./run-baseline.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: gatewarden baseline [--root DIR] [--rule ID] [--format table|json|markdown] [--walk]
       gatewarden baseline import FILE.yml [--output FILE.json]

Judges this device by the controls of CIS Distribution Independent Linux 2.0.0 and shows what was read to
say so. Nothing is changed and no program is run. As root it reads everything; as another user what it may
not read becomes an error of the checks concerned.

  --root DIR      judge the root file system in DIR, such as a mounted image, instead of this device
  --rule ID       only these checks, commas between them; with evidence whatever the result
  --format FORM   table (the default), json, or markdown
  --walk          look at every file of the local file systems too; seven controls need it
  --firewall      read the firewall too, which runs nft or iptables-save; nine controls need it
  --custom FILE   judge the custom checks in FILE as well, whatever its SHA-256 is

import compiles a policy of Wazuh SCA, from your own disk, to a file of custom checks. Its commands are
never run: what they would print is worked out from files. None of Wazuh's policies comes with Gatewarden.

  --output FILE   where to write it; without it, the name of the policy with .json, in this folder

Exit code 0 when no check failed and none was an error, 5 otherwise.`;

const OPTIONS = {
  root: { type: "string" },
  rule: { type: "string" },
  format: { type: "string", default: "table" },
  walk: { type: "boolean", default: false },
  firewall: { type: "boolean", default: false },
  custom: { type: "string" },
  output: { type: "string" },
} as const;

const FORMATS = ["table", "json", "markdown"];

/** `gatewarden baseline`. */
export const baselineCommand: Command = {
  help: HELP,
  async run(args, { terminal }) {
    const parsed = parseArguments(args, OPTIONS, { command: "baseline", positionals: 2 });
    const [action, file] = parsed.positionals;
    if (action === "import" && file !== undefined) {
      return importPolicy(file, parsed.text("output"), terminal);
    }
    if (action !== undefined) {
      throw usage(`'${action}' is no action`, "Give options alone, or: import FILE.yml");
    }
    const format = parsed.text("format") ?? "";
    if (!FORMATS.includes(format)) {
      throw usage(`--format is '${format}'`, `Give one of ${FORMATS.join(", ")}.`);
    }
    const only = parsed.text("rule")?.split(",");
    const rules = [...RULES, ...customRules(parsed.text("custom"))];
    for (const name of only ?? []) {
      if (rules.some((rule) => isNameOf(name, rule))) continue;
      throw usage(
        `there is no check '${name}'`,
        "Give numbers such as 1.1.1.1, commas between them.",
      );
    }
    const view = await judge(rules, only, parsed, terminal);
    if (format === "json") terminal.print(jsonText(view));
    else if (format === "markdown") terminal.print(markdownText(view));
    else for (const line of tableLines(view, terminal.paint)) terminal.print(line);
    const isFine = view.report.results.every(
      ({ outcome }) => outcome.verdict !== "fail" && outcome.verdict !== "error",
    );
    return isFine ? EXIT.ok : EXIT.findings;
  },
};

function usage(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_USAGE", what, { remedy });
}

function customRules(file: string | undefined): readonly Rule[] {
  if (file === undefined) return [];
  const text = readSmallText(file, MAX_RULE_FILE_BYTES);
  const rules = text.ok ? decodeCustomRules(text.value, file) : text;
  if (rules.ok) return rules.value;
  throw new AgentError("AGENT_CONFIG_INVALID", `${file}: ${rules.problem.detail}`, {
    remedy: "The form is in collectors/os-baseline/README.md, under custom checks.",
  });
}

async function judge(
  rules: readonly Rule[],
  only: readonly string[] | undefined,
  parsed: ParsedArguments,
  terminal: Terminal,
): Promise<BaselineView> {
  const root = parsed.text("root") ?? "/";
  const probe = createProbe({ root });
  if (!probe.facts("/etc").ok) {
    throw usage(`${root} has no /etc`, "Name the folder that holds a root file system.");
  }
  const signal = new AbortController().signal;
  const firewall = await firewallExtras(probe, parsed.flag("firewall"), signal);
  const { report, walk } = await runBaseline({
    probe,
    rules,
    ...(only === undefined ? {} : { only }),
    isWalkOn: parsed.flag("walk"),
    firewall,
    signal,
    terminal,
  });
  const isDetailed = only !== undefined;
  return { report, root: probe.root, system: systemName(probe), walk, isDetailed };
}

async function firewallExtras(
  probe: Probe,
  isAsked: boolean,
  signal: AbortSignal,
): Promise<DeviceExtras> {
  // A captured root has the rule sets in files, if at all; asking a live kernel may run a tool.
  if (probe.isLive && !isAsked) return {};
  const reading = await probe.firewall().read(signal);
  if (reading.texts.length === 0 && reading.unknown.length > 0 && !probe.isLive) return {};
  return { firewall: valueFact(firewallOf(reading).firewall) };
}
