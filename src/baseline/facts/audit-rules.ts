import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { linesOf, withoutComments } from "./config-text.ts";

/** A condition of a rule, such as `auid>=1000`, with values in one spelling. */
export interface AuditField {
  readonly name: string;
  readonly operator: string;
  readonly value: string;
}

/** A rule for system calls. A watch of a path is one as well: for all calls, with `path` and `perm`. */
export interface AuditRule {
  readonly action: string;
  readonly list: string;
  /** Empty: every call. */
  readonly calls: ReadonlySet<string>;
  /** `b64` or `b32`; undefined where the rule does not say. */
  readonly arch: string | undefined;
  /** Conditions but `arch` and `key`. */
  readonly fields: readonly AuditField[];
}

/** What is loaded into the kernel at the start. */
export interface AuditRules {
  readonly rules: readonly AuditRule[];
  /** Value of the `-e` that counts: 2 locks the rules. */
  readonly enabled: string | undefined;
  /** Whether rules follow the lock, which the kernel refuses. */
  readonly hasRulesAfterLock: boolean;
  /** Where the rules come from. */
  readonly source: string;
}

const FOLDER = "/etc/audit/rules.d";
const LOADED = "/etc/audit/audit.rules";
/** Options that set up the kernel instead of adding a rule, with a value. Source: auditctl(8). */
const SETTINGS = new Set([
  ...["-b", "-c", "-d", "-e", "-f", "-i", "-m", "-q", "-r", "-s", "-t", "-W", "-D"],
  ...["--backlog_wait_time", "--loginuid-immutable", "--reset-lost", "--signal"],
  "--reset_backlog_wait_time_actual",
]);
const ARCHES = new Map([
  ...["x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "riscv64"].map(
    (name) => [name, "b64"] as const,
  ),
  ...["i386", "i486", "i586", "i686", "arm", "armeb", "armv7l", "ppc", "s390"].map(
    (name) => [name, "b32"] as const,
  ),
]);
const ERRORS = new Map([
  ["-1", "-EPERM"],
  ["-13", "-EACCES"],
]);

/** Words of a line; quotes keep blanks together. */
function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replace(/["']/g, ""),
  );
}

function fieldOf(word: string): AuditField | undefined {
  const match = /^([a-z0-9_]+)(!=|>=|<=|&=|=|>|<|&)(.+)$/i.exec(word);
  if (match === null) return undefined;
  const [, rawName = "", operator = "", raw = ""] = match;
  const name = rawName.toLowerCase() === "loginuid" ? "auid" : rawName.toLowerCase();
  return { name, operator, value: plainValue(name, raw) };
}

function plainValue(name: string, raw: string): string {
  if (name === "auid" && /^(?:4294967295|-1|unset)$/i.test(raw)) return "unset";
  if (name === "exit") return ERRORS.get(raw) ?? raw.toUpperCase();
  if (name === "arch") return ARCHES.get(raw) ?? raw.toLowerCase();
  if (name === "perm") return [...new Set(raw.toLowerCase())].sort().join("");
  if (name === "uid" || name === "euid") return raw === "root" ? "0" : raw;
  return raw.length > 1 && /^(?:path|dir)$/.test(name) ? raw.replace(/\/+$/, "") : raw;
}

interface Draft {
  action: string;
  list: string;
  readonly calls: Set<string>;
  readonly fields: AuditField[];
}

/** Takes one option with its value into the draft; returns what is wrong with it. */
function take(draft: Draft, option: string, value: string): string | undefined {
  if (option === "-a" || option === "-A") {
    const [one = "", other = "", ...more] = value.split(",");
    const isAction = /^(?:always|never|possible)$/.test(one);
    draft.action = isAction ? one : other;
    draft.list = isAction ? other : one;
    const isGood = /^(?:always|never|possible)$/.test(draft.action) && more.length === 0;
    return isGood ? undefined : `${option} ${value}`;
  }
  if (option === "-w") {
    if (!value.startsWith("/")) return `-w ${value}`;
    draft.action = "always";
    draft.list = "exit";
    draft.fields.push({ name: "watch", operator: "=", value: plainValue("path", value) });
  } else if (option === "-p") {
    if (!/^[rwxa]+$/i.test(value)) return `-p ${value}`;
    draft.fields.push({ name: "perm", operator: "=", value: plainValue("perm", value) });
  } else if (option === "-S") {
    for (const call of value.split(",")) if (call !== "all" && call !== "") draft.calls.add(call);
  } else if (option === "-F") {
    const field = fieldOf(value);
    if (field === undefined) return `-F ${value}`;
    draft.fields.push(field);
  } else if (option === "-C") {
    draft.fields.push({ name: "comparison", operator: "=", value });
  } else if (option !== "-k") return option;
  return undefined;
}

/** A rule; undefined for a line that sets the kernel up; text: why it is neither. */
function ruleOf(words: readonly string[]): AuditRule | string | undefined {
  const [first = ""] = words;
  if (SETTINGS.has(first.split("=")[0] ?? "")) return undefined;
  const draft: Draft = { action: "", list: "", calls: new Set(), fields: [] };
  for (let at = 0; at < words.length; at += 2) {
    const value = words[at + 1];
    if (value === undefined) return `${words[at]} without a value`;
    const fault = take(draft, words[at] ?? "", value);
    if (fault !== undefined) return `${fault} is not understood`;
  }
  if (draft.action === "") return "neither -a nor -w";
  return {
    action: draft.action,
    list: draft.list === "entry" ? "exit" : draft.list,
    calls: draft.calls,
    arch: draft.fields.find(({ name, operator }) => name === "arch" && operator === "=")?.value,
    fields: draft.fields.filter(({ name }) => name !== "arch" && name !== "key"),
  };
}

/** Files in the order in which augenrules joins them; without them the file that it would make. */
function filesOf(device: Device): Fact<readonly string[]> {
  const names = device.folder(FOLDER);
  if (names.state === "unreadable") return names;
  const own = (names.state === "value" ? names.value : []).filter((name) => /\.rules$/.test(name));
  if (own.length > 0) return valueFact([...own].sort().map((name) => `${FOLDER}/${name}`));
  return mapFact(device.facts(LOADED), () => [LOADED]);
}

/**
 * Rules that the next start loads. augenrules joins the files of rules.d, moves the last `-e` to the end
 * and drops every `-D` but one at the start. Missing: no file. Source: augenrules(8), audit.rules(7).
 */
export const auditRules = oncePerDevice((device): Fact<AuditRules> => {
  const files = filesOf(device);
  if (files.state !== "value") return files;
  const isJoined = files.value[0] !== LOADED;
  let rules: AuditRule[] = [];
  let enabled: string | undefined;
  let hasRulesAfterLock = false;
  for (const path of files.value) {
    const text = device.text(path);
    if (text.state === "unreadable") return text;
    if (text.state === "missing") continue;
    for (const { text: line, number } of withoutComments(linesOf(path, text.value))) {
      const words = wordsOf(line);
      if (words[0] === "-e") enabled = words[1];
      if (words[0] === "-D" && !isJoined) rules = [];
      const rule = ruleOf(words);
      if (typeof rule === "string") return unreadableFact(`${path}, line ${number}: ${rule}`);
      if (rule === undefined) continue;
      rules.push(rule);
      if (!isJoined && enabled === "2") hasRulesAfterLock = true;
    }
  }
  if (files.value.length === 0) return MISSING;
  return valueFact({ rules, enabled, hasRulesAfterLock, source: isJoined ? FOLDER : LOADED });
});
