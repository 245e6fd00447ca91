import type { JsonValue } from "../contract/json.ts";
import { parseJsonObject } from "../parse/json.ts";

const LEVEL_COLOURS: Readonly<Record<string, number>> = {
  error: 31,
  warn: 33,
  info: 36,
  debug: 90,
};
const GREY = 90;
/** Text that needs no quotes and can hide nothing. */
const PLAIN = /^[A-Za-z0-9_./:@+,%*()[\]-]+$/;
/**
 * What JSON leaves as it is and a terminal may obey: C1 controls, DEL, line separators, and the marks
 * that turn the direction of text. Source: ECMA-48; Unicode Standard Annex 9.
 */
const TERMINAL_CONTROLS = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * One JSON log line as a person reads it: `12:00:03.250 WARN  message  field=value field="two words"`,
 * time in UTC. Fields cannot inject line breaks or terminal commands. A line that is no JSON object is
 * returned as it is. Ends with a newline.
 */
export function logLineAsText(line: string, isColoured: boolean): string {
  const parsed = parseJsonObject(line, "log line");
  if (!parsed.ok) return line;
  const { level, time, msg, ...fields } = parsed.value;
  const paint = (colour: number, text: string): string =>
    isColoured ? `\u001b[${colour}m${text}\u001b[0m` : text;
  const levelName = typeof level === "string" ? level : "";
  const parts = [
    paint(GREY, typeof time === "string" ? time.slice(11, 23) : ""),
    paint(LEVEL_COLOURS[levelName] ?? GREY, levelName.toUpperCase().padEnd(5)),
    safeText(typeof msg === "string" ? msg : ""),
  ];
  const fieldTexts = Object.entries(fields).map(
    ([name, value]) => `${paint(GREY, `${safeText(name)}=`)}${fieldText(value)}`,
  );
  return `${parts.join(" ")}${fieldTexts.length === 0 ? "" : `  ${fieldTexts.join(" ")}`}\n`;
}

function fieldText(value: JsonValue | undefined): string {
  if (typeof value === "string" && PLAIN.test(value)) return value;
  return safeText(JSON.stringify(value) ?? "", false);
}

/** Text whose controls are spelled out; `isRaw` says that it did not come out of JSON.stringify. */
function safeText(text: string, isRaw = true): string {
  const escaped = isRaw ? JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"') : text;
  return escaped.replace(
    TERMINAL_CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
