import type { Account, Group } from "../../parse/accounts.ts";
import type { Device } from "../device.ts";
import { type Fact, valueFact } from "../fact.ts";
import {
  accounts,
  firstPersonalId,
  groups,
  loginDefs,
  type PasswordAges,
  passwordAges,
} from "../facts/accounts.ts";
import { isLoginShell } from "../facts/homes.ts";
import { because, decide, evidence, type Outcome } from "../outcome.ts";

/** A question about accounts and groups, answered with the names of those that break the rule. */
export interface AccountsCheck {
  readonly test: "accounts";
  readonly question: AccountsQuestion;
}

export type AccountsQuestion =
  | "empty-passwords"
  | "further-roots"
  | "root-group"
  | "system-logins"
  | "changed-in-future"
  | "unknown-groups"
  | "same-user-ids"
  | "same-group-ids"
  | "same-user-names"
  | "same-group-names"
  | "shadow-group";

interface Tables {
  readonly accounts: readonly Account[];
  /** Empty where the file is missing. */
  readonly groups: readonly Group[];
  readonly ages: readonly PasswordAges[];
  readonly today: number;
  readonly firstPersonalId: number;
}

type Table = "group" | "shadow" | "login.defs";

interface Question {
  readonly source: string;
  readonly expected: string;
  /** Tables without which the question has no answer, besides /etc/passwd. */
  readonly needs: readonly Table[];
  /** Tables that are asked as well, where they are there. */
  readonly asks?: readonly Table[];
  /** Names that break the rule; a reason why it does not apply. */
  readonly offenders: (tables: Tables) => readonly string[] | { readonly notApplicable: string };
}

const MS_PER_DAY = 86_400_000;
/** A clock before this day (2024-01-01) was not set after the start. */
const FIRST_SANE_DAY = 19_723;
/** Accounts whose program is the point of them. Source: Debian base-passwd, Fedora setup. */
const SPECIAL = new Set(["root", "sync", "shutdown", "halt"]);
/** Group and user of what belongs to nobody. */
const NOBODY = 65_534;

function repeated<T>(
  list: readonly T[],
  key: (one: T) => string | number,
  name: (one: T) => string,
): readonly string[] {
  const byKey = new Map<string | number, string[]>();
  for (const one of list) {
    const same = byKey.get(key(one));
    if (same === undefined) byKey.set(key(one), [name(one)]);
    else same.push(name(one));
  }
  return [...byKey]
    .filter(([, names]) => names.length > 1)
    .map(([value, names]) => `${value} (${names.join(", ")})`);
}

function emptyPasswords({ accounts: all, ages }: Tables): readonly string[] {
  const empty = new Set(all.filter((one) => one.password === "empty").map((one) => one.name));
  for (const one of ages) if (one.password === "empty") empty.add(one.name);
  return [...empty];
}

/** System accounts that a person could log in to. */
function systemLogins(tables: Tables): readonly string[] {
  const ages = new Map(tables.ages.map((one) => [one.name, one]));
  return tables.accounts.flatMap((account) => {
    const isSystem = account.userId < tables.firstPersonalId || account.userId === NOBODY;
    if (!isSystem || SPECIAL.has(account.name)) return [];
    if (isLoginShell(account.shell))
      return [`${account.name} (shell ${account.shell || "/bin/sh"})`];
    const password =
      account.password === "shadow" ? ages.get(account.name)?.password : account.password;
    return password === "set" || password === "empty"
      ? [`${account.name} (password not locked)`]
      : [];
  });
}

function shadowGroup(tables: Tables): readonly string[] | { readonly notApplicable: string } {
  const group = tables.groups.find((one) => one.name === "shadow");
  if (group === undefined) return { notApplicable: "there is no group shadow" };
  const primary = tables.accounts.filter((one) => one.groupId === group.groupId);
  return [...new Set([...group.members, ...primary.map((one) => one.name)])];
}

const QUESTIONS: Readonly<Record<AccountsQuestion, Question>> = {
  "empty-passwords": {
    source: "/etc/passwd, /etc/shadow",
    expected: "no account without a password",
    needs: [],
    asks: ["shadow"],
    offenders: emptyPasswords,
  },
  "further-roots": {
    source: "/etc/passwd",
    expected: "user id 0 for root alone",
    needs: [],
    offenders: (tables) =>
      tables.accounts
        .filter((one) => one.userId === 0 && one.name !== "root")
        .map((one) => one.name),
  },
  "root-group": {
    source: "/etc/passwd",
    expected: "root with group 0",
    needs: [],
    offenders: (tables) => {
      const root = tables.accounts.filter((one) => one.name === "root");
      if (root.length === 0) return { notApplicable: "there is no account root" };
      return root.filter((one) => one.groupId !== 0).map((one) => `root (group ${one.groupId})`);
    },
  },
  "system-logins": {
    source: "/etc/passwd, /etc/shadow",
    expected: "system accounts locked and without a shell",
    needs: [],
    asks: ["shadow", "login.defs"],
    offenders: systemLogins,
  },
  "changed-in-future": {
    source: "/etc/shadow",
    expected: "passwords changed in the past",
    needs: ["shadow"],
    offenders: ({ ages, today }) =>
      ages
        .filter((one) => one.lastChangeDay !== undefined && one.lastChangeDay > today)
        .map((one) => one.name),
  },
  "unknown-groups": {
    source: "/etc/passwd, /etc/group",
    expected: "primary groups that exist",
    needs: ["group"],
    offenders: (tables) => {
      const known = new Set(tables.groups.map((one) => one.groupId));
      return tables.accounts
        .filter((one) => !known.has(one.groupId))
        .map((one) => `${one.name} (group ${one.groupId})`);
    },
  },
  "same-user-ids": {
    source: "/etc/passwd",
    expected: "one account for each user id",
    needs: [],
    offenders: (tables) =>
      repeated(
        tables.accounts,
        (one) => one.userId,
        (one) => one.name,
      ),
  },
  "same-group-ids": {
    source: "/etc/group",
    expected: "one group for each group id",
    needs: ["group"],
    offenders: (tables) =>
      repeated(
        tables.groups,
        (one) => one.groupId,
        (one) => one.name,
      ),
  },
  "same-user-names": {
    source: "/etc/passwd",
    expected: "one line for each user name",
    needs: [],
    offenders: (tables) =>
      repeated(
        tables.accounts,
        (one) => one.name,
        (one) => String(one.userId),
      ),
  },
  "same-group-names": {
    source: "/etc/group",
    expected: "one line for each group name",
    needs: ["group"],
    offenders: (tables) =>
      repeated(
        tables.groups,
        (one) => one.name,
        (one) => String(one.groupId),
      ),
  },
  "shadow-group": {
    source: "/etc/passwd, /etc/group",
    expected: "a group shadow without members",
    needs: ["group"],
    offenders: shadowGroup,
  },
};

/** True for a clock that someone has set since the device started. */
function isClockSet(today: number): boolean {
  return today >= FIRST_SANE_DAY;
}

function tablesOf(device: Device, { needs, asks = [] }: Question): Fact<Tables> {
  const users = accounts(device);
  if (users.state !== "value") return users;
  const grouped = groups(device);
  const ages = passwordAges(device);
  const byName = { group: grouped, shadow: ages, "login.defs": loginDefs(device) };
  for (const name of [...needs, ...asks]) {
    const table = byName[name];
    if (table.state === "unreadable") return table;
    if (table.state === "missing" && needs.includes(name)) return table;
  }
  return valueFact({
    accounts: users.value,
    groups: grouped.state === "value" ? grouped.value : [],
    ages: ages.state === "value" ? ages.value : [],
    today: Math.floor(device.nowMs / MS_PER_DAY),
    firstPersonalId: firstPersonalId(device),
  });
}

/** Asks the question. A table that is not there makes it not apply. */
export function judgeAccounts(check: AccountsCheck, device: Device): Outcome {
  const question = QUESTIONS[check.question];
  const tables = tablesOf(device, question);
  if (tables.state === "unreadable") return because("error", tables.reason);
  if (tables.state === "missing") {
    return because("not-applicable", `${question.source}: not all of them are there`);
  }
  if (tables.value.accounts.length === 0) {
    return because("error", "/etc/passwd holds no account");
  }
  if (check.question === "changed-in-future" && !isClockSet(tables.value.today)) {
    return because("error", "the clock of the device is not set");
  }
  const offenders = question.offenders(tables.value);
  if ("notApplicable" in offenders) return because("not-applicable", offenders.notApplicable);
  const { accounts: users, groups: named } = tables.value;
  const found =
    offenders.length === 0
      ? `all is so, of ${users.length} accounts and ${named.length} groups`
      : `${offenders.length}: ${offenders.join(", ")}`;
  return decide(offenders.length === 0, evidence(question.source, question.expected, found));
}
