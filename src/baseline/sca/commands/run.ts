import type { Device } from "../../device.ts";
import { aboutAccounts } from "./accounts.ts";
import { catCommand, statCommand } from "./files.ts";
import { findCommand } from "./find.ts";
import {
  findmntCommand,
  lsmodCommand,
  modprobeCommand,
  mountCommand,
  shellPaths,
  sysctlCommand,
} from "./kernel.ts";
import { aboutNetwork } from "./network.ts";
import { type CommandOutput, notKnown, printedLines } from "./output.ts";
import { dpkgCommand } from "./packages.ts";
import { aboutSecurity } from "./security.ts";
import { sshdCommand } from "./sshd.ts";
import { systemctlCommand } from "./systemd.ts";
import { awkCommand, cutCommand, grepCommand, streamCommand } from "./text-tools.ts";
import { parseScript, splitArguments } from "./words.ts";

/** Where programs are looked for. Source: systemd.exec(5), default of PATH. */
const SEARCH_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Where a program lies; undefined: nowhere. */
function programPath(device: Device, name: string): string | undefined {
  const paths = name.includes("/") ? [name] : SEARCH_PATH.map((folder) => `${folder}/${name}`);
  return paths.find((path) => {
    const facts = device.facts(path);
    return (
      facts.state === "value" && facts.value.kind === "file" && (facts.value.mode & 0o111) !== 0
    );
  });
}

/** which. Source: which(1). */
function whichCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.some((word) => word.startsWith("-")))
    return notKnown("which with options is not known here");
  return printedLines(args.flatMap((name) => programPath(device, name) ?? []));
}

type Emulator = (
  args: readonly string[],
  device: Device,
  input: string | undefined,
) => CommandOutput;

const EMULATORS: ReadonlyMap<string, Emulator> = new Map<string, Emulator>([
  ["awk", (args, _device, input) => awkCommand(args, input ?? "")],
  ["cat", (args, device) => catCommand(args, device)],
  ["cut", cutCommand],
  ["dpkg", (args, device) => dpkgCommand("dpkg", args, device)],
  ["dpkg-query", (args, device) => dpkgCommand("dpkg-query", args, device)],
  ["find", (args, device) => findCommand(args, device)],
  ["findmnt", (args, device) => findmntCommand(args, device)],
  ["grep", grepCommand],
  ["lsmod", (args, device) => lsmodCommand(args, device)],
  ["modprobe", (args, device) => modprobeCommand(args, device)],
  ["mount", (args, device) => mountCommand(args, device)],
  ["sort", (args, _device, input) => streamCommand("sort", args, input ?? "")],
  ["sshd", (args, device) => sshdCommand(args, device)],
  ["stat", (args, device) => statCommand(args, device)],
  ["sysctl", (args, device) => sysctlCommand(args, device)],
  ["systemctl", (args, device) => systemctlCommand(args, device)],
  ["uniq", (args, _device, input) => streamCommand("uniq", args, input ?? "")],
  ["wc", (args, _device, input) => streamCommand("wc", args, input ?? "")],
  ["which", (args, device) => whichCommand(args, device)],
  ...aboutAccounts,
  ...aboutNetwork,
  ...aboutSecurity,
]);

/** The output of a program with its arguments, if the program is there at all. */
function runWords(
  words: readonly string[],
  device: Device,
  input: string | undefined,
): CommandOutput {
  const [name = "", ...args] = words;
  if (programPath(device, name) === undefined) return { state: "no-program", name };
  const stem = name.slice(name.lastIndexOf("/") + 1);
  if (stem === "sh" || stem === "bash") return shellCommand(args, device);
  const emulator = EMULATORS.get(stem);
  return emulator === undefined
    ? notKnown(`the command ${stem} is not known here`)
    : emulator(args, device, input);
}

function shellCommand(args: readonly string[], device: Device): CommandOutput {
  const [option, script = "", ...more] = args;
  const pipelines = option === "-c" && more.length === 0 ? parseScript(script) : undefined;
  if (pipelines === undefined)
    return notKnown(`sh ${args.join(" ")}: a form that is not known here`);
  let text = "";
  let errors = "";
  const onlyAbout: string[] = [];
  for (const pipeline of pipelines) {
    let input: string | undefined;
    // Words about which the stream is right; absent: it is whole.
    let about: readonly string[] | undefined;
    for (const [index, command] of pipeline.entries()) {
      const words: string[] = [];
      for (const word of command) {
        const paths =
          word.isPattern && word.text.startsWith("/") ? shellPaths(word.text, device) : [word.text];
        if (typeof paths === "string") return { state: "unreadable", reason: paths };
        for (const path of paths) words.push(path);
      }
      const filter = words.join(" ").toLowerCase();
      if (about !== undefined && !about.some((word) => filter.includes(word.toLowerCase())))
        return notKnown(`${words.join(" ")}: what comes to it is not known whole`);
      const isLast = index === pipeline.length - 1;
      const output = runWords(words, device, input);
      if (output.state === "no-program") {
        // The shell ends as if it could not be started itself, and that is how the engine takes it.
        if (isLast && pipeline === pipelines[pipelines.length - 1]) return output;
        // What a shell says of it goes past the pipe.
        errors += `sh: 1: ${output.name}: not found\n`;
        input = "";
        continue;
      }
      if (output.state !== "output") return output;
      errors += output.errors ?? "";
      if (isLast) {
        text += output.text;
        // A count of lines that are right is right; lines that passed are right about the same words.
        const passed = /^grep -\w*c/.test(filter) ? [] : (about ?? []);
        for (const word of [...passed, ...(output.onlyAbout ?? [])]) onlyAbout.push(word);
      } else {
        input = output.text;
        about = output.onlyAbout ?? about;
      }
    }
  }
  return { state: "output", text, errors, ...(onlyAbout.length === 0 ? {} : { onlyAbout }) };
}

const kept = new WeakMap<Device, Map<string, CommandOutput>>();

/**
 * What a command would print on the device. It is never run: its output is worked out from files and kernel
 * tables, for the commands and forms that policies use.
 */
export function commandOutput(command: string, device: Device): CommandOutput {
  const known = kept.get(device) ?? new Map<string, CommandOutput>();
  kept.set(device, known);
  const before = known.get(command);
  if (before !== undefined) return before;
  const output = runWords(splitArguments(command), device, undefined);
  known.set(command, output);
  return output;
}
