import { type Fact, unreadableFact, valueFact } from "../../../src/baseline/fact.ts";
import { WALK_LIST_LIMIT, type WalkList, type WalkReport } from "../../../src/baseline/walk-report.ts";
import type { RootEntry } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const GROUPS = "root:x:0:\nshadow:x:42:\n";

function tableCases(
  rule: string,
  path: string,
  good: readonly RootEntry[],
  bad: readonly RootEntry[],
): RuleCases {
  const device = (entry: RootEntry): CaseDevice => ({
    files: { "/etc/group": GROUPS, [path]: entry },
  });
  return {
    rule,
    pass: good.map(device),
    fail: bad.map(device),
    notApplicable: [{ files: { "/etc/hostname": "gateway" } }],
  };
}

function openTable(rule: string, path: string): RuleCases {
  const text = path === "/etc/group" ? GROUPS : "";
  return tableCases(
    rule,
    path,
    [
      { text, mode: 0o644 },
      { text, mode: 0o600 },
    ],
    [
      { text, mode: 0o664 },
      { text, mode: 0o644, userId: 1000 },
      { text, mode: 0o644, groupId: 42 },
    ],
  );
}

function secretTable(rule: string, path: string): RuleCases {
  const cases = tableCases(
    rule,
    path,
    [{ mode: 0o640, groupId: 42 }, { mode: 0o600 }, { mode: 0 }],
    [
      { mode: 0o644, groupId: 42 },
      { mode: 0o640, groupId: 1000 },
      { mode: 0o640, groupId: 42, userId: 1000 },
    ],
  );
  return {
    ...cases,
    error: [{ files: { "/etc/group": "shadow:x:?:\n", [path]: { mode: 0o640, groupId: 42 } } }],
  };
}

const NOTHING: WalkList = { total: 0, paths: [] };

function list(...paths: readonly string[]): WalkList {
  return { total: paths.length, paths };
}

function walked(report: Partial<WalkReport>): CaseDevice {
  const walk: WalkReport = {
    entries: 17_308,
    isCut: false,
    finishedAtMs: 0,
    openFolders: NOTHING,
    openFiles: NOTHING,
    unknownUsers: NOTHING,
    unknownGroups: NOTHING,
    setuid: NOTHING,
    setgid: NOTHING,
    ...report,
  };
  return walkIs(valueFact(walk));
}

function walkIs(walk: Fact<WalkReport>): CaseDevice {
  return { files: {}, extras: { walk } };
}

const FULL: readonly string[] = Array.from({ length: WALK_LIST_LIMIT }, () => "/usr/bin/ssh-keysign");

function walkCases(
  rule: string,
  name: "openFiles" | "unknownUsers" | "unknownGroups" | "setuid" | "setgid",
  known: readonly string[],
): RuleCases {
  const others = { openFiles: list("/x"), unknownUsers: list("/x"), unknownGroups: list("/x") };
  return {
    rule,
    pass: [walked({ ...others, [name]: list(...known) }), walked({})],
    fail: [
      walked({ [name]: list(...known, "/srv/\u001bfound") }),
      walked({ [name]: list("/home/op/su"), isCut: true }),
      walked({ [name]: { total: 200, paths: [...FULL.slice(1), "/tmp/sh"] } }),
    ],
    notApplicable: [{ files: {} }],
    error: [
      walked({ isCut: true }),
      walkIs(unreadableFact("the walk was stopped")),
      ...(known.length > 0 ? [walked({ [name]: { total: 200, paths: FULL } })] : []),
    ],
  };
}

export const SECTION_6_1: readonly RuleCases[] = [
  openTable("6.1.2", "/etc/passwd"),
  secretTable("6.1.3", "/etc/shadow"),
  {
    ...openTable("6.1.4", "/etc/group"),
  },
  secretTable("6.1.5", "/etc/gshadow"),
  openTable("6.1.6", "/etc/passwd-"),
  secretTable("6.1.7", "/etc/shadow-"),
  openTable("6.1.8", "/etc/group-"),
  secretTable("6.1.9", "/etc/gshadow-"),
  walkCases("6.1.10", "openFiles", []),
  walkCases("6.1.11", "unknownUsers", []),
  walkCases("6.1.12", "unknownGroups", []),
  walkCases("6.1.13", "setuid", [
    "/usr/bin/su",
    "/bin/mount",
    "/usr/lib/openssh/ssh-keysign",
    "/usr/lib/polkit-1/polkit-agent-helper-1",
    "/usr/sbin/unix_chkpwd",
  ]),
  walkCases("6.1.14", "setgid", ["/usr/bin/ssh-agent", "/usr/sbin/unix_chkpwd", "/usr/bin/wall"]),
];
