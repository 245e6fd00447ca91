import type { Device } from "../../device.ts";
import { linesOf, withoutComments } from "../../facts/config-text.ts";
import { processNames } from "../processes.ts";
import {
  type CommandOutput,
  type CommandTable,
  needsRunningDevice,
  notKnown,
  partlyPrinted,
  printedLines,
  unreadable,
} from "./output.ts";

const RULES = "/etc/audit/audit.rules";
const RULES_FOLDER = "/etc/audit/rules.d";

/** Lines of a rules file that are not comments. A text: why they cannot be read. */
function rulesOf(device: Device, path: string): readonly string[] | string {
  const text = device.text(path);
  if (text.state === "unreadable") return text.reason;
  if (text.state === "missing") return [];
  return withoutComments(linesOf(path, text.value)).map((line) => line.text);
}

/** How auditctl prints a rule that it was given. Source: auditctl(8), -l. */
function listedRule(rule: string): string {
  const words = rule.split(/\s+/);
  if (words[0] === "-w") return rule.replace(/\s+/g, " ");
  const calls: string[] = [];
  const rest: string[] = [];
  let key = "";
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const value = words[at + 1] ?? "";
    if (word === "-S" || word === "-k") {
      at += 1;
      if (word === "-k") key = ` -F key=${value}`;
      else for (const call of value.split(",")) calls.push(call);
    } else if (word === "-F" && /^(?:key=|auid!=(?:unset|4294967295))/.test(value)) {
      at += 1;
      if (value.startsWith("key=")) key = ` -F ${value}`;
      else rest.push("-F", "auid!=-1");
    } else
      rest.push(
        /^(?:exit|task|exclude),(?:always|never)$/.test(word)
          ? word.split(",").reverse().join(",")
          : word,
      );
  }
  const arch = rest.findIndex((word) => word.startsWith("arch="));
  const head = rest.slice(0, arch < 0 ? 2 : arch + 1);
  const tail = rest.slice(arch < 0 ? 2 : arch + 1);
  const call =
    calls.length > 0
      ? ["-S", calls.join(",")]
      : arch < 0 || /path=|dir=/.test(rule)
        ? ["-S", "all"]
        : [];
  return [...head, ...call, ...tail].join(" ") + key;
}

/**
 * auditctl -l by the file that is loaded at the start of the service. A rule that was added or removed since
 * by hand is not seen.
 */
function auditctlCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.join(" ") !== "-l")
    return notKnown(`auditctl ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("auditctl");
  const lines = rulesOf(device, RULES);
  if (typeof lines === "string") return unreadable(lines);
  const rules = lines.filter((line) => /^-[awA]\s/.test(line)).map(listedRule);
  if (rules.length === 0) return printedLines(["No rules"]);
  const isLoaded = ["auditd", "audit-rules"].some(
    (unit) => device.linkFacts(`/run/systemd/units/invocation:${unit}.service`).state === "value",
  );
  return isLoaded
    ? printedLines(rules)
    : notKnown("the rules are in a file, and whether they are in force is not known");
}

/** Names in the order of `ls -v`: numbers count as numbers. */
function byVersion(one: string, other: string): number {
  const parts = (name: string): readonly string[] => name.match(/\d{1,15}|\D+/g) ?? [];
  const mine = parts(one);
  const theirs = parts(other);
  for (let at = 0; at < Math.min(mine.length, theirs.length); at += 1) {
    const left = mine[at] ?? "";
    const right = theirs[at] ?? "";
    if (left === right) continue;
    const areNumbers = /^\d/.test(left) && /^\d/.test(right);
    return areNumbers ? Number(left) - Number(right) : left < right ? -1 : 1;
  }
  return mine.length - theirs.length;
}

/** augenrules --check: would the files of rules.d make another audit.rules? Source: augenrules(8). */
function augenrulesCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.join(" ") !== "--check")
    return notKnown(`augenrules ${args.join(" ")}: a form that is not known here`);
  const names = device.folder(RULES_FOLDER);
  if (names.state === "unreadable") return unreadable(names.reason);
  const rules: string[] = [];
  const last = new Map<string, string>();
  for (const name of [...(names.state === "value" ? names.value : [])].sort(byVersion)) {
    if (!name.endsWith(".rules")) continue;
    const lines = rulesOf(device, `${RULES_FOLDER}/${name}`);
    if (typeof lines === "string") return unreadable(lines);
    for (const line of lines) {
      const [option] = /^(?:-[efb]|-D\s*$)/.exec(line) ?? [];
      if (option === undefined) rules.push(line);
      else last.set(option.trim(), line);
    }
  }
  const head = ["-D", "-b", "-f"].flatMap((option) => last.get(option) ?? []);
  const wanted = [...head, ...rules, ...(last.has("-e") ? [last.get("-e") ?? ""] : [])];
  const now = rulesOf(device, RULES);
  if (typeof now === "string") return unreadable(now);
  const isSame = wanted.join("\n") === now.join("\n") && device.facts(RULES).state === "value";
  const path =
    device.facts("/usr/sbin/augenrules").state === "value"
      ? "/usr/sbin/augenrules"
      : "/sbin/augenrules";
  return printedLines([
    `${path}: ${isSame ? "No change" : "Rules have changed and should be updated"}`,
  ]);
}

const APPARMOR = "/sys/kernel/security/apparmor/profiles";

/** apparmor_status and aa-status. Source: aa-status(8). */
function apparmorCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.length > 0 && args.join(" ") !== "--verbose")
    return notKnown("aa-status with options is not known here");
  if (!device.isLive) return needsRunningDevice("aa-status");
  if (device.facts("/sys/module/apparmor").state !== "value")
    return printedLines(["apparmor not present."]);
  const text = device.text(APPARMOR);
  if (text.state === "unreadable") return unreadable(text.reason);
  if (text.state === "missing")
    return printedLines(["apparmor module is loaded.", "apparmor filesystem is not mounted."]);
  const profiles = text.value.split("\n").flatMap((line) => {
    const [, name, mode] = /^(.+) \((\w+)\)$/.exec(line.slice(0, 4096)) ?? [];
    return name === undefined || mode === undefined ? [] : [{ name, mode }];
  });
  const lines = ["apparmor module is loaded.", `${profiles.length} profiles are loaded.`];
  for (const mode of ["enforce", "complain", "prompt", "kill", "unconfined"]) {
    const names = profiles
      .filter((one) => one.mode === mode)
      .map((one) => one.name)
      .sort();
    lines.push(`${names.length} profiles are in ${mode} mode.`);
    for (const name of names) lines.push(`   ${name}`);
  }
  return partlyPrinted(
    [
      ...lines,
      ...unconfined(
        device,
        profiles.map((one) => one.name),
      ),
    ],
    [
      "module is loaded",
      "profiles are",
      ...(profiles.every(({ name }) => /^\/|\/\//.test(name)) ? ["processes are unconfined"] : []),
    ],
  );
}

/** Processes of programs that have a profile and run without it. */
function unconfined(device: Device, names: readonly string[]): readonly string[] {
  const list = processNames(device);
  const count = (list.state === "value" ? list.value : []).filter((one) => {
    if (one.path === undefined || !names.includes(one.path)) return false;
    const label = device.text(`/proc/${one.processId}/attr/current`);
    return label.state === "value" && label.value.trim() === "unconfined";
  }).length;
  return [`${count} processes are unconfined but have a profile defined.`];
}

/** sestatus. Source: sestatus(8). */
function sestatusCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.length > 0) return notKnown("sestatus with options is not known here");
  if (!device.isLive) return needsRunningDevice("sestatus");
  const enforce = device.text("/sys/fs/selinux/enforce");
  if (enforce.state === "unreadable") return unreadable(enforce.reason);
  const line = (name: string, value: string): string => `${`${name}:`.padEnd(32)}${value}`;
  if (enforce.state === "missing") return printedLines([line("SELinux status", "disabled")]);
  const text = device.text("/etc/selinux/config");
  if (text.state === "unreadable") return unreadable(text.reason);
  const config = (key: string): string =>
    new RegExp(`^\\s*${key}\\s*=\\s*(\\w+)`, "m").exec(
      text.state === "value" ? text.value : "",
    )?.[1] ?? "";
  return partlyPrinted(
    [
      line("SELinux status", "enabled"),
      line("SELinuxfs mount", "/sys/fs/selinux"),
      line("Loaded policy name", config("SELINUXTYPE")),
      line("Current mode", enforce.value.trim() === "1" ? "enforcing" : "permissive"),
      line("Mode from config file", config("SELINUX")),
    ],
    [
      "SELinux status",
      "SELinux\\s*status",
      "SELinuxs*status",
      "Loaded policy",
      "Current",
      "config file",
    ],
  );
}

/** journalctl, as far as there is no journal: one that is there is not read. Source: journalctl(1). */
function journalctlCommand(_args: readonly string[], device: Device): CommandOutput {
  for (const folder of ["/var/log/journal", "/run/log/journal"]) {
    const names = device.folder(folder);
    if (names.state === "unreadable") return unreadable(names.reason);
    if (names.state === "value" && names.value.length > 0)
      return notKnown("the journal is not searched here");
  }
  return partlyPrinted(["-- No entries --"], [":", "kernel"], ["No journal files were found."]);
}

/** Commands about audit rules and mandatory access control. */
export const aboutSecurity: CommandTable = [
  ["auditctl", auditctlCommand],
  ["augenrules", augenrulesCommand],
  ["apparmor_status", apparmorCommand],
  ["aa-status", apparmorCommand],
  ["journalctl", journalctlCommand],
  ["sestatus", sestatusCommand],
];
