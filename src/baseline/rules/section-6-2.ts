import type { Check } from "../check.ts";
import type { Rule, Severity } from "../rule.ts";

interface UserRule {
  readonly id: string;
  readonly title: string;
  readonly rationale: string;
  readonly remediation: string;
  readonly severity: Severity;
  readonly check: Check;
  readonly cost?: "walk";
}

function userRule({ cost, ...rule }: UserRule): Rule {
  return {
    ...rule,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    group: "User and Group Settings",
    cost: cost ?? "shared",
  };
}

function noPlusLine(id: string, path: string): Rule {
  return userRule({
    id,
    title: `${path} brings in no accounts from the network`,
    rationale:
      "A line that begins with a plus sign was an order to ask NIS. Where it is forgotten it can become an account named +.",
    remediation: `sed -i '/^+/d' ${path}`,
    severity: "Important",
    check: {
      test: "lines",
      files: [path],
      pattern: "^\\+",
      want: "none",
      what: "line that begins with a plus sign",
      comments: "",
    },
  });
}

const TABLES: readonly Rule[] = [
  userRule({
    id: "6.2.1",
    title: "Every account has a password or is locked",
    rationale: "An empty field lets everyone in who knows the name.",
    remediation: "For each account named: passwd --lock NAME, or give it a password",
    severity: "Critical",
    check: { test: "accounts", question: "empty-passwords" },
  }),
  noPlusLine("6.2.2", "/etc/passwd"),
  noPlusLine("6.2.3", "/etc/shadow"),
  noPlusLine("6.2.4", "/etc/group"),
  userRule({
    id: "6.2.5",
    title: "Root alone has user id 0",
    rationale: "Every other account with this number is root under a name that nobody watches.",
    remediation: "For each account named: usermod --uid NUMBER NAME, or userdel NAME",
    severity: "Critical",
    check: { test: "accounts", question: "further-roots" },
  }),
  userRule({
    id: "6.2.6",
    title: "Root's PATH leads only to folders of root",
    rationale: "A program that others can put into one of its folders runs as root.",
    remediation:
      "Take empty, relative and missing folders out of PATH in the file named; for the others: chown root FOLDER && chmod go-w FOLDER",
    severity: "Important",
    check: { test: "root-path" },
    cost: "walk",
  }),
];

const HOMES: readonly Rule[] = [
  userRule({
    id: "6.2.7",
    title: "Every user with a shell has a home folder",
    rationale: "Without one the session starts in /, where the user's files do not belong.",
    remediation: "For each account named: mkhomedir_helper NAME, or userdel NAME",
    severity: "Warning",
    check: { test: "homes", question: "exists" },
  }),
  userRule({
    id: "6.2.8",
    title: "Home folders are closed to others",
    rationale: "Others could read keys and histories, or change what starts with a session.",
    remediation: "For each folder named: chmod 0750 FOLDER",
    severity: "Warning",
    check: { test: "homes", question: "mode", maxMode: 0o750 },
  }),
  userRule({
    id: "6.2.9",
    title: "Home folders belong to their users",
    rationale: "The owner of the folder decides what starts with a session.",
    remediation: "For each folder named: chown NAME FOLDER",
    severity: "Important",
    check: { test: "homes", question: "owner" },
  }),
  userRule({
    id: "6.2.10",
    title: "Dot files of users can be changed by them alone",
    rationale: "Shells and programs run what stands in them, as the user.",
    remediation: "For each file named: chmod go-w FILE",
    severity: "Important",
    check: { test: "homes", question: "file-mode", name: ".*", maxMode: 0o755 },
  }),
  userRule({
    id: "6.2.11",
    title: "No user forwards mail with a .forward file",
    rationale: "Mail of the system can hold secrets; such a file sends it out, or starts programs.",
    remediation: "Remove each file named",
    severity: "Warning",
    check: { test: "homes", question: "without", names: [".forward"] },
  }),
  userRule({
    id: "6.2.12",
    title: "No user keeps passwords in a .netrc file",
    rationale: "They stand there in the clear, and open other machines.",
    remediation: "Remove each file named",
    severity: "Important",
    check: { test: "homes", question: "without", names: [".netrc"] },
  }),
  userRule({
    id: "6.2.13",
    title: "A .netrc file is closed to others",
    rationale: "The passwords in it are in the clear.",
    remediation: "For each file named: chmod 0600 FILE, or better remove it",
    severity: "Important",
    check: { test: "homes", question: "file-mode", name: ".netrc", maxMode: 0o700 },
  }),
  userRule({
    id: "6.2.14",
    title: "No user trusts other machines with a .rhosts file",
    rationale: "It lets users of those machines in without a password.",
    remediation: "Remove each file named",
    severity: "Important",
    check: { test: "homes", question: "without", names: [".rhosts", ".shosts"] },
  }),
].map((rule): Rule => ({ ...rule, cost: "walk" }));

const UNIQUE: readonly Rule[] = [
  userRule({
    id: "6.2.15",
    title: "The primary group of every account exists",
    rationale: "The next group that gets the number gets these accounts as members.",
    remediation: "For each account named: groupadd --gid NUMBER NAME, or usermod --gid GROUP NAME",
    severity: "Warning",
    check: { test: "accounts", question: "unknown-groups" },
  }),
  userRule({
    id: "6.2.16",
    title: "No two accounts share a user id",
    rationale: "The kernel sees one user: each can use the files and processes of the other.",
    remediation: "usermod --uid NUMBER NAME for all but one; then chown their files",
    severity: "Important",
    check: { test: "accounts", question: "same-user-ids" },
  }),
  userRule({
    id: "6.2.17",
    title: "No two groups share a group id",
    rationale: "The kernel sees one group: the members of each have the rights of the other.",
    remediation: "groupmod --gid NUMBER NAME for all but one; then chgrp their files",
    severity: "Warning",
    check: { test: "accounts", question: "same-group-ids" },
  }),
  userRule({
    id: "6.2.18",
    title: "No user name is given twice",
    rationale: "Only the first line counts: what is done to the account may miss the other.",
    remediation: "Rename or remove all lines of the name but one, with vipw",
    severity: "Important",
    check: { test: "accounts", question: "same-user-names" },
  }),
  userRule({
    id: "6.2.19",
    title: "No group name is given twice",
    rationale: "Only the first line counts: members of the other one have rights that nobody sees.",
    remediation: "Rename or remove all lines of the name but one, with vigr",
    severity: "Warning",
    check: { test: "accounts", question: "same-group-names" },
  }),
  userRule({
    id: "6.2.20",
    title: "Nobody is in the group shadow",
    rationale: "Its members can read all password hashes.",
    remediation:
      "For each account named: gpasswd --delete NAME shadow, or usermod --gid GROUP NAME",
    severity: "Critical",
    check: { test: "accounts", question: "shadow-group" },
  }),
];

/** Section 6.2: accounts, groups and homes. */
export const SECTION_6_2: readonly Rule[] = [...TABLES, ...HOMES, ...UNIQUE];
