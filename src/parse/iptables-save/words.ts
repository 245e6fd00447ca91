/** One word of a rule line. A quoted word is a value whatever it looks like. */
export interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** The words of one logical line. `undefined` words: a quote that is never closed. */
export interface WordLine {
  readonly words: readonly Word[] | undefined;
  /** Index in the text behind the line break that ends it. */
  readonly end: number;
  /** Line breaks inside quotes. */
  readonly innerBreaks: number;
}

/** Longest search for a closing quote behind a line break; the longest quoted string of iptables has 255 bytes. */
const LONGEST_BROKEN_QUOTE = 1024;

interface Quoted {
  readonly text: string;
  /** Index behind the closing quote. */
  readonly end: number;
  readonly breaks: number;
}

/**
 * Splits the line of `text` that starts at `start` into words as iptables-restore does: blanks and tabs
 * separate, a double quote at the start of a word quotes up to the next one, and inside quotes a
 * backslash makes the next character plain. A quoted word may run over line breaks, as the comment of a
 * rule can: without that, its rest could pose as rules.
 * Source: iptables, xshared.c, add_param_to_argv and libxtables/xtables.c, xtables_save_string.
 * Cost: one pass over the line.
 */
export function splitWords(text: string, start: number): WordLine {
  const words: Word[] = [];
  let end = lineEnd(text, start);
  let innerBreaks = 0;
  let at = start;
  while (at < end) {
    const character = text.charCodeAt(at);
    if (isBlank(character) || (character === 13 && at === end - 1)) {
      at += 1;
    } else if (character === 34) {
      const quoted = readQuoted(text, at, end);
      if (quoted === undefined) return { words: undefined, end: end + 1, innerBreaks };
      words.push({ text: quoted.text, isQuoted: true });
      at = quoted.end;
      if (quoted.breaks > 0) end = lineEnd(text, at);
      innerBreaks += quoted.breaks;
    } else {
      const wordStop = wordEnd(text, at, end);
      words.push({ text: text.slice(at, wordStop), isQuoted: false });
      at = wordStop;
    }
  }
  return { words, end: end + 1, innerBreaks };
}

function isBlank(character: number): boolean {
  return character === 32 || character === 9;
}

function lineEnd(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end === -1 ? text.length : end;
}

function wordEnd(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && !isBlank(text.charCodeAt(at))) at += 1;
  return at === end && at > start + 1 && text.charCodeAt(at - 1) === 13 ? at - 1 : at;
}

/** Reads from the quote at `start`. Behind `end`, the line break, only a bounded piece is searched. */
function readQuoted(text: string, start: number, end: number): Quoted | undefined {
  const stop = Math.min(text.length, end + LONGEST_BROKEN_QUOTE);
  const parts: string[] = [];
  let partStart = start + 1;
  let breaks = 0;
  let at = start + 1;
  while (at < stop) {
    const character = text.charCodeAt(at);
    if (character === 34) {
      if (breaks > 0 && !isWordBoundary(text, at + 1)) return undefined;
      parts.push(text.slice(partStart, at));
      return { text: parts.join(""), end: at + 1, breaks };
    }
    if (character === 92) {
      parts.push(text.slice(partStart, at));
      partStart = at + 1;
      at += 1;
    }
    if (text.charCodeAt(at) === 10) breaks += 1;
    at += 1;
  }
  return undefined;
}

function isWordBoundary(text: string, at: number): boolean {
  if (at >= text.length) return true;
  const character = text.charCodeAt(at);
  return isBlank(character) || character === 10 || character === 13;
}
