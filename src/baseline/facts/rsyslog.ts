import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { expandGlob } from "../glob.ts";

/** One statement of the configuration: a directive, an object, or a selector with its action. */
export interface RsyslogStatement {
  /** Without comments; an object that spans lines is one statement. */
  readonly text: string;
  readonly path: string;
  /** Inside of a `{ … }` block, and so under a condition or in a rule set. */
  readonly isInBlock: boolean;
}

const MAIN = "/etc/rsyslog.conf";
const MAX_DEPTH = 16;
const MOST_STATEMENTS = 20_000;
/** Longest statement, UTF-16 units. */
const MAX_STATEMENT = 16_384;
/** What a statement can begin with: a word, a directive, a property, a block, an action. */
const BEGINNING = /^[\w$:&*!+\-~|/?@^{}(]/;

/**
 * Where a quoted text that begins at `at` ends. Outside of parentheses it ends on its line, or the mark
 * is an apostrophe that stands for itself; inside one it may run on, as far as a statement may.
 */
function endOfQuotes(text: string, at: number, depth: number): number {
  const mark = text.charAt(at);
  const limit = Math.min(text.length, at + MAX_STATEMENT);
  for (let end = at + 1; end < limit; end += 1) {
    const letter = text.charAt(end);
    if (letter === mark) return end;
    if (letter === "\n" && depth === 0) return at;
    if (letter === "\\") end += 1;
  }
  return depth === 0 ? at : limit;
}

/** Replaces comments by blanks; `#` inside of quotes of an object, or within a word, is none. */
function withoutComments(text: string): string {
  let out = "";
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    const isAfterBlank = at === 0 || /\s/.test(text.charAt(at - 1));
    if (letter === '"' || letter === "'") {
      const end = endOfQuotes(text, at, depth);
      out += text.slice(at, end + 1);
      at = end;
    } else if (letter === "#" && (isAfterBlank || depth > 0)) {
      const end = text.indexOf("\n", at);
      at = end === -1 ? text.length : end;
      out += "\n";
    } else if (letter === "/" && text.charAt(at + 1) === "*" && isAfterBlank) {
      const end = text.indexOf("*/", at + 2);
      at = end === -1 ? text.length : end + 1;
    } else {
      if (letter === "(") depth += 1;
      if (letter === ")") depth = Math.max(0, depth - 1);
      out += letter;
    }
  }
  return out;
}

/** Splits at line ends outside of parentheses; text: what is wrong. */
function statementsOf(text: string): readonly string[] | string {
  const plain = withoutComments(text.replace(/\\\r?\n/g, " "));
  const statements: string[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at <= plain.length; at += 1) {
    const letter = plain.charAt(at);
    if (letter === '"' || letter === "'") at = endOfQuotes(plain, at, depth);
    else if (letter === "(") depth += 1;
    else if (letter === ")") depth = Math.max(0, depth - 1);
    const isEnd = at >= plain.length || (letter === "\n" && depth === 0);
    if (!isEnd && at - start < MAX_STATEMENT) continue;
    const statement = plain.slice(start, at).replace(/\s+/g, " ").trim();
    if (!isEnd || (at >= plain.length && depth > 0))
      return `${statement.slice(0, 40)}: a parenthesis is not closed`;
    start = at + 1;
    if (statement === "") continue;
    if (!BEGINNING.test(statement)) return `${statement.slice(0, 40)}: not understood`;
    statements.push(statement);
  }
  return statements;
}

/** `$IncludeConfig pattern`, `include(file="pattern")`. */
function includeOf(statement: string): string | undefined {
  return (
    /^\$IncludeConfig\s+(\S+)/i.exec(statement)?.[1] ??
    /^include\s*\(.*?\bfile\s*=\s*"([^"]+)"/i.exec(statement)?.[1]
  );
}

/** Braces outside of quotes: how much deeper a statement leads. */
function deeper(statement: string): number {
  const plain = statement.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "");
  return (plain.match(/\{/g) ?? []).length - (plain.match(/\}/g) ?? []).length;
}

interface Reading {
  readonly device: Device;
  readonly statements: RsyslogStatement[];
  blocks: number;
}

function read(reading: Reading, path: string, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return `${path}: more than ${MAX_DEPTH} nested includes`;
  const text = reading.device.text(path);
  if (text.state === "unreadable") return text.reason;
  if (text.state === "missing") return undefined;
  const statements = statementsOf(text.value);
  if (typeof statements === "string") return `${path}: ${statements}`;
  for (const statement of statements) {
    const include = includeOf(statement);
    if (include !== undefined) {
      const failure = readIncluded(reading, include, depth);
      if (failure !== undefined) return failure;
      continue;
    }
    if (reading.statements.length >= MOST_STATEMENTS) return `${path}: too many statements`;
    const change = deeper(statement);
    const isInBlock = reading.blocks > 0 || change > 0;
    reading.blocks = Math.max(0, reading.blocks + change);
    reading.statements.push({ text: statement, path, isInBlock });
  }
  return undefined;
}

function readIncluded(reading: Reading, include: string, depth: number): string | undefined {
  const pattern = include.endsWith("/") ? `${include}*` : include;
  const paths = expandGlob(reading.device, pattern);
  if (paths.state === "unreadable") return paths.reason;
  for (const path of paths.state === "value" ? paths.value : []) {
    const failure = read(reading, path, depth + 1);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** The configuration with what it includes, in order. Missing: no rsyslog here. Source: rsyslog.conf(5). */
export const rsyslogConfig = oncePerDevice((device): Fact<readonly RsyslogStatement[]> => {
  if (device.facts(MAIN).state === "missing") return MISSING;
  const reading: Reading = { device, statements: [], blocks: 0 };
  const failure = read(reading, MAIN, 0);
  return failure === undefined ? valueFact(reading.statements) : unreadableFact(failure);
});

/** Files that rsyslog writes to by name, sorted. */
export function rsyslogFiles(statements: readonly RsyslogStatement[]): readonly string[] {
  const files = new Set<string>();
  for (const { text } of statements) {
    const legacy = /^[^"($]*?\s-?(\/[^\s;]+)/.exec(text)?.[1];
    if (legacy !== undefined && !text.startsWith("$")) files.add(legacy);
    if (!/type\s*=\s*"omfile"/i.test(text)) continue;
    const named = /\bfile\s*=\s*"(\/[^"]+)"/i.exec(text)?.[1];
    if (named !== undefined) files.add(named);
  }
  return [...files].filter((file) => !file.startsWith("/dev/")).sort();
}
