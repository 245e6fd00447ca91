import { createHash } from "node:crypto";
import { basename } from "node:path";
import { decodeCustomRules, MOST_CUSTOM_RULES } from "../baseline/custom-rules.ts";
import { importScaPolicy } from "../baseline/sca/read-policy.ts";
import { rulesOfPolicy } from "../baseline/sca/rules-of-policy.ts";
import { AgentError } from "../contract/errors.ts";
import { readSmallText, writeFileAtomically } from "../system/files.ts";
import { EXIT } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** The longest published policies have 0.7 MB. */
const MAX_POLICY_BYTES = 4_194_304;
/** No secret: other users may read what a device is judged by. */
const MODE = 0o644;

function refused(what: string, remedy: string): AgentError {
  return new AgentError("AGENT_CONFIG_INVALID", what, { remedy });
}

/**
 * `gatewarden baseline import FILE`: compiles a policy of Wazuh SCA to a file of custom checks. The policy is
 * read here and never on the way of the running agent, which takes the compiled file alone.
 */
export async function importPolicy(
  file: string,
  output: string | undefined,
  terminal: Terminal,
): Promise<number> {
  const text = readSmallText(file, MAX_POLICY_BYTES);
  if (!text.ok) {
    throw refused(`${file}: ${text.problem.detail}`, "Name a readable SCA policy, at most 4 MiB.");
  }
  const policy = await importScaPolicy(text.value);
  if (!policy.ok) {
    const remedy = "Give a policy of Wazuh SCA in YAML, with `policy` and `checks`.";
    throw refused(`${file}: ${policy.problem.subject}: ${policy.problem.detail}`, remedy);
  }
  const rules = rulesOfPolicy(policy.value);
  const compiled = `${JSON.stringify({ rules })}\n`;
  const target = output ?? `${basename(file).replace(/\.ya?ml$/i, "")}.json`;
  const decoded = decodeCustomRules(compiled, target);
  if (!decoded.ok) {
    const remedy = `The agent takes ${MOST_CUSTOM_RULES} checks of one file: divide the policy.`;
    throw refused(`${file}: ${decoded.problem.detail}`, remedy);
  }
  const written = writeFileAtomically(target, compiled, MODE);
  if (!written.ok) {
    throw refused(
      `${target}: ${written.problem.detail}`,
      "Name a file that can be written: --output FILE.",
    );
  }
  const unread = policy.value.checks.flatMap(({ rules: own }) =>
    own.filter(({ kind }) => kind === "unknown"),
  );
  const hash = createHash("sha256").update(compiled).digest("hex");
  terminal.print(`${target}: ${rules.length} checks of ${policy.value.name}`);
  if (unread.length > 0)
    terminal.print(`${unread.length} rules are not understood and decide nothing`);
  terminal.print(`SHA-256 ${hash}`);
  terminal.print("");
  terminal.print(`Judge this device by them:   gatewarden baseline --custom ${target}`);
  terminal.print(
    "Have the agent use them:     put the file on the device and set in the module twin",
  );
  terminal.print("  baselineCustomChecksEnabled true, baselineCustomChecksFilePath and …FileHash");
  return EXIT.ok;
}
