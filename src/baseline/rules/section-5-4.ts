import type { Check } from "../check.ts";
import type { Expectation } from "../expectation.ts";
import type { PasswordAgeCheck } from "../primitives/password-age.ts";
import type { Rule } from "../rule.ts";

const ACCOUNTS = {
  level: 1,
  workstationLevel: 1,
  isScored: true,
  group: "User Accounts and Environment",
  cost: "shared",
} as const;

interface AgeRule {
  readonly id: string;
  readonly title: string;
  readonly rationale: string;
  readonly key: "PASS_MAX_DAYS" | "PASS_MIN_DAYS" | "PASS_WARN_AGE";
  readonly field: PasswordAgeCheck["field"];
  /** Option of chage(1). */
  readonly option: string;
  readonly days: number;
  readonly expected: Expectation;
  readonly fallback: string;
}

/** For new accounts and for those that have a password. */
function ageRule({ key, field, option, days, expected, fallback, ...rule }: AgeRule): Rule {
  return {
    ...ACCOUNTS,
    ...rule,
    severity: "Warning",
    remediation: `Set "${key} ${days}" in /etc/login.defs; for each account with a password: chage --${option} ${days} NAME`,
    check: {
      all: [
        { test: "login-defs", key, expected, fallback },
        { test: "password-age", field, expected },
      ],
    },
  };
}

const AGES: readonly Rule[] = [
  ageRule({
    id: "5.4.1.1",
    title: "Passwords expire within a year",
    rationale: "A password that leaked unseen does not stay good for ever.",
    key: "PASS_MAX_DAYS",
    field: "maxDays",
    option: "maxdays",
    days: 365,
    expected: { atLeast: 1, atMost: 365 },
    fallback: "-1",
  }),
  ageRule({
    id: "5.4.1.2",
    title: "A password is kept for a week at least",
    rationale: "Otherwise one changes it until the old one may be used again.",
    key: "PASS_MIN_DAYS",
    field: "minDays",
    option: "mindays",
    days: 7,
    expected: { atLeast: 7 },
    fallback: "-1",
  }),
  ageRule({
    id: "5.4.1.3",
    title: "Users are warned a week before their password expires",
    rationale: "Those who are locked out by surprise choose the next password in haste.",
    key: "PASS_WARN_AGE",
    field: "warnDays",
    option: "warndays",
    days: 7,
    expected: { atLeast: 7 },
    fallback: "-1",
  }),
];

const MONTH: Expectation = { atLeast: 0, atMost: 30 };
const HAS_USERADD: Check = {
  any: [
    { test: "file-exists", path: "/usr/sbin/useradd" },
    { test: "file-exists", path: "/usr/bin/useradd" },
  ],
};
const HAS_SHELL_FILES: Check = {
  any: ["/etc/profile", "/etc/bash.bashrc", "/etc/bashrc"].map((path) => ({
    test: "file-exists",
    path,
  })),
};

/** Section 5.4: accounts and what their sessions start with. */
export const SECTION_5_4: readonly Rule[] = [
  ...AGES,
  {
    ...ACCOUNTS,
    id: "5.4.1.4",
    title: "Accounts lock within thirty days after their password expired",
    rationale: "Nobody misses an account that is not used, so nobody sees when others use it.",
    remediation: "useradd -D -f 30; for each account with a password: chage --inactive 30 NAME",
    severity: "Warning",
    check: {
      all: [
        {
          any: [
            { not: HAS_USERADD },
            {
              test: "setting",
              files: ["/etc/default/useradd"],
              key: "INACTIVE",
              expected: MONTH,
              fallback: "-1",
            },
          ],
        },
        { test: "password-age", field: "inactiveDays", expected: MONTH },
      ],
    },
    appliesWhen: { any: [HAS_USERADD, { test: "file-exists", path: "/etc/shadow" }] },
    otherwise: "neither useradd nor /etc/shadow is here",
  },
  {
    ...ACCOUNTS,
    id: "5.4.1.5",
    title: "No password was changed in the future",
    rationale: "Such a password does not expire before that day has come.",
    remediation: "Check the clock; then for each account named: chage --lastday $(date +%F) NAME",
    severity: "Warning",
    check: { test: "accounts", question: "changed-in-future" },
  },
  {
    ...ACCOUNTS,
    id: "5.4.2",
    title: "System accounts are locked and have no shell",
    rationale: "They own services. Nobody should be able to log in as one of them.",
    remediation:
      "For each account named: usermod --shell /usr/sbin/nologin NAME; usermod --lock NAME",
    severity: "Important",
    check: { test: "accounts", question: "system-logins" },
  },
  {
    ...ACCOUNTS,
    id: "5.4.3",
    title: "Root's primary group is root",
    rationale: "Files that root makes would belong to a group that others may be in.",
    remediation: "usermod --gid 0 root",
    severity: "Important",
    check: { test: "accounts", question: "root-group" },
  },
  {
    ...ACCOUNTS,
    id: "5.4.4",
    title: "New files are closed to others by default",
    rationale:
      "With a wide umask every new file can be read by all accounts until someone sees it.",
    remediation:
      'Set "umask 027" in a file of /etc/profile.d and in /etc/bash.bashrc (/etc/bashrc on Fedora and its kin), "UMASK 027" in /etc/login.defs, and take away what sets another one',
    severity: "Warning",
    check: { test: "umask", atLeast: 0o027 },
    appliesWhen: {
      any: [HAS_SHELL_FILES, { test: "file-exists", path: "/etc/login.defs" }],
    },
    otherwise: "no shell files for all users, and no login.defs",
  },
  {
    ...ACCOUNTS,
    id: "5.4.5",
    title: "Shells that nobody types in end after a quarter of an hour",
    rationale: "A session that was left open belongs to whoever passes by.",
    remediation:
      'Set "readonly TMOUT=900; export TMOUT" in a file of /etc/profile.d and in /etc/bash.bashrc (/etc/bashrc on Fedora and its kin)',
    level: 2,
    workstationLevel: 2,
    severity: "Warning",
    check: { test: "shell-timeout", atMostSeconds: 900 },
  },
  {
    id: "5.5",
    title: "Root logs in on the device's own terminals, or not at all",
    rationale:
      "A login as root over the network has no name in the log. Where root's password is locked there is none.",
    remediation:
      'passwd --lock root; or list the consoles alone in /etc/securetty, with "auth requisite pam_securetty.so" in /etc/pam.d/login',
    level: 1,
    workstationLevel: 1,
    isScored: false,
    severity: "Warning",
    group: "Root Console",
    cost: "shared",
    check: { test: "root-console" },
    appliesWhen: { test: "file-exists", path: "/etc/shadow" },
    otherwise: "there is no /etc/shadow",
  },
  {
    id: "5.6",
    title: "Only members of one group may become others with su",
    rationale: "Root's password alone is then not enough to become root.",
    remediation:
      'groupadd sugroup; put "auth required pam_wheel.so use_uid group=sugroup" first in the auth lines of /etc/pam.d/su',
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "su Access",
    cost: "shared",
    check: {
      all: [
        {
          any: [suLine("use_uid", { oneOf: ["yes"] }), suLine("group", { noneOf: [""] })],
        },
        // With "deny" it is the members who are kept out.
        { not: suLine("deny", { oneOf: ["yes"] }) },
      ],
    },
  },
];

function suLine(name: string, expected: Expectation): Check {
  return {
    test: "pam",
    services: ["su"],
    type: "auth",
    modules: ["pam_wheel"],
    mustRefuse: true,
    argument: { name, expected },
  };
}
