import type { WalkCheck } from "../primitives/walk.ts";
import type { Rule, Severity } from "../rule.ts";
import { SETGID_PROGRAMS, SETUID_PROGRAMS } from "./known-programs.ts";

const FILES = { isScored: true, group: "System File Permissions" } as const;
const LEVEL_1 = { level: 1, workstationLevel: 1 } as const;

interface TableRule {
  readonly id: string;
  readonly path: string;
  readonly maxMode: number;
  readonly severity: Severity;
  readonly isSecret?: true;
}

function tableRule({ id, path, maxMode, severity, isSecret }: TableRule): Rule {
  const mode = maxMode.toString(8).padStart(4, "0");
  const owner = isSecret ? "root:shadow" : "root:root";
  return {
    ...FILES,
    ...LEVEL_1,
    id,
    title: isSecret
      ? `Only root and the group shadow can read ${path}`
      : `Only root can change ${path}`,
    rationale: isSecret
      ? "Password hashes that can be read can be tried at home, without anyone seeing it."
      : "Whoever can change the tables of accounts can become any of them.",
    remediation: `chown ${owner} ${path} && chmod ${mode} ${path}${isSecret ? " (root:root where there is no group shadow)" : ""}`,
    severity,
    cost: "light",
    appliesWhen: { test: "file-exists", path },
    otherwise: `there is no ${path}`,
    check: {
      test: "file-mode",
      path,
      maxMode,
      ...(isSecret ? { groups: ["root", "shadow"] } : {}),
    },
  };
}

interface WalkRule {
  readonly id: string;
  readonly title: string;
  readonly rationale: string;
  readonly remediation: string;
  readonly severity: Severity;
  readonly isScored: boolean;
  readonly check: WalkCheck;
}

function walkRule(rule: WalkRule): Rule {
  return { ...FILES, ...LEVEL_1, ...rule, cost: "full-walk" };
}

/** Section 6.1: modes and owners of files. */
export const SECTION_6_1: readonly Rule[] = [
  {
    ...FILES,
    id: "6.1.1",
    title: "Files of packages are as the packages brought them",
    rationale: "Changed programs are how an attacker stays. Changed modes are how one gets in.",
    remediation: "dpkg --verify, rpm -Va or apk audit; look at each difference",
    level: 2,
    workstationLevel: 2,
    isScored: false,
    severity: "Important",
    cost: "light",
    check: {
      manual:
        "Differences have to be judged by someone who knows which of them were meant, and the sums that packages keep on the device can be changed with the files",
    },
  },
  tableRule({ id: "6.1.2", path: "/etc/passwd", maxMode: 0o644, severity: "Critical" }),
  tableRule({
    id: "6.1.3",
    path: "/etc/shadow",
    maxMode: 0o640,
    severity: "Critical",
    isSecret: true,
  }),
  tableRule({ id: "6.1.4", path: "/etc/group", maxMode: 0o644, severity: "Critical" }),
  tableRule({
    id: "6.1.5",
    path: "/etc/gshadow",
    maxMode: 0o640,
    severity: "Critical",
    isSecret: true,
  }),
  tableRule({ id: "6.1.6", path: "/etc/passwd-", maxMode: 0o644, severity: "Important" }),
  tableRule({
    id: "6.1.7",
    path: "/etc/shadow-",
    maxMode: 0o640,
    severity: "Critical",
    isSecret: true,
  }),
  tableRule({ id: "6.1.8", path: "/etc/group-", maxMode: 0o644, severity: "Important" }),
  tableRule({
    id: "6.1.9",
    path: "/etc/gshadow-",
    maxMode: 0o640,
    severity: "Critical",
    isSecret: true,
  }),
  walkRule({
    id: "6.1.10",
    title: "No file can be written by everyone",
    rationale: "Any account, that of a broken service among them, can put there what it likes.",
    remediation: "For each file named: chmod o-w FILE",
    severity: "Important",
    isScored: true,
    check: { test: "walk", list: "openFiles", what: "file that anyone may write" },
  }),
  walkRule({
    id: "6.1.11",
    title: "Every file belongs to an account",
    rationale: "The next account that gets the number gets the files as well.",
    remediation: "For each file named: chown OWNER FILE, or remove it",
    severity: "Warning",
    isScored: true,
    check: { test: "walk", list: "unknownUsers", what: "file of an unknown user" },
  }),
  walkRule({
    id: "6.1.12",
    title: "Every file belongs to a group",
    rationale: "The next group that gets the number gets the files as well.",
    remediation: "For each file named: chgrp GROUP FILE, or remove it",
    severity: "Warning",
    isScored: true,
    check: { test: "walk", list: "unknownGroups", what: "file of an unknown group" },
  }),
  walkRule({
    id: "6.1.13",
    title: "Programs that run as another user are known ones",
    rationale:
      "A copy of a shell with this bit is root for everyone who finds it. The list holds what packages are known to bring.",
    remediation:
      "For each program named, find out which package brings it (dpkg -S, rpm -qf); if none does: chmod u-s FILE. A waiver keeps those that are meant",
    severity: "Important",
    isScored: false,
    check: {
      test: "walk",
      list: "setuid",
      what: "set-user-id program that no package is known for",
      allowed: SETUID_PROGRAMS,
    },
  }),
  walkRule({
    id: "6.1.14",
    title: "Programs that run as another group are known ones",
    rationale:
      "They read and write what belongs to the group. The list holds what packages are known to bring.",
    remediation:
      "For each program named, find out which package brings it (dpkg -S, rpm -qf); if none does: chmod g-s FILE. A waiver keeps those that are meant",
    severity: "Important",
    isScored: false,
    check: {
      test: "walk",
      list: "setgid",
      what: "set-group-id program that no package is known for",
      allowed: SETGID_PROGRAMS,
    },
  }),
];
