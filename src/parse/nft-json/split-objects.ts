/** Offsets of an object in the text; `to` is behind its closing bracket. */
export interface ObjectSpan {
  readonly from: number;
  readonly to: number;
}

/** The objects of the one list that nft writes. */
export interface ObjectSplit {
  readonly objects: readonly ObjectSpan[];
  /** False when the list does not end: the text was cut, or is something else. */
  readonly isEnded: boolean;
  /** What is wrong then. */
  readonly fault: string;
  /** Offset where it shows; absent for a text that ends too early. */
  readonly faultAt?: number;
}

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Finds the objects in `{"nftables": [ … ]}` in one pass, without parsing them. */
export function splitObjects(text: string): ObjectSplit {
  const start = /^\s*\{\s*"nftables"\s*:\s*\[/.exec(text);
  if (start === null) {
    const fault = "does not begin as a rule set of nft does";
    return { objects: [], isEnded: false, fault, faultAt: 0 };
  }
  const objects: ObjectSpan[] = [];
  let depth = 0;
  let from = 0;
  for (let at = start[0].length; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (depth === 0) from = at;
      depth += 1;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (depth === 0) {
        const isEnded = code === CLOSE_LIST;
        return { objects, isEnded, fault: "a stray bracket", faultAt: at };
      }
      depth -= 1;
      if (depth === 0) objects.push({ from, to: at + 1 });
    }
  }
  return { objects, isEnded: false, fault: `ends after ${objects.length} whole objects` };
}

/** Offset of the closing quote, or of the end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at;
  }
  return text.length;
}
