import {
  abandonedSnapshot,
  type CollectorContext,
  type Snapshot,
} from "../../src/contract/collector.ts";
import { knownDetails, type PayloadItem } from "../../src/contract/event.ts";
import type { Probe } from "../../src/contract/probe.ts";
import type { Problem, Result } from "../../src/contract/result.ts";
import type { Infer } from "../../src/contract/schema.ts";
import {
  type Account,
  type Group,
  type LineFault,
  type ParsedLines,
  parseGroups,
  parseLoginDefs,
  parsePasswd,
  parseShadow,
  personalUserIds,
  type ShadowEntry,
} from "../../src/parse/accounts.ts";
import { plainText } from "../../src/parse/plain-text.ts";
import { keysInHome } from "./authorized-keys.ts";
import { effectivePassword, hasPasswordText, isRefusingShell, judgeLogIn } from "./log-in.ts";
import type { localUsersSettings } from "./schema.ts";

type Context = CollectorContext<Infer<typeof localUsersSettings>>;

const ADMINISTRATOR_GROUPS = new Set(["root", "sudo", "wheel", "admin"]);
const DAY_MS = 86_400_000;
/** Most malformed lines of one file told one by one. */
const MOST_FAULTS = 5;
const ACCOUNTS_PER_PORTION = 100;
/** Longest list of groups in one field, UTF-16 units: the event must stay bounded. */
const LONGEST_GROUPS = 16_384;

interface Files {
  readonly accounts: readonly Account[];
  readonly groups: readonly Group[];
  /** Undefined when /etc/shadow could not be read. */
  readonly shadow: ReadonlyMap<string, ShadowEntry> | undefined;
  readonly personal: { readonly min: number; readonly max: number };
  readonly problems: readonly Problem[];
}

/** The accounts of /etc/passwd with their groups, and whether they can be used to log in. */
export async function collectLocalUsers(context: Context): Promise<Snapshot> {
  if (context.signal.aborted) return abandonedSnapshot("/etc/passwd");
  const read = readFiles(context.probe);
  if (!read.ok) return { events: [], problems: [read.problem] };
  const files = read.value;
  const memberships = groupsByMember(files.groups);
  const groupNames = namesById(files.groups);
  const today = Math.floor(context.clock.nowMs() / DAY_MS);
  const payload: PayloadItem[] = [];
  let unreadHomes = 0;
  for (const [index, account] of files.accounts.entries()) {
    if (index % ACCOUNTS_PER_PORTION === ACCOUNTS_PER_PORTION - 1) await context.pause();
    if (context.signal.aborted) return abandonedSnapshot("/etc/passwd");
    const keys = keysOf(context, account);
    if (keys === "unreadable") unreadHomes += 1;
    const groups = groupsOf(account, memberships.get(account.name) ?? [], groupNames);
    payload.push(itemOf(account, groups, files, { keys, today }));
  }
  const problems = [...files.problems, ...unreadKeys(unreadHomes)];
  return { events: [{ name: "LocalUsers", payload }], problems };
}

/** A file that is absent is empty; one that cannot be read is a problem. */
function readFiles(probe: Probe): Result<Files> {
  const passwd = readLines(probe, "/etc/passwd", parsePasswd);
  if (!passwd.ok) return passwd;
  const group = readLines(probe, "/etc/group", parseGroups);
  const shadow = readLines(probe, "/etc/shadow", parseShadow);
  const loginDefs = probe.readText("/etc/login.defs");
  const problems = [
    ...faultProblems("/etc/passwd", passwd.value.faults),
    ...(group.ok ? faultProblems("/etc/group", group.value.faults) : [group.problem]),
    ...(shadow.ok
      ? faultProblems("/etc/shadow", shadow.value.faults)
      : [shadowProblem(shadow.problem)]),
    ...(loginDefs.ok || loginDefs.problem.code === "not-found" ? [] : [loginDefs.problem]),
  ];
  const accounts = [...passwd.value.entries].sort(
    (a, b) => a.userId - b.userId || compareText(a.name, b.name),
  );
  return {
    ok: true,
    value: {
      accounts,
      groups: group.ok ? group.value.entries : [],
      shadow: shadow.ok ? firstByName(shadow.value.entries) : undefined,
      personal: personalUserIds(parseLoginDefs(loginDefs.ok ? loginDefs.value : "")),
      problems,
    },
  };
}

function readLines<T>(
  probe: Probe,
  path: string,
  parse: (text: string) => ParsedLines<T>,
): Result<ParsedLines<T>> {
  const text = probe.readText(path);
  if (text.ok) return { ok: true, value: parse(text.value) };
  if (text.problem.code !== "not-found") return text;
  return { ok: true, value: { entries: [], faults: [] } };
}

function faultProblems(path: string, faults: readonly LineFault[]): readonly Problem[] {
  const told: Problem[] = faults.slice(0, MOST_FAULTS).map((fault) => ({
    code: "malformed",
    subject: `${path} line ${fault.line}`,
    detail: fault.reason,
  }));
  const rest = faults.length - told.length;
  if (rest > 0) {
    told.push({ code: "malformed", subject: path, detail: `${rest} further malformed lines` });
  }
  return told;
}

function shadowProblem(problem: Problem): Problem {
  if (problem.code !== "not-permitted") return problem;
  const detail = "password states are unknown; CAP_DAC_READ_SEARCH or group shadow shows them";
  return { ...problem, detail };
}

/** The C library answers with the first of several entries of one name. */
function firstByName(entries: readonly ShadowEntry[]): ReadonlyMap<string, ShadowEntry> {
  const byName = new Map<string, ShadowEntry>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return byName;
}

function groupsByMember(groups: readonly Group[]): ReadonlyMap<string, readonly Group[]> {
  const byMember = new Map<string, Group[]>();
  for (const group of groups) {
    for (const member of new Set(group.members)) {
      const known = byMember.get(member);
      if (known === undefined) byMember.set(member, [group]);
      else known.push(group);
    }
  }
  return byMember;
}

function namesById(groups: readonly Group[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const group of groups) if (!names.has(group.groupId)) names.set(group.groupId, group.name);
  return names;
}

type GroupRef = Pick<Group, "name" | "groupId">;

/** Primary group first, then the others by id. */
function groupsOf(
  account: Account,
  memberships: readonly Group[],
  names: ReadonlyMap<number, string>,
): readonly GroupRef[] {
  const primary = {
    groupId: account.groupId,
    name: names.get(account.groupId) ?? String(account.groupId),
  };
  const others = memberships
    .filter((group) => group.groupId !== account.groupId)
    .sort((a, b) => a.groupId - b.groupId || compareText(a.name, b.name));
  return [primary, ...others];
}

type KeyCount = number | "unreadable" | "not-looked-at";

/** Keys of an account that no shell would let in are of no use, so its home stays untouched. */
function keysOf(context: Context, account: Account): KeyCount {
  if (!context.settings.countAuthorizedKeys || isRefusingShell(account.shell)) {
    return "not-looked-at";
  }
  return keysInHome(context.probe, account.home) ?? "unreadable";
}

function itemOf(
  account: Account,
  groups: readonly GroupRef[],
  files: Files,
  facts: { readonly keys: KeyCount; readonly today: number },
): PayloadItem {
  const entry = files.shadow?.get(account.name);
  const password = effectivePassword(account.password, account.name, files.shadow);
  const authorizedKeys = typeof facts.keys === "number" ? facts.keys : undefined;
  const hasExpired = entry?.expiresOnDay !== undefined && entry.expiresOnDay <= facts.today;
  const { canLogIn, reason } = judgeLogIn({
    shell: account.shell,
    password,
    hasExpired,
    authorizedKeys,
  });
  const isAdministrator =
    account.userId === 0 || groups.some((group) => ADMINISTRATOR_GROUPS.has(group.name));
  const isSystem = account.userId < files.personal.min || account.userId > files.personal.max;
  return {
    UserName: plainText(account.name),
    UserId: String(account.userId),
    GroupNames: joined(groups.map((group) => plainText(group.name).replaceAll(";", "\ufffd"))),
    GroupIds: joined(groups.map((group) => String(group.groupId))),
    ...knownDetails({
      HomeDirectory: plainText(account.home, 1024),
      Shell: plainText(account.shell === "" ? "/bin/sh" : account.shell, 1024),
      CanLogIn: canLogIn,
      CanLogInReason: reason,
      HasPassword: hasPasswordText(password),
      PasswordScheme: account.password === "shadow" ? entry?.scheme : account.scheme,
      SystemAccount: String(isSystem),
      IsAdministrator: String(isAdministrator),
      AuthorizedKeys: authorizedKeys === undefined ? undefined : String(authorizedKeys),
    }),
  };
}

function joined(texts: readonly string[]): string {
  const all = texts.join(";");
  return all.length <= LONGEST_GROUPS ? all : `${all.slice(0, LONGEST_GROUPS)};…`;
}

function unreadKeys(homes: number): readonly Problem[] {
  if (homes === 0) return [];
  const detail = `authorized keys of ${homes} users are unknown; CAP_DAC_READ_SEARCH shows them`;
  return [{ code: "not-permitted", subject: "~/.ssh/authorized_keys", detail }];
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
