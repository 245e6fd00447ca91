import type { FileFacts } from "../../../contract/probe.ts";
import type { Device } from "../../device.ts";
import { accounts, groups } from "../../facts/accounts.ts";
import {
  type CommandOutput,
  notKnown,
  partlyPrinted,
  printedLines,
  shownName,
  unreadable,
} from "./output.ts";

const KIND_LETTERS: Readonly<Record<FileFacts["kind"], string>> = {
  file: "-",
  folder: "d",
  link: "l",
  device: "c",
  socket: "s",
  pipe: "p",
  other: "?",
};

const KIND_WORDS: Readonly<Record<FileFacts["kind"], string>> = {
  file: "regular file",
  folder: "directory",
  link: "symbolic link",
  device: "character special file",
  socket: "socket",
  pipe: "fifo",
  other: "weird file",
};

/** `-rw-r--r--`. Source: ls(1), stat(1) `%A`. */
export function modeText({ kind, mode }: FileFacts): string {
  const bits = [0o400, 0o200, 0o100, 0o040, 0o020, 0o010, 0o004, 0o002, 0o001];
  const letters = bits.map((bit, index) => ((mode & bit) === 0 ? "-" : "rwx".charAt(index % 3)));
  const special = (index: number, bit: number, letter: string): void => {
    if ((mode & bit) !== 0) letters[index] = letters[index] === "x" ? letter : letter.toUpperCase();
  };
  special(2, 0o4000, "s");
  special(5, 0o2000, "s");
  special(8, 0o1000, "t");
  return KIND_LETTERS[kind] + letters.join("");
}

/** Name of a user id, `UNKNOWN` where no account has it. */
export function userName(device: Device, userId: number): string {
  const known = accounts(device);
  const name =
    known.state === "value" ? known.value.find((one) => one.userId === userId)?.name : undefined;
  return name ?? (userId === 0 ? "root" : "UNKNOWN");
}

/** Name of a group id, `UNKNOWN` where no group has it. */
export function groupName(device: Device, groupId: number): string {
  const known = groups(device);
  const name =
    known.state === "value" ? known.value.find((one) => one.groupId === groupId)?.name : undefined;
  return name ?? (groupId === 0 ? "root" : "UNKNOWN");
}

/** What stat puts for a letter after `%`; undefined: not known here. Source: stat(1). */
function statField(
  letter: string,
  path: string,
  facts: FileFacts,
  device: Device,
): string | undefined {
  const fields: Readonly<Record<string, () => string>> = {
    a: () => facts.mode.toString(8),
    A: () => modeText(facts),
    u: () => String(facts.userId),
    U: () => userName(device, facts.userId),
    g: () => String(facts.groupId),
    G: () => groupName(device, facts.groupId),
    n: () => path,
    s: () => String(facts.sizeBytes),
    i: () => String(facts.inode),
    F: () =>
      facts.kind === "file" && facts.sizeBytes === 0
        ? "regular empty file"
        : KIND_WORDS[facts.kind],
    "%": () => "%",
  };
  return fields[letter]?.();
}

function statFormatted(
  format: string,
  path: string,
  facts: FileFacts,
  device: Device,
): string | undefined {
  let isKnown = true;
  const text = format.replace(/%(.)/g, (_all, letter: string) => {
    const field = statField(letter, path, facts, device);
    if (field === undefined) isKnown = false;
    return field ?? "";
  });
  return isKnown ? text : undefined;
}

/** The lines of the long form that hold no time and no block. */
function statLong(path: string, facts: FileFacts, device: Device): readonly string[] {
  const field = (letter: string): string => statField(letter, path, facts, device) ?? "";
  const user = `${field("u").padStart(5)}/${field("U").padStart(8)}`;
  const group = `${field("g").padStart(5)}/${field("G").padStart(8)}`;
  return [
    `  File: ${path}`,
    `Access: (${field("a").padStart(4, "0")}/${field("A")})  Uid: (${user})   Gid: (${group})`,
  ];
}

interface StatRequest {
  readonly follows: boolean;
  readonly format?: string;
  readonly paths: readonly string[];
}

function statRequest(args: readonly string[]): StatRequest | undefined {
  const paths: string[] = [];
  let follows = false;
  let format: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    const long = /^--(?:format|printf)=(.*)$/s.exec(word);
    if (long !== null) format = long[1];
    else if (word === "--dereference") follows = true;
    else if (/^-L?c?$/.test(word) && word !== "-") {
      follows ||= word.includes("L");
      if (!word.includes("c")) continue;
      at += 1;
      format = args[at];
      if (format === undefined) return undefined;
    } else if (word.startsWith("-")) return undefined;
    else paths.push(word);
  }
  return { follows, paths, ...(format === undefined ? {} : { format }) };
}

/** stat, in its long form and with a format. Source: stat(1) of GNU coreutils. */
export function statCommand(args: readonly string[], device: Device): CommandOutput {
  const request = statRequest(args);
  if (request === undefined)
    return notKnown(`stat ${args.join(" ")}: options that are not known here`);
  const lines: string[] = [];
  const errors: string[] = [];
  for (const path of request.paths) {
    const plain = path.replace(/(.)\/+$/, "$1");
    const facts = request.follows || plain !== path ? device.facts(plain) : device.linkFacts(plain);
    if (facts.state === "unreadable") return unreadable(facts.reason);
    if (facts.state === "missing") {
      errors.push(`stat: cannot statx '${path}': No such file or directory`);
    } else if (request.format !== undefined) {
      const text = statFormatted(request.format, path, facts.value, device);
      if (text === undefined)
        return notKnown(`stat: the format ${request.format} is not known here`);
      lines.push(text);
    } else for (const line of statLong(path, facts.value, device)) lines.push(line);
  }
  if (request.format !== undefined) return printedLines(lines, errors);
  return partlyPrinted(
    lines,
    ["Uid", "Gid", "Access: (", "File:", "-r", "0/root", "cannot stat", "No such file"],
    errors,
  );
}

/** cat of whole files. Files that are not there are said so and left out. Source: cat(1). */
export function catCommand(paths: readonly string[], device: Device): CommandOutput {
  let text = "";
  let errors = "";
  for (const path of paths) {
    if (path.startsWith("-")) return notKnown(`cat ${path}: an option that is not known here`);
    const facts = device.facts(path);
    if (facts.state === "value" && facts.value.kind === "folder") {
      errors += `cat: ${shownName(path)}: Is a directory\n`;
      continue;
    }
    const content = device.text(path);
    if (content.state === "unreadable") return unreadable(content.reason);
    if (content.state === "missing")
      errors += `cat: ${shownName(path)}: No such file or directory\n`;
    else text += content.value;
  }
  return { state: "output", text, errors };
}
