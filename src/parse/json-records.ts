/**
 * Finds the records in a stream of JSON text without holding more than one of them: the elements of an
 * array, JSON lines, objects one after the other, and what `{"records":[…]}`, `{"value":[…]}` and
 * `{"items":[…]}` carry.
 */
export interface RecordSplitter {
  /** Takes the next piece of text; returns the pieces of records that ended in it, in order. */
  push(text: string): readonly RecordPiece[];
  /** The text has ended: what is still open is broken. */
  end(): readonly RecordPiece[];
}

/** `broken`: text that is no whole object, or one that is too long; `line` is where it begins, from 1. */
export type RecordPiece =
  | { readonly kind: "record"; readonly text: string; readonly line: number }
  | { readonly kind: "broken"; readonly reason: string; readonly line: number };

export interface SplitterLimits {
  /** Longest record, UTF-16 units; default 4 Mi. */
  readonly maxRecordLength?: number;
}

/** An object that only carries a list, with nothing but short simple fields before it. */
const ENVELOPE =
  /^\s*(?:"[^"\\]{0,64}"\s*:\s*(?:"[^"\\]{0,4096}"|null|true|false|-?\d{1,20})\s*,\s*){0,8}"(?:records|value|items)"\s*:\s*\[/;
/** Text of an object after which it is known to be no envelope. */
const LONGEST_ENVELOPE_HEAD = 8_192;
const SPACE = /[\s,\ufeff]/;

interface State {
  /** `list`: between elements of an array; the number of closing brackets that end what is around. */
  mode: "between" | "object" | "garbage";
  buffer: string[];
  length: number;
  depth: number;
  isInString: boolean;
  isEscaped: boolean;
  isTooLong: boolean;
  isFirstOfLine: boolean;
  line: number;
  startLine: number;
  /** Objects around the list that are envelopes: their rest is skipped. */
  envelopes: number;
}

/** A splitter in its first state. */
export function createRecordSplitter({
  maxRecordLength = 4_194_304,
}: SplitterLimits = {}): RecordSplitter {
  const state: State = {
    mode: "between",
    buffer: [],
    length: 0,
    depth: 0,
    isInString: false,
    isEscaped: false,
    isTooLong: false,
    isFirstOfLine: true,
    line: 1,
    startLine: 1,
    envelopes: 0,
  };
  return {
    push(text) {
      const found: RecordPiece[] = [];
      scan(state, text, maxRecordLength, found);
      return found;
    },
    end() {
      if (state.mode !== "object") return [];
      state.mode = "between";
      return [{ kind: "broken", reason: "the text ends inside an object", line: state.startLine }];
    },
  };
}

function scan(state: State, text: string, maxRecordLength: number, found: RecordPiece[]): void {
  /** Where the part of the current object begins that is not in the buffer yet. */
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text.charAt(at);
    const isFirst = state.isFirstOfLine;
    state.isFirstOfLine = letter === "\n";
    if (letter === "\n") state.line += 1;
    if (state.mode === "object") {
      if (isFirst && letter === "{") {
        // No printer puts an inner object at the first column: the record before was cut.
        found.push({ kind: "broken", reason: "an object does not end", line: state.startLine });
        begin(state);
        from = at;
        continue;
      }
      if (step(state, letter)) {
        keep(state, text.slice(from, at + 1), maxRecordLength);
        found.push(pieceOf(state));
        state.mode = "between";
      } else if (letter === "[" && state.depth === 2 && !state.isInString) {
        keep(state, text.slice(from, at + 1), maxRecordLength);
        from = at + 1;
        if (isEnvelope(state)) {
          state.mode = "between";
          state.envelopes += 1;
        }
      }
      continue;
    }
    if (state.mode === "garbage") {
      if (letter === "\n") state.mode = "between";
      continue;
    }
    if (letter === "{") {
      begin(state);
      from = at;
    } else if (!between(state, letter)) {
      found.push({ kind: "broken", reason: "text that is no object", line: state.line });
      state.mode = "garbage";
    }
  }
  if (state.mode === "object") keep(state, text.slice(from), maxRecordLength);
}

/** Whether a character may stand between records. After an envelope's list the rest of it is skipped. */
function between(state: State, letter: string): boolean {
  if (SPACE.test(letter) || letter === "[") return true;
  if (letter === "]") return true;
  if (letter === "}" && state.envelopes > 0) {
    state.envelopes -= 1;
    return true;
  }
  // Fields after the list, such as "nextLink": simple, and without braces.
  return state.envelopes > 0;
}

function begin(state: State): void {
  state.mode = "object";
  state.buffer = [];
  state.length = 0;
  state.depth = 1;
  state.isInString = false;
  state.isEscaped = false;
  state.isTooLong = false;
  state.startLine = state.line;
}

/** One character inside an object; true when it closes it. The opening brace has been counted. */
function step(state: State, letter: string): boolean {
  if (state.isInString) {
    if (state.isEscaped) state.isEscaped = false;
    else if (letter === "\\") state.isEscaped = true;
    else if (letter === '"') state.isInString = false;
    return false;
  }
  if (letter === '"') state.isInString = true;
  else if (letter === "{" || letter === "[") state.depth += 1;
  else if (letter === "}" || letter === "]") {
    state.depth -= 1;
    return state.depth === 0;
  }
  return false;
}

function keep(state: State, part: string, maxRecordLength: number): void {
  state.length += part.length;
  if (state.length > maxRecordLength) {
    state.isTooLong = true;
    state.buffer = [];
  } else if (!state.isTooLong) state.buffer.push(part);
}

function isEnvelope(state: State): boolean {
  if (state.isTooLong || state.length > LONGEST_ENVELOPE_HEAD) return false;
  const head = state.buffer.join("");
  return ENVELOPE.test(head.slice(1)) && head.slice(1).replace(ENVELOPE, "") === "";
}

function pieceOf(state: State): RecordPiece {
  const { startLine: line } = state;
  if (state.isTooLong) return { kind: "broken", reason: "an object is too long", line };
  const text = state.buffer.join("");
  state.buffer = [];
  return { kind: "record", text, line };
}
