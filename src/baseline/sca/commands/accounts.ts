import { utcTimestamp } from "../../../parse/timestamps.ts";
import type { Device } from "../../device.ts";
import { passwordAges } from "../../facts/accounts.ts";
import { linesOf } from "../../facts/config-text.ts";
import { expandGlob } from "../../glob.ts";
import { processNames } from "../processes.ts";
import { userName } from "./files.ts";
import {
  type CommandOutput,
  type CommandTable,
  complained,
  needsRunningDevice,
  notKnown,
  partlyPrinted,
  printedLines,
  unreadable,
} from "./output.ts";

const DAY_MS = 86_400_000;

/** `2026-11-21` for days since 1970. */
function dayText(day: number | undefined): string {
  return day === undefined || day < 0 ? "never" : utcTimestamp(day * DAY_MS).slice(0, 10);
}

/** passwd -S. Source: passwd(1) of shadow. */
function passwdCommand(args: readonly string[], device: Device): CommandOutput {
  const [option, name, ...more] = args;
  if ((option !== "-S" && option !== "--status") || name === undefined || more.length > 0)
    return notKnown(`passwd ${args.join(" ")}: a form that is not known here`);
  const ages = passwordAges(device);
  if (ages.state === "unreadable") return unreadable(ages.reason);
  const entry = ages.state === "value" ? ages.value.find((one) => one.name === name) : undefined;
  if (entry === undefined) return complained(`passwd: user '${name}' does not exist`);
  const word = { set: "P", empty: "NP", locked: "L" }[entry.password];
  const numbers = [entry.minDays, entry.maxDays, entry.warnDays, entry.inactiveDays].map(
    (days) => days ?? -1,
  );
  return printedLines([`${name} ${word} ${dayText(entry.lastChangeDay)} ${numbers.join(" ")}`]);
}

/** useradd -D. Source: useradd(8) of shadow. */
function useraddCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.join(" ") !== "-D" && args.join(" ") !== "--defaults")
    return notKnown(`useradd ${args.join(" ")}: a form that is not known here`);
  const values = new Map([
    ["GROUP", "100"],
    ["HOME", "/home"],
    ["INACTIVE", "-1"],
    ["EXPIRE", ""],
    ["SHELL", "/bin/sh"],
    ["SKEL", "/etc/skel"],
    ["CREATE_MAIL_SPOOL", "no"],
    ["LOG_INIT", "yes"],
  ]);
  const text = device.text("/etc/default/useradd");
  if (text.state === "unreadable") return unreadable(text.reason);
  for (const line of text.state === "value" ? text.value.split("\n") : []) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line.slice(0, 4096)) ?? [];
    if (key !== undefined && value !== undefined && values.has(key)) values.set(key, value);
  }
  return printedLines([...values].map(([key, value]) => `${key}=${value}`));
}

/** Texts of sudoers and what it includes, in order. */
function sudoersTexts(device: Device, path: string, depth: number): readonly string[] | undefined {
  const text = device.text(path);
  if (text.state === "missing") return [];
  if (text.state === "unreadable" || depth > 16) return undefined;
  const lines: string[] = [];
  for (const { text: line } of linesOf(path, text.value.replace(/\\\n/g, " "))) {
    const [, kind, target] = /^[#@](include|includedir)\s+"?([^"\s]+)"?/.exec(line) ?? [];
    if (target === undefined) {
      if (!line.startsWith("#")) lines.push(line);
      continue;
    }
    const absolute = target.startsWith("/") ? target : `/etc/${target}`;
    const paths = kind === "include" ? [absolute] : expandGlob(device, `${absolute}/*`);
    const names = "state" in paths ? (paths.state === "value" ? paths.value : []) : paths;
    for (const name of names) {
      // Files with a dot or a tilde at the end are left out. Source: sudoers(5).
      if (kind === "includedir" && /~$|\.[^/]*$/.test(name)) continue;
      const inner = sudoersTexts(device, name, depth + 1);
      if (inner === undefined) return undefined;
      for (const one of inner) lines.push(one);
    }
  }
  return lines;
}

/** sudo -V as root, as far as the timeout goes. Source: sudo(8). */
function sudoCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.join(" ") !== "-V")
    return notKnown(`sudo ${args.join(" ")}: a form that is not known here`);
  const lines = sudoersTexts(device, "/etc/sudoers", 0);
  if (lines === undefined) return unreadable("/etc/sudoers cannot be read");
  let minutes = 15;
  for (const line of lines) {
    if (!/^Defaults\s/.test(line)) continue;
    const [, isOff, value] =
      /(?:^|[\s,])(!)?timestamp_timeout(?:\s*=\s*"?(-?\d{1,6}(?:\.\d+)?))?/.exec(line) ?? [];
    if (isOff !== undefined) minutes = 0;
    else if (value !== undefined) minutes = Number(value);
  }
  return partlyPrinted(
    [`Authentication timestamp timeout: ${minutes.toFixed(1)} minutes`],
    ["timestamp timeout"],
  );
}

/** crontab -l. Source: crontab(1). */
function crontabCommand(args: readonly string[], device: Device): CommandOutput {
  const [, user = "root"] = /^(?:-u (\S+) -l|-l -u (\S+)|-l)$/.exec(args.join(" ")) ?? [];
  if (!/^(?:-u \S+ -l|-l -u \S+|-l)$/.test(args.join(" ")))
    return notKnown(`crontab ${args.join(" ")}: a form that is not known here`);
  const name = /-u (\S+)/.exec(args.join(" "))?.[1] ?? user;
  for (const folder of ["/var/spool/cron/crontabs", "/var/spool/cron", "/etc/crontabs"]) {
    const path = `${folder}/${name.replaceAll("/", "")}`;
    if (device.facts(path).state !== "value") continue;
    const text = device.text(path);
    if (text.state === "unreadable") return unreadable(text.reason);
    if (text.state === "value") return { state: "output", text: text.value };
  }
  return complained(`no crontab for ${name}`);
}

/** ps -ef, with programs instead of whole command lines. Source: ps(1). */
function psCommand(args: readonly string[], device: Device): CommandOutput {
  if (!/^(?:-ef|-e -f|aux|-aux)$/.test(args.join(" ")))
    return notKnown(`ps ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("ps");
  const list = processNames(device);
  if (list.state !== "value") return unreadable("processes cannot be listed");
  const lines = list.value.map((one) => {
    const user = userName(device, one.userId);
    return `${user.padEnd(8)} ${one.processId} ${one.parentId} 0 00:00 ? 00:00:00 ${one.path ?? `[${one.command}]`}`;
  });
  const names = list.value.map((one) => one.command);
  return partlyPrinted(
    ["UID PID PPID C STIME TTY TIME CMD", ...lines],
    [...new Set(names), "chronyd", "timesyncd", "ntpd"],
  );
}

/** Commands about accounts and what they run. */
export const aboutAccounts: CommandTable = [
  ["passwd", passwdCommand],
  ["useradd", useraddCommand],
  ["sudo", sudoCommand],
  ["crontab", crontabCommand],
  ["ps", psCommand],
];
