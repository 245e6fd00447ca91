import type { RootEntry, RootFiles } from "../memory-root.ts";
import type { RuleCases } from "../rule-case.ts";

const PROGRAM = { mode: 0o755, text: "" };
const FOLDER = { kind: "folder" } as const;

function modeCases(rule: string, path: string, good: RootEntry, bad: readonly RootEntry[]): RuleCases {
  return {
    rule,
    pass: [{ files: { [path]: good } }],
    fail: bad.map((entry) => ({ files: { [path]: entry } })),
    notApplicable: [{ files: {} }],
  };
}

function folderCases(rule: string, path: string): RuleCases {
  return modeCases(rule, path, { ...FOLDER, mode: 0o700 }, [
    { ...FOLDER, mode: 0o755 },
    { ...FOLDER, mode: 0o700, userId: 1000 },
    { ...FOLDER, mode: 0o700, groupId: 4 },
  ]);
}

const UNIT = "/usr/lib/systemd/system/cron.service";
const WANTS = "/etc/systemd/system/multi-user.target.wants/cron.service";
const GROUPS = "root:x:0:\ndaemon:x:1:\ncrontab:x:101:\n";

function lists(more: RootFiles): RootFiles {
  return { "/usr/bin/crontab": PROGRAM, "/etc/group": GROUPS, ...more };
}

const LIST = { text: "root\n", mode: 0o600 };

export const SECTION_5_1: readonly RuleCases[] = [
  {
    rule: "5.1.1",
    pass: [
      {
        files: {
          "/usr/sbin/cron": PROGRAM,
          [UNIT]: "[Service]\nExecStart=/usr/sbin/cron -f\n",
          [WANTS]: { link: UNIT },
        },
      },
      {
        files: {
          "/usr/sbin/crond": PROGRAM,
          "/etc/init.d/crond": "#!/sbin/openrc-run\n",
          "/etc/runlevels/default/crond": { link: "/etc/init.d/crond" },
        },
      },
      {
        files: {
          "/usr/sbin/crond": PROGRAM,
          "/etc/init.d/cron": "#!/bin/sh /etc/rc.common\n",
          "/etc/rc.d/S50cron": { link: "../init.d/cron" },
        },
      },
    ],
    fail: [
      { files: { "/usr/sbin/cron": PROGRAM, [UNIT]: "[Service]\n" } },
      {
        files: {
          "/usr/sbin/cron": PROGRAM,
          [UNIT]: "[Service]\n",
          [WANTS]: { link: UNIT },
          "/etc/systemd/system/cron.service": { link: "/dev/null" },
        },
      },
    ],
    notApplicable: [{ files: { "/usr/lib/systemd/system/dbus.service": "" } }],
    error: [
      {
        files: {
          "/usr/sbin/cron": PROGRAM,
          [UNIT]: "[Service]\n",
          "/etc/systemd/system": { kind: "folder", isRefused: true },
        },
      },
    ],
  },
  modeCases("5.1.2", "/etc/crontab", { mode: 0o600 }, [
    { mode: 0o644 },
    { mode: 0o600, userId: 1000 },
    { mode: 0o600, groupId: 101 },
  ]),
  folderCases("5.1.3", "/etc/cron.hourly"),
  folderCases("5.1.4", "/etc/cron.daily"),
  folderCases("5.1.5", "/etc/cron.weekly"),
  folderCases("5.1.6", "/etc/cron.monthly"),
  folderCases("5.1.7", "/etc/cron.d"),
  {
    rule: "5.1.8",
    pass: [
      { files: lists({ "/etc/cron.allow": LIST }) },
      { files: lists({ "/etc/cron.allow": { mode: 0o640, groupId: 101 } }) },
      { files: lists({ "/usr/bin/at": PROGRAM, "/etc/cron.allow": LIST, "/etc/at.allow": LIST }) },
    ],
    fail: [
      { files: lists({}) },
      { files: lists({ "/etc/cron.allow": LIST, "/etc/cron.deny": "" }) },
      { files: lists({ "/etc/cron.allow": { mode: 0o644 } }) },
      { files: lists({ "/etc/cron.allow": { mode: 0o640, groupId: 1000 } }) },
      { files: lists({ "/usr/bin/at": PROGRAM, "/etc/cron.allow": LIST }) },
      {
        files: lists({
          "/usr/bin/at": PROGRAM,
          "/etc/cron.allow": LIST,
          "/etc/at.allow": LIST,
          "/etc/at.deny": "",
        }),
      },
    ],
    notApplicable: [{ files: {} }],
    error: [
      {
        files: {
          "/usr/bin/crontab": PROGRAM,
          "/etc/group": "crontab:x:one:\n",
          "/etc/cron.allow": { mode: 0o640, groupId: 101 },
        },
      },
    ],
  },
];
