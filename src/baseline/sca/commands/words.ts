/** Splits a command as Wazuh does, without a shell: at spaces, with double quotes and backslashes. Source: Wazuh string_op.c, w_strtok. */
export function splitArguments(command: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (let at = 0; at < command.length; at += 1) {
    const character = command.charAt(at);
    if (character === '"') {
      if (isQuoted) word ??= "";
      isQuoted = !isQuoted;
    } else if (character === "\\") {
      at += 1;
      if (at < command.length) word = (word ?? "") + command.charAt(at);
    } else if (character === " " && !isQuoted) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** A word of a shell command; in a `pattern` the shell looks for files where it has wildcards. */
export interface ShellWord {
  readonly text: string;
  readonly isPattern: boolean;
}

/** Commands of which each reads what the one before prints. */
export type Pipeline = readonly (readonly ShellWord[])[];

interface Scan {
  readonly script: string;
  at: number;
}

/** Text inside quotes; undefined: a quote without an end, or one in which the shell would put values. */
function quoted(scan: Scan, quote: string): string | undefined {
  let text = "";
  for (scan.at += 1; scan.at < scan.script.length; scan.at += 1) {
    const character = scan.script.charAt(scan.at);
    if (character === quote) return text;
    if (quote === '"' && (character === "$" || character === "`")) return undefined;
    if (quote === '"' && character === "\\" && '"\\$`'.includes(scan.script.charAt(scan.at + 1)))
      scan.at += 1;
    text += scan.script.charAt(scan.at);
  }
  return undefined;
}

/** The word that begins here; undefined: one that needs a shell. */
function readWord(scan: Scan): ShellWord | undefined {
  let text = "";
  let isPattern = false;
  for (; scan.at < scan.script.length; scan.at += 1) {
    const character = scan.script.charAt(scan.at);
    if (/[\s|&;]/.test(character)) break;
    if (character === "'" || character === '"') {
      const inner = quoted(scan, character);
      if (inner === undefined) return undefined;
      text += inner;
    } else if (character === "\\") {
      scan.at += 1;
      text += scan.script.charAt(scan.at);
    } else if (/[$`<>(){}[\]~#!]/.test(character) && !(character === "{" || character === "}"))
      return undefined;
    else {
      isPattern ||= character === "*" || character === "?";
      text += character;
    }
  }
  return { text, isPattern };
}

/**
 * Reads the few shapes of shell scripts that policies have: commands with `|` between them, in lists of
 * `;` and `&`. Undefined: it needs a shell (variables, redirections, conditions, loops).
 */
export function parseScript(script: string): readonly Pipeline[] | undefined {
  const pipelines: Pipeline[] = [];
  let pipeline: (readonly ShellWord[])[] = [];
  let words: ShellWord[] = [];
  const scan: Scan = { script, at: 0 };
  const endCommand = (): boolean => {
    if (words.length === 0) return false;
    pipeline.push(words);
    words = [];
    return true;
  };
  const endPipeline = (): boolean => {
    if (!endCommand()) return false;
    pipelines.push(pipeline);
    pipeline = [];
    return true;
  };
  while (scan.at < script.length) {
    const character = script.charAt(scan.at);
    if (/\s/.test(character)) scan.at += 1;
    else if (/^(?:\|\||&&|\|&|;;)/.test(script.slice(scan.at, scan.at + 2))) return undefined;
    else if (character === "|" || character === "&" || character === ";") {
      scan.at += 1;
      if (!(character === "|" ? endCommand() : endPipeline())) return undefined;
    } else {
      const word = readWord(scan);
      if (word === undefined) return undefined;
      words.push(word);
    }
  }
  if (words.length > 0 || pipeline.length > 0) return endPipeline() ? pipelines : undefined;
  return pipelines.length > 0 ? pipelines : undefined;
}
