import type { RsyslogStatement } from "./rsyslog.ts";

const PRIORITIES = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const ALIASES = new Map([
  ["panic", "emerg"],
  ["error", "err"],
  ["warn", "warning"],
]);
const ERROR = PRIORITIES.indexOf("err");

/** `selector action` of a legacy line. */
function split(text: string): readonly [selector: string, action: string] | undefined {
  const match = /^([\w*,]+\.[\w*,;.!=]+)\s+(\S.*)$/.exec(text);
  return match === null ? undefined : [match[1] ?? "", match[2] ?? ""];
}

/** Whether errors of a facility pass a selector; later parts overrule. Source: rsyslog.conf(5), selectors. */
function selects(selector: string, facility: string): boolean {
  let isIn = false;
  for (const part of selector.toLowerCase().split(";")) {
    const dot = part.indexOf(".");
    const names = part.slice(0, dot).split(",");
    if (!names.includes("*") && !names.includes(facility)) continue;
    const [, not, exact, word = ""] = /^(!?)(=?)(.*)$/.exec(part.slice(dot + 1)) ?? [];
    if (word === "none") {
      isIn = false;
      continue;
    }
    const limit = PRIORITIES.indexOf(ALIASES.get(word) ?? word);
    const isHit = word === "*" || (exact === "=" ? limit === ERROR : limit >= ERROR);
    if (isHit) isIn = not !== "!";
  }
  return isIn;
}

/** Whether an action keeps or sends what it gets. Terminals, pipes of nobody and `stop` do not. */
function isKept(action: string): boolean {
  if (/^-?\/dev\//.test(action)) return false;
  if (/^-?\/|^@|^\||^\?|^\^/.test(action)) return true;
  if (/^:om(?!usrmsg)\w+:/i.test(action)) return true;
  const type = /^action\s*\(.*?\btype\s*=\s*"([^"]+)"/i.exec(action)?.[1];
  return type !== undefined && !/^(?:omusrmsg|omdiscard)$/i.test(type);
}

/** Which facilities' errors reach a file or a host. */
export function keptFacilities(
  statements: readonly RsyslogStatement[],
  facilities: readonly string[],
): ReadonlySet<string> {
  const kept = new Set<string>();
  const dropped = new Set<string>();
  for (const { text, isInBlock } of statements) {
    if (isInBlock) continue;
    const [selector, action] = split(text) ?? (isKept(text) ? ["*.*", text] : []);
    if (selector === undefined || action === undefined) continue;
    const isDropping = /^(?:~|stop\b)/.test(action);
    for (const facility of facilities) {
      if (dropped.has(facility) || !selects(selector, facility)) continue;
      if (isDropping) dropped.add(facility);
      else if (isKept(action)) kept.add(facility);
    }
  }
  return kept;
}
