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

const maxMode = integer({ min: 0, max: 0o7777 });
const family = choice(["ipv4", "ipv6"]);

/** The form of every primitive that custom rules may use. */
export const CHECK_FORMS: { readonly [T in TestName]?: FieldsOf<T> } = {
  "account-password": { account: word, kinds: list(choice(["set", "empty", "locked"])) },
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
  "apparmor-enforced": {},
  "audit-found-paths": { paths: choice(["sudo-log", "setuid-programs"]) },
  "audit-lock": {},
  "audit-rules": {
    watches: optional(
      list(record({ path, permissions: word, isOptional: optional(boolean()) }), { maxItems: 64 }),
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
  banner: { files: paths },
  "execute-protection": {},
  firewall: { family, want: choice(["default-deny", "loopback", "established", "ports"]) },
  homes: {
    question: choice(["exists", "owner", "mode", "without", "file-mode"]),
    maxMode: optional(maxMode),
    names: optional(words),
    name: optional(word),
  },
  "inetd-off": { services: words },
  "ipv6-off": {},
  "kernel-argument": { name: word, expected },
  "kernel-file": {
    path,
    expected,
    whenMissing: optional(choice(["pass", "fail", "not-applicable"])),
  },
  "kernel-line": { word: pattern, want: choice(["some", "none"]), what: word },
  "login-defs": { key: word, expected, fallback: optional(word) },
  logrotate: {},
  "loopback-only": { ports: list(integer({ min: 1, max: 65_535 }), { maxItems: 64 }) },
  "mount-place": { types: words, paths },
  "password-age": {
    field: choice(["minDays", "maxDays", "warnDays", "inactiveDays"]),
    expected,
  },
  "process-label": { forbidden: pattern },
  "process-user": { names: words },
  "root-console": {},
  "root-path": {},
  rsyslog: { want: choice(["selectors", "file-mode", "forwards", "no-listener"]) },
  "shell-timeout": { atMostSeconds: integer({ min: 1 }) },
  "sshd-key-mode": { part: choice(["private", "public"]) },
  "sysctl-interfaces": {
    family,
    name: word,
    expected,
    inForce: choice(["smaller", "larger", "own"]),
    kernelDefaults: record({ all: word, default: word }),
  },
  "tree-mode": { path, maxMode },
  umask: { atLeast: integer({ min: 0, max: 0o777 }) },
  walk: {
    list: choice(["openFolders", "openFiles", "unknownUsers", "unknownGroups", "setuid", "setgid"]),
    what: word,
    allowed: optional(list(word, { maxItems: 256 })),
  },
  "wireless-off": {},
  "file-exists": { path },
  "file-mode": {
    path,
    maxMode,
    userId: optional(integer({ min: 0, max: 4_294_967_295 })),
    groups: optional(words),
  },
  lines: {
    files: paths,
    pattern,
    want: choice(["some", "none"]),
    what: word,
    comments: optional(text({ maxLength: 8 })),
    whenMissing: optional(choice(["pass", "fail", "not-applicable"])),
  },
  "module-blocked": { module: word, filesystem: optional(word) },
  mount: { path },
  "mount-option": { path, option: word },
  package: { names: words, want: choice(["installed", "absent"]) },
  pam: {
    services: words,
    type: choice(["auth", "account", "password", "session"]),
    modules: words,
    argument: optional(
      record({
        name: word,
        expected,
        file: optional(path),
        fallback: optional(word),
      }),
    ),
    mustRefuse: optional(boolean()),
  },
  "removable-option": { option: word },
  service: { units: words, want: choice(["enabled", "off"]) },
  setting: {
    files: paths,
    dropIns: optional(paths),
    section: optional(word),
    key: word,
    expected,
    fallback: optional(word),
  },
  sshd: { key: word, expected, fallback: optional(word), fixedSince: optional(word) },
  "sshd-any": { keys: words },
  sysctl: { key: word, expected, kernelDefault: optional(word) },
  "unit-line": { unit: word, key: word, pattern, what: word },
};

/** What a question about homes cannot do without. */
export const HOMES_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["mode", ["maxMode"]],
  ["without", ["names"]],
  ["file-mode", ["name", "maxMode"]],
]);
