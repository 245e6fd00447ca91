import type {
  IptablesChain,
  IptablesCounters,
  IptablesProblem,
  IptablesProblemKind,
  IptablesRule,
  IptablesSave,
  IptablesTable,
} from "./model.ts";
import { parseRuleWords } from "./parse-rule.ts";
import { boundedLength } from "./text-bounds.ts";
import { splitWords, type WordLine } from "./words.ts";

/** Bounds of one reading; what is beyond them is reported and left out. */
export interface IptablesSaveLimits {
  /** Of the text as UTF-8. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Of all tables together. Default 100,000. */
  readonly maxRules?: number;
}

const MAX_BYTES = 16 * 1024 * 1024;
const MAX_RULES = 100_000;
const MOST_PROBLEMS = 100;
const LONGEST_DETAIL = 200;

/** Problems that leave nothing out. */
const HARMLESS: ReadonlySet<IptablesProblemKind> = new Set<IptablesProblemKind>([
  "line-break-in-quotes",
  "undeclared-chain",
  "repeated-chain",
  "repeated-table",
  "undecoded-extension",
]);

const CHAIN_LINE = /^:(\S+)[ \t]+(\S+)(?:[ \t]+\[(\d{1,20}):(\d{1,20})\])?[ \t\r]*$/;
const RULE_LINE = /^(?:\[(\d{1,20}):(\d{1,20})\][ \t]+)?(?:-A|--append)[ \t]+(\S+)/;
const TABLE_LINE = /^\*(\S+)[ \t\r]*$/;
const LOOKS_LIKE_RULE = /^(?:\[[^\]]*\]\s*)?-/;
const UNDECODED = /\[unsupported revision\]|\[\d+ bytes of unknown |\(unknown\)$/;

interface ChainDraft {
  readonly name: string;
  policy: string | null;
  counters: IptablesCounters | undefined;
  readonly rules: IptablesRule[];
}

interface TableDraft {
  readonly name: string;
  readonly chains: Map<string, ChainDraft>;
}

interface Reading {
  readonly text: string;
  readonly maxRules: number;
  readonly tables: TableDraft[];
  readonly tableNames: Set<string>;
  readonly problems: IptablesProblem[];
  problemCount: number;
  isComplete: boolean;
  open: TableDraft | undefined;
  ruleCount: number;
  line: number;
}

/**
 * Reads the output of `iptables-save` or `ip6tables-save` (legacy and nft, with or without `-c`). Never
 * throws: a line that cannot be read costs only itself and is a problem with its number.
 * Source: iptables, iptables-save.c and iptables-restore.c.
 * Cost: one pass; memory in proportion to the text, at most `maxBytes`.
 */
export function parseIptablesSave(text: string, limits: IptablesSaveLimits = {}): IptablesSave {
  const reading: Reading = {
    text,
    maxRules: limits.maxRules ?? MAX_RULES,
    tables: [],
    tableNames: new Set(),
    problems: [],
    problemCount: 0,
    isComplete: true,
    open: undefined,
    ruleCount: 0,
    line: 0,
  };
  const length = boundedLength(text, limits.maxBytes ?? MAX_BYTES);
  let at = 0;
  while (at < length) {
    reading.line += 1;
    const next = readLine(reading, at, length);
    if (next === undefined) break;
    at = next;
  }
  if (reading.open !== undefined) {
    note(reading, "not-committed", `table ${reading.open.name} ends without COMMIT`);
  }
  return finished(reading);
}

/** Index behind the line; undefined to stop. */
function readLine(reading: Reading, start: number, length: number): number | undefined {
  const { text } = reading;
  const lineBreak = text.indexOf("\n", start);
  const end = lineBreak === -1 ? text.length : lineBreak;
  if (end > length) {
    note(reading, "too-large", `read up to character ${start}`);
    return undefined;
  }
  const line = text.slice(start, end);
  if (line.includes("\0")) {
    note(reading, "nul-byte", line);
    return end + 1;
  }
  const first = line.charAt(0);
  if (first === "-" || first === "[") return readRule(reading, line, start, length);
  if (first === "#") readRemark(reading, line);
  else if (first === "*") openTable(reading, line);
  else if (first === ":") readChain(reading, line);
  else if (/^COMMIT[ \t\r]*$/.test(line)) commit(reading);
  else if (!/^[ \t\r]*$/.test(line)) note(reading, "foreign-line", line);
  return end + 1;
}

function readRemark(reading: Reading, line: string): void {
  if (/ is incompatible, use |contains incompatible /.test(line)) {
    note(reading, "incompatible-table", line);
  } else if (/^# Warning: \S+ tables present/.test(line)) {
    note(reading, "legacy-tables-present", line);
  }
}

function openTable(reading: Reading, line: string): void {
  const name = TABLE_LINE.exec(line)?.[1];
  if (name === undefined) {
    note(reading, "foreign-line", line);
    return;
  }
  if (reading.open !== undefined) {
    note(reading, "not-committed", `table ${reading.open.name} ends without COMMIT`);
  }
  if (reading.tableNames.has(name)) note(reading, "repeated-table", line);
  reading.tableNames.add(name);
  reading.open = { name, chains: new Map() };
  reading.tables.push(reading.open);
}

function commit(reading: Reading): void {
  if (reading.open === undefined) note(reading, "outside-table", "COMMIT");
  reading.open = undefined;
}

function readChain(reading: Reading, line: string): void {
  const { open } = reading;
  const [, name, policy, packets, bytes] = CHAIN_LINE.exec(line) ?? [];
  if (open === undefined || name === undefined || policy === undefined) {
    note(reading, open === undefined ? "outside-table" : "malformed-chain", line);
    return;
  }
  const chain = chainOf(open, name);
  if (chain.isKnown) note(reading, "repeated-chain", line);
  chain.draft.policy = policy === "-" ? null : policy;
  chain.draft.counters = countersOf(packets, bytes);
}

function chainOf(table: TableDraft, name: string): { draft: ChainDraft; isKnown: boolean } {
  const known = table.chains.get(name);
  if (known !== undefined) return { draft: known, isKnown: true };
  const draft: ChainDraft = { name, policy: null, counters: undefined, rules: [] };
  table.chains.set(name, draft);
  return { draft, isKnown: false };
}

function readRule(
  reading: Reading,
  line: string,
  start: number,
  length: number,
): number | undefined {
  const { open } = reading;
  const found = RULE_LINE.exec(line);
  const lineNumber = reading.line;
  if (found === null) {
    const kind = LOOKS_LIKE_RULE.test(line) ? "malformed-rule" : "foreign-line";
    note(reading, kind, line);
    return start + line.length + 1;
  }
  const words = splitWords(reading.text, start + found[0].length);
  if (words.end > length + 1) {
    note(reading, "too-large", `read up to character ${start}`);
    return undefined;
  }
  if (open === undefined) note(reading, "outside-table", line);
  else if (reading.ruleCount >= reading.maxRules) {
    note(reading, "too-many-rules", `only ${reading.maxRules} rules are read`);
    reading.open = undefined;
    return undefined;
  } else addRule(reading, open, found, words);
  reading.line = lineNumber + words.innerBreaks;
  return words.end;
}

function addRule(
  reading: Reading,
  table: TableDraft,
  found: RegExpExecArray,
  line: WordLine,
): void {
  const [head, packets, bytes, chainName = ""] = found;
  const result = parseRuleWords(line.words);
  if (!result.ok) {
    note(reading, "malformed-rule", `${head}: ${result.reason}`);
    return;
  }
  if (line.innerBreaks > 0) note(reading, "line-break-in-quotes", head);
  if (hasUndecodedWords(line)) note(reading, "undecoded-extension", head);
  const chain = chainOf(table, chainName);
  if (!chain.isKnown) note(reading, "undeclared-chain", head);
  const counters = countersOf(packets, bytes);
  chain.draft.rules.push(counters === undefined ? result.rule : { counters, ...result.rule });
  reading.ruleCount += 1;
}

/** The saving program writes `[unsupported revision]` where a value should be. */
function hasUndecodedWords(line: WordLine): boolean {
  const words = line.words ?? [];
  if (!words.some((word) => !word.isQuoted && /^[[(]/.test(word.text))) return false;
  return UNDECODED.test(words.map((word) => (word.isQuoted ? "" : word.text)).join(" "));
}

function countersOf(
  packets: string | undefined,
  bytes: string | undefined,
): IptablesCounters | undefined {
  if (packets === undefined || bytes === undefined) return undefined;
  return { packets: BigInt(packets), bytes: BigInt(bytes) };
}

function note(reading: Reading, kind: IptablesProblemKind, detail: string): void {
  reading.problemCount += 1;
  if (!HARMLESS.has(kind)) reading.isComplete = false;
  if (reading.problems.length >= MOST_PROBLEMS) return;
  reading.problems.push({ kind, line: reading.line, detail: detail.slice(0, LONGEST_DETAIL) });
}

function finished(reading: Reading): IptablesSave {
  const tables = reading.tables.map(
    (table): IptablesTable => ({
      name: table.name,
      chains: Array.from(table.chains.values(), finishedChain),
    }),
  );
  const { problems, problemCount, isComplete } = reading;
  return { tables, problems, problemCount, isComplete };
}

function finishedChain(draft: ChainDraft): IptablesChain {
  const { name, policy, counters, rules } = draft;
  return counters === undefined ? { name, policy, rules } : { name, policy, counters, rules };
}
