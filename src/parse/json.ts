import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { fail, ok, type Result } from "../contract/result.ts";

export interface JsonLimits {
  /** UTF-16 units of text; default 1 Mi. */
  readonly maxLength?: number;
  /** Nesting of objects and arrays; default 32. */
  readonly maxDepth?: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Deepest nesting of brackets outside strings, without parsing: hostile text must not cost a stack. */
function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) isInString = false;
    } else if (code === QUOTE) isInString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return deepest;
}

/**
 * Parses JSON text of any origin within bounds. The only place that calls `JSON.parse`.
 * `subject` names the text in the problem. Errors: `too-large` (length or depth), `malformed`.
 * A `__proto__` key is refused as malformed, so that no merge can reach a prototype.
 * Source: RFC 8259.
 */
export function parseJson(
  text: string,
  subject: string,
  limits: JsonLimits = {},
): Result<JsonValue> {
  const maxLength = limits.maxLength ?? 1_048_576;
  const maxDepth = limits.maxDepth ?? 32;
  if (text.length > maxLength) {
    return fail("too-large", subject, `${text.length} characters of JSON; at most ${maxLength}`);
  }
  if (nestingDepth(text) > maxDepth) {
    return fail("too-large", subject, `JSON nested deeper than ${maxDepth} levels`);
  }
  try {
    const value: JsonValue = JSON.parse(text, refusePrototype);
    return ok(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : "not JSON";
    return fail("malformed", subject, withoutQuotedText(reason));
  }
}

const PROTOTYPE_REFUSED = "the key __proto__ is not allowed";

function refusePrototype(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new SyntaxError(PROTOTYPE_REFUSED);
  return value;
}

/** V8 quotes the text around an error; the text may be a secret, so only the position is kept. */
function withoutQuotedText(reason: string): string {
  const position = /position \d+( \(line \d+ column \d+\))?/.exec(reason);
  if (position !== null) return `not JSON at ${position[0]}`;
  return reason === PROTOTYPE_REFUSED ? reason : "not JSON";
}

/** As `parseJson`, for text that must be an object. */
export function parseJsonObject(
  text: string,
  subject: string,
  limits: JsonLimits = {},
): Result<JsonObject> {
  const parsed = parseJson(text, subject, limits);
  if (!parsed.ok) return parsed;
  if (isJsonObject(parsed.value)) return ok(parsed.value);
  return fail("malformed", subject, "JSON, but not an object");
}
