import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { expandGlob } from "../glob.ts";
import { linesOf, withoutComments } from "./config-text.ts";

export interface SshdValue {
  readonly value: string;
  /** File that sets it. */
  readonly path: string;
}

export interface SshdConfig {
  /** First value of each key in lower case, outside of Match blocks. */
  readonly values: ReadonlyMap<string, SshdValue>;
  /** Values inside Match blocks, which some connections get instead. */
  readonly inMatch: readonly (SshdValue & { readonly key: string })[];
}

const MAIN = "/etc/ssh/sshd_config";
/** What the vendor brings where nobody wrote the other one. Source: openSUSE openssh package. */
const VENDOR_MAIN = "/usr/etc/ssh/sshd_config";
/** Source: OpenSSH servconf.c, SERVCONF_MAX_DEPTH. */
const MAX_DEPTH = 16;
/** Keys whose values add up instead of the first one counting. Source: sshd_config(5). */
const LISTS = new Set([
  "allowusers",
  "allowgroups",
  "denyusers",
  "denygroups",
  "hostkey",
  "port",
  "listenaddress",
  "acceptenv",
]);

const PROGRAMS = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"];

interface Reading {
  readonly device: Device;
  readonly values: Map<string, SshdValue>;
  readonly inMatch: (SshdValue & { readonly key: string })[];
}

/** `Key value`, `Key=value`, `Key "value"`. Source: sshd_config(5). */
function splitLine(line: string): readonly [key: string, value: string] {
  const [, key = "", rest = ""] = /^([^\s=]+)(?:\s*=\s*|\s+)?(.*)$/.exec(line) ?? [];
  const value = rest.replace(/\s+#.*$/, "").trim();
  return [key.toLowerCase(), value.replace(/^"(.*)"$/, "$1")];
}

/** Reads one file; returns why it cannot be read, or whether a Match block is open at its end. */
function readFile(
  reading: Reading,
  path: string,
  depth: number,
  isInMatch: boolean,
): string | boolean {
  if (depth > MAX_DEPTH) return `${path}: more than ${MAX_DEPTH} nested Include lines`;
  const text = reading.device.text(path);
  if (text.state === "unreadable") return text.reason;
  if (text.state === "missing") return isInMatch;
  let isMatch = isInMatch;
  for (const { text: line, number } of withoutComments(linesOf(path, text.value))) {
    const [key, value] = splitLine(line);
    if (!/^[a-z0-9]+$/.test(key)) return `${path}, line ${number}: no keyword`;
    if (value === "") return `${path}, line ${number}: ${key} without a value`;
    // A file that a Match block includes never gets out of that block.
    if (key === "match") isMatch = isInMatch || value.toLowerCase() !== "all";
    else if (key === "include") {
      const failure = readIncludes(reading, value, depth, isMatch);
      if (failure !== undefined) return failure;
    } else if (isMatch) reading.inMatch.push({ key, value, path });
    else keep(reading.values, key, { value, path });
  }
  return isMatch;
}

/** A Match block inside an included file ends with that file. Source: sshd_config(5), Include. */
function readIncludes(
  reading: Reading,
  patterns: string,
  depth: number,
  isMatch: boolean,
): string | undefined {
  for (const pattern of patterns.split(/\s+/)) {
    const absolute = pattern.startsWith("/") ? pattern : `/etc/ssh/${pattern}`;
    const paths = expandGlob(reading.device, absolute);
    if (paths.state === "unreadable") return paths.reason;
    for (const path of paths.state === "value" ? paths.value : []) {
      const end = readFile(reading, path, depth + 1, isMatch);
      if (typeof end === "string") return end;
    }
  }
  return undefined;
}

function keep(values: Map<string, SshdValue>, key: string, found: SshdValue): void {
  const before = values.get(key);
  if (before === undefined) values.set(key, found);
  else if (LISTS.has(key)) values.set(key, { ...before, value: `${before.value} ${found.value}` });
}

/** The server's configuration as sshd reads it. Missing: no SSH server here. */
export const sshdConfig = oncePerDevice((device): Fact<SshdConfig> => {
  const [first] = [MAIN, VENDOR_MAIN, ...PROGRAMS].filter(
    (path) => device.facts(path).state !== "missing",
  );
  if (first === undefined) return MISSING;
  const main = first === VENDOR_MAIN ? VENDOR_MAIN : MAIN;
  const reading: Reading = { device, values: new Map(), inMatch: [] };
  const end = readFile(reading, main, 0, false);
  if (typeof end === "string") return unreadableFact(end);
  return valueFact({ values: reading.values, inMatch: reading.inMatch });
});
