import type { Device } from "../../device.ts";
import { readPcre2 } from "../pattern/pcre2.ts";
import { type Program, programOf } from "../pattern/program.ts";
import { runPattern } from "../pattern/run.ts";
import { type CommandOutput, notKnown, printedLines, shownName, unreadable } from "./output.ts";

/** Most files that a search of folders reads. */
const MOST_FILES = 5000;
const MAX_LINE = 4096;

/** Lines of a stream. */
export function linesIn(text: string): readonly string[] {
  if (text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** In basic expressions `\(`, `\|`, `\+` are special and `(`, `|`, `+` are not. Source: grep(1). */
function fromBasic(pattern: string): string {
  return pattern.replace(/\\(.)|([+?(){}|])/g, (all, escaped?: string, bare?: string) => {
    if (bare !== undefined) return `\\${bare}`;
    return escaped !== undefined && "+?(){}|".includes(escaped) ? escaped : all;
  });
}

/** A program for a regular expression of grep or awk; undefined: not read here. */
function lineProgram(
  pattern: string,
  isExtended: boolean,
  ignoresCase: boolean,
): Program | undefined {
  const tree = readPcre2(isExtended ? pattern : fromBasic(pattern));
  if (!tree.ok) return undefined;
  const program = programOf(tree.value, ignoresCase);
  return program.ok ? program.value : undefined;
}

interface GrepRequest {
  readonly flags: ReadonlySet<string>;
  readonly pattern: string;
  readonly paths: readonly string[];
}

function grepRequest(args: readonly string[]): GrepRequest | undefined {
  const flags = new Set<string>();
  const rest: string[] = [];
  let pattern: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    if (word === "--") {
      for (const path of args.slice(at + 1)) rest.push(path);
      break;
    }
    if (/^-[A-Za-z]+$/.test(word)) {
      for (const letter of word.slice(1)) {
        if (letter === "e") {
          at += 1;
          pattern = args[at];
        } else if (!"RrhHEPFivcwsqo".includes(letter)) return undefined;
        else flags.add(letter);
      }
    } else if (word.startsWith("-") && word !== "-") return undefined;
    else rest.push(word);
  }
  pattern ??= rest.shift();
  return pattern === undefined ? undefined : { flags, pattern, paths: rest };
}

/** A file, or the files below a folder where it is asked for. */
function filesBelow(device: Device, path: string, into: string[]): string | undefined {
  const facts = device.facts(path);
  if (facts.state === "unreadable") return facts.reason;
  if (facts.state === "missing") return undefined;
  if (facts.value.kind === "file") into.push(path);
  if (facts.value.kind !== "folder") return undefined;
  const names = device.folder(path);
  if (names.state === "unreadable") return names.reason;
  for (const name of names.state === "value" ? names.value : []) {
    if (into.length > MOST_FILES) return `${path}: more than ${MOST_FILES} files`;
    const reason = filesBelow(device, `${path.replace(/\/+$/, "")}/${name}`, into);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function grepLines(
  request: GrepRequest,
  lines: readonly string[],
  program: Program,
): readonly string[] {
  const { flags } = request;
  return lines.filter(
    (line) => (runPattern(program, line.slice(0, MAX_LINE)) !== undefined) !== flags.has("v"),
  );
}

function escaped(text: string): string {
  return text.replace(/[\\^$.[\]|()*+?{}]/g, "\\$&");
}

function grepProgram({ flags, pattern }: GrepRequest): Program | undefined {
  const isExtended = flags.has("E") || flags.has("P") || flags.has("F");
  const plain = flags.has("F") ? escaped(pattern) : pattern;
  const source = isExtended ? plain : fromBasic(plain);
  return lineProgram(flags.has("w") ? `\\b(?:${source})\\b` : source, true, flags.has("i"));
}

/** grep over a stream, files or folders. Source: grep(1). */
export function grepCommand(
  args: readonly string[],
  device: Device,
  input: string | undefined,
): CommandOutput {
  const request = grepRequest(args);
  const program = request === undefined ? undefined : grepProgram(request);
  if (request === undefined || program === undefined)
    return notKnown(`grep ${args.join(" ")}: a form that is not known here`);
  const { flags, paths } = request;
  if (flags.has("q") || flags.has("o")) return notKnown("grep -q and grep -o are not known here");
  if (paths.length === 0) {
    const found = grepLines(request, linesIn(input ?? ""), program);
    return printedLines(flags.has("c") ? [String(found.length)] : found);
  }
  const isDeep = flags.has("r") || flags.has("R");
  const hasNames = !flags.has("h") && (flags.has("H") || isDeep || paths.length > 1);
  const printed: string[] = [];
  const errors: string[] = [];
  for (const path of paths) {
    const facts = device.facts(path);
    if (facts.state === "missing" && !flags.has("s"))
      errors.push(`grep: ${path}: No such file or directory`);
    if (facts.state === "value" && facts.value.kind === "folder" && !isDeep) {
      errors.push(`grep: ${path}: Is a directory`);
      continue;
    }
    const files: string[] = [];
    const reason = filesBelow(device, path, files);
    if (reason !== undefined) return unreadable(reason);
    for (const file of files) {
      const text = device.text(file);
      if (text.state !== "value")
        return unreadable(text.state === "missing" ? `${file}: went away` : text.reason);
      const found = grepLines(request, linesIn(text.value), program);
      const prefix = hasNames ? `${file}:` : "";
      for (const line of flags.has("c") ? [String(found.length)] : found)
        printed.push(prefix + line);
    }
  }
  return printedLines(printed, errors);
}

/** cut -d -f with single fields. Source: cut(1). */
export function cutCommand(
  args: readonly string[],
  device: Device,
  input: string | undefined,
): CommandOutput {
  let delimiter: string | undefined;
  let field: string | undefined;
  const paths: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? "";
    const [, option, inline = ""] = /^-([df])(.*)$/.exec(word) ?? [];
    if (option === undefined) {
      paths.push(word);
      continue;
    }
    if (inline === "") at += 1;
    const value = inline === "" ? (args[at] ?? "") : inline;
    if (option === "d") delimiter = value.length === 1 ? value : undefined;
    else field = /^\d{1,3}$/.test(value) ? value : undefined;
  }
  if (delimiter === undefined || field === undefined || paths.some((path) => path.startsWith("-")))
    return notKnown(`cut ${args.join(" ")}: a form that is not known here`);
  const cut = (text: string): readonly string[] =>
    linesIn(text).map((line) =>
      line.includes(delimiter) ? (line.split(delimiter)[Number(field) - 1] ?? "") : line,
    );
  if (paths.length === 0) return printedLines(cut(input ?? ""));
  const lines: string[] = [];
  const errors: string[] = [];
  for (const path of paths) {
    const text = device.text(path);
    if (text.state === "unreadable") return unreadable(text.reason);
    if (text.state === "missing") errors.push(`cut: ${shownName(path)}: No such file or directory`);
    else for (const line of cut(text.value)) lines.push(line);
  }
  return printedLines(lines, errors);
}

/** sort, uniq and wc -l over a stream. */
export function streamCommand(name: string, args: readonly string[], input: string): CommandOutput {
  const lines = linesIn(input);
  const options = args.join(" ");
  if (name === "wc" && options === "-l") return printedLines([String(lines.length)]);
  if (name === "sort" && /^(?:-u)?$/.test(options)) {
    const sorted = [...lines].sort();
    return printedLines(options === "-u" ? [...new Set(sorted)] : sorted);
  }
  if (name === "uniq" && /^(?:-[cd]+)?$/.test(options)) return printedLines(unique(lines, options));
  return notKnown(`${name} ${options}: a form that is not known here`);
}

function unique(lines: readonly string[], options: string): readonly string[] {
  const runs: { text: string; count: number }[] = [];
  for (const text of lines) {
    const last = runs[runs.length - 1];
    if (last?.text === text) last.count += 1;
    else runs.push({ text, count: 1 });
  }
  return runs
    .filter((run) => !options.includes("d") || run.count > 1)
    .map((run) =>
      options.includes("c") ? `${String(run.count).padStart(7)} ${run.text}` : run.text,
    );
}

/** awk '/from/,/to/' and awk '/expression/'. Source: awk(1p), Patterns. */
export function awkCommand(args: readonly string[], input: string): CommandOutput {
  const [, from, to] =
    /^\s*\/((?:[^/\\]|\\.)*)\/(?:\s*,\s*\/((?:[^/\\]|\\.)*)\/)?\s*$/.exec(args[0] ?? "") ?? [];
  const first =
    from === undefined ? undefined : lineProgram(from.replaceAll("\\/", "/"), true, false);
  // A closing brace alone is an ordinary character.
  const last = to === undefined ? undefined : lineProgram(to.replaceAll("\\/", "/"), true, false);
  if (args.length !== 1 || first === undefined || (to !== undefined && last === undefined))
    return notKnown(`awk ${args.join(" ")}: a program that is not known here`);
  let isInside = false;
  const printed: string[] = [];
  for (const line of linesIn(input)) {
    const cut = line.slice(0, MAX_LINE);
    isInside ||= runPattern(first, cut) !== undefined;
    if (!isInside) continue;
    printed.push(line);
    isInside = last !== undefined && runPattern(last, cut) === undefined;
  }
  return printedLines(printed);
}
