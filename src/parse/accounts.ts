/** A line of a file that could not be used. It never quotes the line: shadow files hold secrets. */
export interface LineFault {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
}

export interface ParsedLines<T> {
  readonly entries: readonly T[];
  readonly faults: readonly LineFault[];
}

/**
 * What a password field allows. `shadow`: look into /etc/shadow; `empty`: no password is asked for;
 * `locked`: nothing that crypt(3) can produce, so no password fits; `set`: a password hash.
 */
export type PasswordState = "shadow" | "empty" | "locked" | "set";

/** One line of /etc/passwd. Source: passwd(5). */
export interface Account {
  readonly name: string;
  readonly password: PasswordState;
  /** Hash method, where the hash itself stands in /etc/passwd. */
  readonly scheme?: string;
  readonly userId: number;
  readonly groupId: number;
  readonly home: string;
  /** Empty means /bin/sh. */
  readonly shell: string;
}

/** One line of /etc/group. Source: group(5). */
export interface Group {
  readonly name: string;
  readonly groupId: number;
  readonly members: readonly string[];
}

/** One line of /etc/shadow, without the hash. Source: shadow(5), crypt(5). */
export interface ShadowEntry {
  readonly name: string;
  readonly password: PasswordState;
  /** Hash method of a set password, such as `yescrypt`. */
  readonly scheme?: string;
  /** Days since the epoch on which the account expires. */
  readonly expiresOnDay?: number;
}

const LARGEST_ID = 0xffff_ffff;

/** One field of a known maximum, as glibc's files module reads it; undefined when it is no number. */
function parseId(field: string | undefined): number | undefined {
  const digits = field?.trim() ?? "";
  if (!/^\d{1,10}$/.test(digits)) return undefined;
  const id = Number(digits);
  return id <= LARGEST_ID ? id : undefined;
}

/** Reads colon-separated lines as glibc does: leading blanks, empty lines and comments are skipped. */
function parseLines<T>(
  text: string,
  read: (fields: readonly string[]) => T | string,
): ParsedLines<T> {
  const entries: T[] = [];
  const faults: LineFault[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trimStart();
    // "+" and "-" lines are compatibility entries of the name service switch, not local accounts.
    if (line === "" || /^[#+-]/.test(line)) continue;
    const found = line.includes("\0") ? "contains a NUL byte" : read(line.split(":"));
    if (typeof found === "string") faults.push({ line: index + 1, reason: found });
    else entries.push(found);
  }
  return { entries, faults };
}

/**
 * Accounts of /etc/passwd in file order; lines the C library would not use are faults. Fields after
 * the group id may be missing, because the C library accepts that: an account must not hide this way.
 * Source: passwd(5); glibc nss/nss_files/files-pwd.c and fgetpwent_r.
 */
export function parsePasswd(text: string): ParsedLines<Account> {
  return parseLines<Account>(text, (fields) => {
    const [name = "", password = "", uid, gid, , home = "", ...shell] = fields;
    if (name === "") return "no user name";
    if (fields.length < 4) return `${fields.length} of 7 fields`;
    const userId = parseId(uid);
    const groupId = parseId(gid);
    if (userId === undefined) return "the user id is no number";
    if (groupId === undefined) return "the group id is no number";
    const state = password === "x" ? "shadow" : passwordState(password);
    return {
      name,
      password: state,
      ...(state === "set" ? { scheme: schemeOf(password) } : {}),
      userId,
      groupId,
      home,
      shell: shell.join(":").trimEnd(),
    };
  });
}

/** Groups of /etc/group in file order. Source: group(5); glibc grp/fgetgrent_r. */
export function parseGroups(text: string): ParsedLines<Group> {
  return parseLines<Group>(text, (fields) => {
    const [name = "", , gid, members = ""] = fields;
    if (name === "") return "no group name";
    if (fields.length < 3) return `${fields.length} of 4 fields`;
    const groupId = parseId(gid);
    if (groupId === undefined) return "the group id is no number";
    return {
      name,
      groupId,
      members: members
        .split(",")
        .map((member) => member.trim())
        .filter((member) => member !== ""),
    };
  });
}

/** Entries of /etc/shadow in file order, without any hash. Source: shadow(5). */
export function parseShadow(text: string): ParsedLines<ShadowEntry> {
  return parseLines<ShadowEntry>(text, (fields) => {
    const [name = "", password = ""] = fields;
    if (name === "") return "no user name";
    if (fields.length < 2) return `${fields.length} of 9 fields`;
    const state = passwordState(password);
    const scheme = state === "set" ? schemeOf(password) : undefined;
    const expiresOnDay = parseId(fields[7]);
    return {
      name,
      password: state,
      ...(scheme === undefined ? {} : { scheme }),
      ...(expiresOnDay === undefined ? {} : { expiresOnDay }),
    };
  });
}

/** Prefixes of crypt(3) results. Source: crypt(5). */
const SCHEMES: readonly (readonly [prefix: string, scheme: string])[] = [
  ["$y$", "yescrypt"],
  ["$gy$", "gost-yescrypt"],
  ["$7$", "scrypt"],
  ["$2a$", "bcrypt"],
  ["$2b$", "bcrypt"],
  ["$2x$", "bcrypt"],
  ["$2y$", "bcrypt"],
  ["$6$", "sha512"],
  ["$5$", "sha256"],
  ["$sha1", "sha1"],
  ["$md5", "sunmd5"],
  ["$1$", "md5"],
  ["$3$", "nt"],
  ["_", "bsdi-des"],
];

function schemeOf(password: string): string {
  return (
    SCHEMES.find(([prefix]) => password.startsWith(prefix))?.[1] ?? traditionalScheme(password)
  );
}

function traditionalScheme(password: string): string {
  return password.startsWith("$") ? "other" : "des";
}

/** crypt(3) yields `$…`, `_…` or exactly 13 characters of its alphabet; nothing else ever matches. */
function passwordState(field: string): PasswordState {
  if (field === "") return "empty";
  if (/^\$[^!*:]+$/.test(field) || /^_[./0-9A-Za-z]{19}$/.test(field)) return "set";
  return /^[./0-9A-Za-z]{13}$/.test(field) ? "set" : "locked";
}

/** Numbers and words of /etc/login.defs by key; the last one wins. Source: login.defs(5). */
export function parseLoginDefs(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Z_]{1,64})\s+(\S{1,256})/.exec(line.slice(0, 512));
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], match[2]);
  }
  return values;
}

/** User ids that login.defs gives to people; its documented defaults where a value is missing. */
export function personalUserIds(loginDefs: ReadonlyMap<string, string>): {
  readonly min: number;
  readonly max: number;
} {
  return {
    min: parseId(loginDefs.get("UID_MIN")) ?? 1000,
    max: parseId(loginDefs.get("UID_MAX")) ?? 60_000,
  };
}
