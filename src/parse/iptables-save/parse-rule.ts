import type {
  IptablesField,
  IptablesMatch,
  IptablesOption,
  IptablesRule,
  IptablesTarget,
} from "./model.ts";
import { looksLikeOption, textStyleOf } from "./option-values.ts";
import type { Word } from "./words.ts";

type HeadField = "protocol" | "source" | "destination" | "inInterface" | "outInterface";

/** Source: iptables(8), PARAMETERS. */
const HEAD_FIELDS: ReadonlyMap<string, HeadField> = new Map<string, HeadField>([
  ["-p", "protocol"],
  ["--protocol", "protocol"],
  ["-s", "source"],
  ["--source", "source"],
  ["--src", "source"],
  ["-d", "destination"],
  ["--destination", "destination"],
  ["--dst", "destination"],
  ["-i", "inInterface"],
  ["--in-interface", "inInterface"],
  ["-o", "outInterface"],
  ["--out-interface", "outInterface"],
]);
const MATCH = new Set(["-m", "--match"]);
const TARGETS: ReadonlyMap<string, "jump" | "goto"> = new Map([
  ["-j", "jump"],
  ["--jump", "jump"],
  ["-g", "goto"],
  ["--goto", "goto"],
]);
const FRAGMENT = new Set(["-f", "--fragment", "--fragments"]);

/** A rule, or in words why the line is none. */
export type RuleReading =
  | { readonly ok: true; readonly rule: IptablesRule }
  | { readonly ok: false; readonly reason: string };

type Draft = { -readonly [Key in keyof IptablesRule]: IptablesRule[Key] };

interface Reader {
  readonly words: readonly Word[];
  at: number;
  readonly draft: Draft;
  readonly matches: IptablesMatch[];
  /** Options of the `-m` or `-j` that was read last; undefined before the first. */
  section: IptablesOption[] | undefined;
}

/**
 * Reads the words behind `-A CHAIN`; `undefined` is a line with an open quote. Everything is kept: what is neither part of the head nor `-m`, `-j`,
 * `-g` becomes an option of the section it stands in, and a word without an option one with an empty name.
 * Both places of `!` are understood (`! --dport 22`, and the old `--dport ! 22`).
 */
export function parseRuleWords(words: readonly Word[] | undefined): RuleReading {
  if (words === undefined) return { ok: false, reason: "a quote is not closed" };
  const matches: IptablesMatch[] = [];
  const draft: Draft = { matches, target: { kind: "none" } };
  const reader: Reader = { words, at: 0, draft, matches, section: undefined };
  while (reader.at < words.length) {
    const reason = readNext(reader);
    if (reason !== undefined) return { ok: false, reason };
  }
  return { ok: true, rule: draft };
}

function isNegation(word: Word | undefined): boolean {
  return word !== undefined && !word.isQuoted && word.text === "!";
}

function isOption(word: Word | undefined): boolean {
  return word !== undefined && !word.isQuoted && looksLikeOption(word.text);
}

/** Reads one option with its values; returns the reason where that cannot be done. */
function readNext(reader: Reader): string | undefined {
  const isNegated = isNegation(reader.words[reader.at]);
  if (isNegated) reader.at += 1;
  const word = reader.words[reader.at];
  if (word === undefined) return "ends with a negation";
  if (word.isQuoted || !word.text.startsWith("-") || word.text === "-") {
    if (isNegated) return `a negation of ${word.text}`;
    sectionOf(reader).push({ name: "", isNegated: false, values: readValues(reader) });
    return undefined;
  }
  reader.at += 1;
  const field = HEAD_FIELDS.get(word.text);
  if (field !== undefined) return readField(reader, field, isNegated);
  if (FRAGMENT.has(word.text)) {
    if (reader.draft.fragment !== undefined) return "fragment is given twice";
    reader.draft.fragment = { isNegated };
    return undefined;
  }
  if (MATCH.has(word.text)) return isNegated ? "a negated -m" : readMatch(reader);
  const kind = TARGETS.get(word.text);
  if (kind !== undefined) return isNegated ? "a negated target" : readTarget(reader, kind);
  return readOption(reader, word.text, isNegated);
}

function sectionOf(reader: Reader): IptablesOption[] {
  if (reader.section !== undefined) return reader.section;
  const options: IptablesOption[] = [];
  reader.matches.push({ module: null, options });
  reader.section = options;
  return options;
}

function readField(reader: Reader, field: HeadField, isNegated: boolean): string | undefined {
  const isInner = isNegation(reader.words[reader.at]);
  if (isInner) reader.at += 1;
  const value = reader.words[reader.at];
  if (value === undefined || isOption(value) || isNegation(value)) return `${field} has no value`;
  if (isInner && isNegated) return `${field} is negated twice`;
  if (reader.draft[field] !== undefined) return `${field} is given twice`;
  reader.at += 1;
  const read: IptablesField = { value: value.text, isNegated: isNegated || isInner };
  reader.draft[field] = read;
  return undefined;
}

function readMatch(reader: Reader): string | undefined {
  const name = reader.words[reader.at];
  if (name === undefined || isOption(name) || isNegation(name)) return "-m has no name";
  reader.at += 1;
  const options: IptablesOption[] = [];
  reader.matches.push({ module: name.text, options });
  reader.section = options;
  return undefined;
}

function readTarget(reader: Reader, kind: "jump" | "goto"): string | undefined {
  const name = reader.words[reader.at];
  if (name === undefined || isOption(name) || isNegation(name)) return "the target has no name";
  if (reader.draft.target.kind !== "none") return "more than one target";
  reader.at += 1;
  const options: IptablesOption[] = [];
  const target: IptablesTarget = { kind, name: name.text, options };
  reader.draft.target = target;
  reader.section = options;
  return undefined;
}

function readOption(reader: Reader, name: string, isNegated: boolean): string | undefined {
  const section = sectionOf(reader);
  const isInner =
    isNegation(reader.words[reader.at]) &&
    reader.words[reader.at + 1] !== undefined &&
    !isOption(reader.words[reader.at + 1]);
  if (isInner) reader.at += 1;
  if (isInner && isNegated) return `${name} is negated twice`;
  const only = reader.words[reader.at];
  if (textStyleOf(name) !== undefined && only !== undefined) {
    reader.at += 1;
    section.push({ name, isNegated: isNegated || isInner, values: [only.text] });
    return undefined;
  }
  section.push({ name, isNegated: isNegated || isInner, values: readValues(reader) });
  return undefined;
}

function readValues(reader: Reader): readonly string[] {
  const values: string[] = [];
  for (;;) {
    const word = reader.words[reader.at];
    if (word === undefined || isOption(word) || isNegation(word)) return values;
    values.push(word.text);
    reader.at += 1;
  }
}
