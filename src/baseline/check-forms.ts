import {
  boolean,
  choice,
  integer,
  list,
  optional,
  record,
  type Schema,
  text,
} from "../contract/schema.ts";
import { patternFault } from "./pattern-fault.ts";
import type { PrimitiveCheck } from "./primitives/judge.ts";

/** Name of a primitive, as `test` gives it. */
export type TestName = PrimitiveCheck["test"];

/** Keys of each member of a union. */
type KeysOf<U> = U extends unknown ? keyof U : never;

/** The fields of one primitive besides `test`, each with its form. */
type FieldsOf<T extends TestName> = {
  readonly [K in Exclude<
    KeysOf<Extract<PrimitiveCheck, { readonly test: T }>>,
    "test"
  >]-?: Schema<unknown>;
};

const MAX_PATH = 1_024;

const path = text({
  maxLength: MAX_PATH,
  form: "an absolute path",
  accepts: (value) => value.startsWith("/") && !/[\0\n]|(?:^|\/)\.\.(?:\/|$)/.test(value),
});
const word = text({
  maxLength: 256,
  form: "text of 1 to 256 characters",
  accepts: (value) => value !== "",
});
const pattern = patternText();
const words = list(word, { maxItems: 64 });
const values = list(text({ maxLength: 256 }), { maxItems: 64 });
const paths = list(path, { maxItems: 64 });
const mode = integer({ min: 0, max: 0o7777 });
/** The only value of marks that are there or not. */
const yes = onlyTrue();

function onlyTrue(): Schema<boolean> {
  const either = boolean();
  return {
    ...either,
    expected: "true, or nothing",
    read(input, faults, where = "", fallback) {
      if (input === true) return true;
      faults.push({ path: where, kind: "type", found: "it", expected: "true, or nothing" });
      return fallback ?? false;
    },
  };
}

function isPermissions(letters: string): boolean {
  return /^[rwxa]{1,4}$/.test(letters);
}

/** A regular expression that cannot run away. */
function patternText(): Schema<string> {
  const plain = text({ maxLength: 10_000 });
  const expected = "a regular expression whose time is bounded";
  return {
    ...plain,
    expected,
    read(input, faults, where = "", fallback) {
      const value = plain.read(input, faults, where, fallback);
      const fault = typeof value === "string" ? patternFault(value) : undefined;
      if (fault === undefined) return value;
      const found = JSON.stringify(value).slice(0, 80);
      faults.push({ path: where, kind: "bound", found, expected: `${expected}; ${fault}` });
      return value;
    },
  };
}

const expected = record({
  oneOf: optional(values),
  noneOf: optional(values),
  atLeast: optional(integer()),
  atMost: optional(integer()),
  pattern: optional(pattern),
  onlyOf: optional(words),
  withoutAny: optional(words),
});

/** The form of every primitive that custom rules may use. */
export const CHECK_FORMS: { readonly [T in TestName]?: FieldsOf<T> } = {
  accounts: {
    question: choice([
      "empty-passwords",
      "further-roots",
      "root-group",
      "system-logins",
      "changed-in-future",
      "unknown-groups",
      "same-user-ids",
      "same-group-ids",
      "same-user-names",
      "same-group-names",
      "shadow-group",
    ]),
  },
  "audit-found-paths": { paths: choice(["sudo-log", "setuid-programs"]) },
  "audit-lock": {},
  "audit-rules": {
    watches: optional(
      list(
        record({
          path,
          permissions: text({ maxLength: 4, form: "letters of rwxa", accepts: isPermissions }),
          isOptional: optional(yes),
        }),
        { maxItems: 64 },
      ),
    ),
    calls: optional(
      list(
        record({
          calls: words,
          fields: optional(words),
          table: optional(choice(["native", "b32"])),
        }),
        { maxItems: 64 },
      ),
    ),
  },
  "account-password": { account: word, kinds: list(choice(["set", "empty", "locked"])) },
  "apparmor-enforced": {},
  banner: { files: paths },
  "execute-protection": {},
  "file-exists": { path },
  "file-mode": {
    path,
    maxMode: mode,
    userId: optional(integer({ min: 0, max: 4_294_967_295 })),
    groups: optional(words),
  },
  firewall: {
    family: choice(["ipv4", "ipv6"]),
    want: choice(["default-deny", "loopback", "established", "ports"]),
  },
  homes: {
    question: choice(["exists", "owner", "mode", "without", "file-mode"]),
    maxMode: optional(mode),
    names: optional(words),
    name: optional(word),
  },
  "ipv6-off": {},
  "kernel-argument": { name: word, expected },
  "inetd-off": { services: words },
  "kernel-file": {
    path,
    expected,
    whenMissing: optional(choice(["pass", "fail", "not-applicable"])),
  },
  "kernel-line": { word: pattern, want: choice(["some", "none"]), what: word },
  lines: {
    files: paths,
    pattern,
    want: choice(["some", "none"]),
    what: word,
    comments: optional(text({ maxLength: 8 })),
    whenMissing: optional(choice(["pass", "fail", "not-applicable"])),
  },
  "login-defs": { key: word, expected, fallback: optional(word) },
  logrotate: {},
  "loopback-only": { ports: list(integer({ min: 1, max: 65_535 }), { maxItems: 64 }) },
  "module-blocked": { module: word, filesystem: optional(word) },
  mount: { path },
  "mount-option": { path, option: word },
  "mount-place": { types: words, paths },
  package: { names: words, want: choice(["installed", "absent"]) },
  pam: {
    services: words,
    type: choice(["auth", "account", "password", "session"]),
    modules: words,
    mustRefuse: optional(yes),
    argument: optional(
      record({
        name: word,
        expected,
        file: optional(path),
        fallback: optional(word),
      }),
    ),
  },
  "password-age": {
    field: choice(["minDays", "maxDays", "warnDays", "inactiveDays"]),
    expected,
  },
  "process-label": { forbidden: pattern },
  "process-user": { names: words },
  "removable-option": { option: word },
  "root-console": {},
  "root-path": {},
  rsyslog: { want: choice(["selectors", "file-mode", "forwards", "no-listener"]) },
  service: { units: words, want: choice(["enabled", "off"]) },
  setting: {
    files: paths,
    dropIns: optional(paths),
    section: optional(word),
    key: word,
    expected,
    fallback: optional(word),
  },
  "shell-timeout": { atMostSeconds: integer({ min: 1, max: 31_536_000 }) },
  sshd: {
    key: word,
    expected,
    fallback: optional(word),
    fixedSince: optional(word),
  },
  "sshd-any": { keys: words },
  "sshd-key-mode": { part: choice(["private", "public"]) },
  sysctl: { key: word, expected, kernelDefault: optional(word) },
  "sysctl-interfaces": {
    family: choice(["ipv4", "ipv6"]),
    name: word,
    expected,
    inForce: choice(["smaller", "larger", "own"]),
    kernelDefaults: record({ all: word, default: word }),
  },
  "tree-mode": { path, maxMode: mode },
  umask: { atLeast: mode },
  "unit-line": { unit: word, key: word, pattern, what: word },
  walk: {
    list: choice(["openFolders", "openFiles", "unknownUsers", "unknownGroups", "setuid", "setgid"]),
    what: word,
    allowed: optional(list(word, { maxItems: 512 })),
  },
  "wireless-off": {},
};

/** Fields that one answer to `question` needs, and another does not. */
export const NEEDED_BY_QUESTION: ReadonlyMap<string, readonly string[]> = new Map([
  ["mode", ["maxMode"]],
  ["without", ["names"]],
  ["file-mode", ["name", "maxMode"]],
]);
