import type { FileFacts } from "../../../contract/probe.ts";
import type { Device } from "../../device.ts";
import { fitsWildcard } from "../pattern/wildcard.ts";
import { groupName, modeText, statCommand, userName } from "./files.ts";
import { type CommandOutput, notKnown, partlyPrinted, printedLines, unreadable } from "./output.ts";

const MOST_ENTRIES = 20_000;

interface Entry {
  readonly path: string;
  readonly facts: FileFacts;
}

type Test = (entry: Entry) => boolean;

const KINDS: Readonly<Record<string, FileFacts["kind"]>> = {
  f: "file",
  d: "folder",
  l: "link",
  s: "socket",
  p: "pipe",
};

function nameTest(pattern: string): Test {
  return ({ path }) => fitsWildcard(pattern, path.slice(path.lastIndexOf("/") + 1));
}

function modeTest(text: string): Test | undefined {
  const [, sign, digits] = /^([-/]?)([0-7]{1,4})$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const mode = Number.parseInt(digits, 8);
  return ({ facts }) => {
    if (sign === "-") return (facts.mode & mode) === mode;
    return sign === "/" ? mode === 0 || (facts.mode & mode) !== 0 : facts.mode === mode;
  };
}

interface Expression {
  readonly words: readonly string[];
  at: number;
  readonly device: Device;
}

function readTest(expression: Expression): Test | undefined {
  const word = expression.words[expression.at];
  expression.at += 1;
  if (word === "(") {
    const inner = readAny(expression);
    if (expression.words[expression.at] !== ")") return undefined;
    expression.at += 1;
    return inner;
  }
  if (word === "!" || word === "-not") {
    const inner = readTest(expression);
    return inner === undefined ? undefined : (entry) => !inner(entry);
  }
  if (word === "-xdev" || word === "-mount") return () => true;
  const value = expression.words[expression.at] ?? "";
  expression.at += 1;
  const kind = KINDS[value];
  if (word === "-type" && kind !== undefined) return ({ facts }) => facts.kind === kind;
  if (word === "-name") return nameTest(value);
  if (word === "-perm") return modeTest(value);
  if (word === "-user") return ({ facts }) => userName(expression.device, facts.userId) === value;
  if (word === "-group")
    return ({ facts }) => groupName(expression.device, facts.groupId) === value;
  return undefined;
}

function readAll(expression: Expression): Test | undefined {
  let test: Test = () => true;
  for (;;) {
    const word = expression.words[expression.at];
    if (word === undefined || word === ")" || word === "-o" || word === "-or") return test;
    if (word === "-a" || word === "-and") {
      expression.at += 1;
      continue;
    }
    const next = readTest(expression);
    if (next === undefined) return undefined;
    const before = test;
    test = (entry) => before(entry) && next(entry);
  }
}

function readAny(expression: Expression): Test | undefined {
  let test = readAll(expression);
  while (test !== undefined && /^-or?$/.test(expression.words[expression.at] ?? "")) {
    expression.at += 1;
    const next = readAll(expression);
    if (next === undefined) return undefined;
    const before: Test = test;
    test = (entry) => before(entry) || next(entry);
  }
  return test;
}

/** Entries from a path downwards, links not followed; a text: why it cannot be told. */
function entriesBelow(device: Device, path: string, into: Entry[]): string | undefined {
  const facts = device.linkFacts(path.replace(/(.)\/+$/, "$1"));
  if (facts.state === "unreadable") return facts.reason;
  if (facts.state === "missing") return undefined;
  into.push({ path, facts: facts.value });
  if (into.length > MOST_ENTRIES) return `${path}: more than ${MOST_ENTRIES} entries`;
  if (facts.value.kind !== "folder") return undefined;
  const names = device.folder(path);
  if (names.state === "unreadable") return names.reason;
  for (const name of names.state === "value" ? names.value : []) {
    const reason = entriesBelow(device, `${path.replace(/\/+$/, "")}/${name}`, into);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function lsLine({ path, facts }: Entry, device: Device): string {
  const owner = `${userName(device, facts.userId).padEnd(8)} ${groupName(device, facts.groupId).padEnd(8)}`;
  return `${facts.inode} ${modeText(facts)} 1 ${owner} ${facts.sizeBytes} ${path}`;
}

/** find with tests, printing paths, `-ls`, or a stat of all. Source: find(1). */
export function findCommand(args: readonly string[], device: Device): CommandOutput {
  const firstTest = args.findIndex((word) => /^[-(!]/.test(word));
  const roots = firstTest < 0 ? args : args.slice(0, firstTest);
  const rest = firstTest < 0 ? [] : args.slice(firstTest);
  const isLong = rest[rest.length - 1] === "-ls";
  const execAt = rest.indexOf("-exec");
  const isPrint = rest[rest.length - 1] === "-print";
  const words = execAt >= 0 ? rest.slice(0, execAt) : isLong || isPrint ? rest.slice(0, -1) : rest;
  const expression: Expression = { words, at: 0, device };
  const test = readAny(expression);
  if (test === undefined || expression.at < words.length || roots.length === 0)
    return notKnown(`find ${args.join(" ")}: a form that is not known here`);
  const entries: Entry[] = [];
  const errors: string[] = [];
  for (const root of roots) {
    if (device.linkFacts(root.replace(/(.)\/+$/, "$1")).state === "missing")
      errors.push(`find: ‘${root}’: No such file or directory`);
    const reason = entriesBelow(device, root, entries);
    if (reason !== undefined) return unreadable(reason);
  }
  const found = entries.filter(test);
  if (isLong) {
    const lines = found.map((entry) => lsLine(entry, device));
    if (lines.length === 0) return printedLines([], errors);
    return partlyPrinted(lines, ["-rw", "-[", "/", "root"], errors);
  }
  const paths = found.map(({ path }) => path);
  if (execAt < 0) return printedLines(paths, errors);
  const command = rest.slice(execAt + 1);
  const last = command[command.length - 1] ?? "";
  if (command[0] !== "stat" || command[command.length - 2] !== "{}" || !/^[+;]$/.test(last))
    return notKnown(`find -exec ${command.join(" ")}: a command that is not known here`);
  if (paths.length === 0) return printedLines([], errors);
  const output = statCommand([...command.slice(1, -2), ...paths], device);
  if (output.state !== "output" || errors.length === 0) return output;
  return { ...output, errors: `${errors.join("\n")}\n${output.errors ?? ""}` };
}
