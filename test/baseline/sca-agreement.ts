/**
 * Do the emulated commands of imported SCA policies lead to the results of the real ones? Each rule of each
 * policy is judged twice on one root file system: with its command's output worked out, and with the
 * command really run in that root by chroot, in mount and (where asked) network namespaces of its own.
 *
 *   node --import tsx test/baseline/sca-agreement.ts [root [policy …]]
 *
 * The root may be `/proc/<process>/root` of a container that runs, from within its network namespace.
 * It needs root rights. Policies are read from test/baseline/sca-policies, the root is
 * test/baseline/sca-root: neither is part of the repository.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createDevice, type Device } from "../../src/baseline/device.ts";
import { valueFact } from "../../src/baseline/fact.ts";
import type { CommandOutput } from "../../src/baseline/sca/commands/output.ts";
import { splitArguments } from "../../src/baseline/sca/commands/words.ts";
import { joinScaResults, judgeScaCheck, judgeScaRule } from "../../src/baseline/sca/judge.ts";
import type { ScaCheck, ScaRule } from "../../src/baseline/sca/policy.ts";
import { importScaPolicy } from "../../src/baseline/sca/read-policy.ts";
import type { RuleResult } from "../../src/baseline/sca/rule-result.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { ok } from "../../src/contract/result.ts";
import { firewallOf } from "../../src/parse/firewall/firewall-of.ts";
import { createProbe } from "../../src/system/probe.ts";

export const SCA_POLICIES = fileURLToPath(new URL("sca-policies", import.meta.url));
export const SCA_ROOT = fileURLToPath(new URL("sca-root", import.meta.url));

/** Longest time of one real command, ms. */
const DEADLINE_MS = 20_000;

const IN_ROOT = `
exec 2>&1
mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" || exit 126
root=$1; shift
exec chroot "$root" "$@"
`;

/** Why the comparison cannot be made here; undefined: it can. */
export function scaAgreementObstacle(): string | undefined {
  if (!existsSync(SCA_POLICIES)) return "no policies in test/baseline/sca-policies";
  if (!existsSync(`${SCA_ROOT}/etc/os-release`))
    return "no root file system in test/baseline/sca-root";
  if (process.getuid?.() !== 0) return "needs root rights";
  const tried = spawnSync("unshare", ["-m", "true"]);
  return tried.status === 0 ? undefined : "needs mount namespaces";
}

/** The process of a container whose root is `/proc/<process>/root`; undefined for a folder. */
function containerOf(root: string): string | undefined {
  return /^\/proc\/(\d+)\/root$/.exec(root)?.[1];
}

function runInRoot(
  root: string,
  words: readonly string[],
): { readonly text: string; readonly status: number | null } {
  const inside = containerOf(root);
  const [program, ...args] =
    inside === undefined
      ? ["unshare", "-m", "sh", "-c", IN_ROOT, "sh", root, ...words]
      : ["sh", "-c", `exec nsenter -t ${inside} -a -- "$@" 2>&1`, "sh", ...words];
  const done = spawnSync(program ?? "", args, {
    encoding: "utf8",
    timeout: DEADLINE_MS,
    maxBuffer: 64_000_000,
    stdio: ["ignore", "pipe", "ignore"],
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
  });
  if (done.error !== undefined) throw done.error;
  return { text: done.stdout, status: done.status };
}

/** The root as a running device: its own files, with the kernel tables of this machine. */
export async function deviceOf(root: string): Promise<Device> {
  const own = createProbe({ root });
  const live = createProbe({ root: "/" });
  const isContainer = containerOf(root) !== undefined;
  const side = (path: string): Probe =>
    !isContainer && /^\/(?:proc|sys)(?:\/|$)/.test(path) ? live : own;
  // What is mounted, as seen from inside.
  const mounts = runInRoot(root, ["cat", "/proc/self/mounts"]).text;
  const probe: Probe = {
    ...own,
    isLive: true,
    readText: (path, most) =>
      path === "/proc/self/mounts" ? ok(mounts) : side(path).readText(path, most),
    facts: (path, follow) => side(path).facts(path, follow),
    readLink: (path) => side(path).readLink(path),
    listFolder: (path) => side(path).listFolder(path),
    listeningSockets: () => live.listeningSockets(),
  };
  const reading = await live.firewall().read(new AbortController().signal);
  return createDevice(probe, Date.now(), { firewall: valueFact(firewallOf(reading).firewall) });
}

/** A teller that runs commands for real, each once. */
export function realTeller(root: string): (command: string) => CommandOutput {
  const known = new Map<string, CommandOutput>();
  return (command) => {
    const before = known.get(command);
    if (before !== undefined) return before;
    const words = splitArguments(command);
    const { text, status } = runInRoot(root, words);
    // The engine takes this status for a program that could not be started.
    const output: CommandOutput =
      status === 127 ? { state: "no-program", name: words[0] ?? "" } : { state: "output", text };
    known.set(command, output);
    return output;
  };
}

/** A rule of which the two results differ. `lost`: the emulation could not tell. */
export interface ScaDifference {
  readonly policy: string;
  readonly check: string;
  readonly rule: string;
  readonly emulated: string;
  readonly real: string;
  readonly isLost: boolean;
}

export interface ScaAgreement {
  readonly policy: string;
  readonly checks: number;
  /** Pass or fail by emulation. */
  readonly decided: number;
  /** Pass or fail by the real commands. */
  readonly decidedByReal: number;
  /** Of those, the ones that the emulation decides in the same way. */
  readonly alike: number;
  /** Pass or fail in both, and not the same. */
  readonly contrary: number;
  readonly differences: readonly ScaDifference[];
}

function ruleText(rule: ScaRule): string {
  return JSON.stringify(rule).slice(0, 240);
}

function resultText(result: RuleResult): string {
  return result.state === "unknown" ? `unknown: ${result.reason}` : result.state;
}

function compareRules(
  policy: string,
  check: ScaCheck,
  device: Device,
  real: (command: string) => CommandOutput,
): readonly ScaDifference[] {
  return check.rules.flatMap((rule): readonly ScaDifference[] => {
    const ours = judgeScaRule(rule, device, check);
    const theirs = judgeScaRule(rule, device, check, real);
    if (ours.state === theirs.state) return [];
    return [
      {
        policy,
        check: check.id,
        rule: ruleText(rule),
        emulated: resultText(ours),
        real: resultText(theirs),
        isLost: ours.state === "unknown",
      },
    ];
  });
}

/** Judges every check of a policy twice. */
export async function compareScaPolicy(path: string, root: string): Promise<ScaAgreement> {
  const policy = basename(path, ".yml");
  const read = await importScaPolicy(readFileSync(path, "utf8"));
  if (!read.ok) throw new Error(`${path}: ${read.problem.detail}`);
  const device = await deviceOf(root);
  const real = realTeller(root);
  const counts = { decided: 0, decidedByReal: 0, alike: 0, contrary: 0 };
  const differences: ScaDifference[] = [];
  for (const check of read.value.checks) {
    differences.push(...compareRules(policy, check, device, real));
    const ours = judgeScaCheck(check, device).verdict;
    const theirs = joinScaResults(
      check.condition,
      check.rules.map((rule) => judgeScaRule(rule, device, check, real)),
    );
    const isDecided = ours === "pass" || ours === "fail";
    if (isDecided) counts.decided += 1;
    if (theirs === "undecided") continue;
    counts.decidedByReal += 1;
    if (ours === theirs) counts.alike += 1;
    else if (isDecided) counts.contrary += 1;
  }
  return { policy, checks: read.value.checks.length, ...counts, differences };
}

async function main(args: readonly string[]): Promise<void> {
  const given = args[0] ?? SCA_ROOT;
  // The root of a process is a link that leads elsewhere.
  const root = containerOf(given) === undefined ? realpathSync(given) : given;
  const names =
    args.length > 1
      ? args.slice(1)
      : readdirSync(SCA_POLICIES).map((name) => `${SCA_POLICIES}/${name}`);
  for (const name of names) {
    const { differences, ...counts } = await compareScaPolicy(name, root);
    process.stdout.write(`${JSON.stringify(counts)}\n`);
    for (const one of differences)
      process.stdout.write(
        `  ${one.isLost ? "lost " : "WRONG"} ${one.check} ${one.rule}\n        emulated ${one.emulated}, real ${one.real}\n`,
      );
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  await main(process.argv.slice(2));
