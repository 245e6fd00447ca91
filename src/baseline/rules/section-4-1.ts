import type { Check } from "../check.ts";
import type { AuditCalls, AuditWatch } from "../primitives/audit-rules.ts";
import type { Rule } from "../rule.ts";

const AUDIT = {
  level: 2,
  workstationLevel: 2,
  isScored: true,
  group: "System Accounting auditd",
} as const;

const IF_AUDITD: Pick<Rule, "appliesWhen" | "otherwise"> = {
  appliesWhen: {
    any: ["/usr/sbin/auditd", "/sbin/auditd", "/etc/audit/auditd.conf"].map((path) => ({
      test: "file-exists",
      path,
    })),
  },
  otherwise: "auditd is not installed",
};

/** People, not services: their login is known, and their ids are high enough. */
const PEOPLE = ["auid>=UID_MIN", "auid!=unset"];

interface AuditRuleText {
  readonly id: string;
  readonly title: string;
  readonly rationale: string;
  readonly severity: Rule["severity"];
  readonly watches?: readonly AuditWatch[];
  readonly calls?: readonly AuditCalls[];
}

/** The lines of auditctl that meet a rule on a machine of 64 bits. */
function linesFor({ watches = [], calls = [] }: AuditRuleText): string {
  const forCalls = calls.flatMap((group) => {
    const all = { native: ["b64"], b32: ["b32"] };
    const arches = group.table === undefined ? ["b64", "b32"] : all[group.table];
    const names = group.calls.map((call) => ` -S ${call}`).join("");
    const conditions = (group.fields ?? []).map((field) => ` -F ${field}`).join("");
    return arches.map((arch) => `-a always,exit -F arch=${arch}${names}${conditions}`);
  });
  const forPaths = watches.map(({ path, permissions }) => `-w ${path} -p ${permissions}`);
  return [...forCalls, ...forPaths].join("\n").replaceAll("UID_MIN", "1000");
}

function auditRule(text: AuditRuleText): Rule {
  const { id, title, rationale, severity, watches, calls } = text;
  return {
    ...AUDIT,
    ...IF_AUDITD,
    id,
    title,
    rationale,
    remediation: `Put these lines into a file such as /etc/audit/rules.d/50-gateway.rules and run \`augenrules --load\`. Leave out paths that are not there, lines for b32 on a machine of 32 bits only in place of b64, and on ARM of 64 bits the calls that its kernel lacks (chmod, chown, lchown, open, creat, rename, unlink) from the lines for b64.\n${linesFor(text)}`,
    severity,
    cost: "shared",
    check: {
      test: "audit-rules",
      ...(watches === undefined ? {} : { watches }),
      ...(calls === undefined ? {} : { calls }),
    },
  };
}

function changes(...paths: readonly string[]): readonly AuditWatch[] {
  return paths.map((path) => ({ path, permissions: "wa" }));
}

function changesWhereThere(...paths: readonly string[]): readonly AuditWatch[] {
  return paths.map((path) => ({ path, permissions: "wa", isOptional: true }));
}

function auditdSetting(key: string, expected: Extract<Check, { test: "setting" }>["expected"]) {
  return { test: "setting", files: ["/etc/audit/auditd.conf"], key, expected } as const;
}

/** Controls 4.1.1 to 4.1.19: the audit daemon and its rules. */
export const SECTION_4_1: readonly Rule[] = [
  {
    ...AUDIT,
    ...IF_AUDITD,
    id: "4.1.1.1",
    title: "The size of the audit log is set",
    rationale:
      "The log must hold what happens until someone looks, and must not fill the storage of a small device: the size should be chosen.",
    remediation: "Set `max_log_file = 8` (megabytes) or what fits in /etc/audit/auditd.conf.",
    severity: "Informational",
    cost: "light",
    check: auditdSetting("max_log_file", { atLeast: 1 }),
  },
  {
    ...AUDIT,
    ...IF_AUDITD,
    id: "4.1.1.2",
    title: "Someone is told, and the system stops, when audit space runs out",
    rationale:
      "What is done after the log is full leaves no trace; on devices where that matters more than their service, they should stop. A gateway that must go on needs a waiver.",
    remediation:
      "In /etc/audit/auditd.conf: `space_left_action = email`, `action_mail_acct = root`, `admin_space_left_action = halt`.",
    severity: "Warning",
    cost: "light",
    check: {
      all: [
        auditdSetting("space_left_action", { pattern: "email|exec\\s+/.+|single|halt" }),
        { ...auditdSetting("action_mail_acct", { pattern: "\\S+" }), fallback: "root" },
        auditdSetting("admin_space_left_action", { oneOf: ["single", "halt"] }),
      ],
    },
  },
  {
    ...AUDIT,
    ...IF_AUDITD,
    id: "4.1.1.3",
    title: "Old audit logs are kept",
    rationale:
      "A log that overwrites itself is emptied by whoever makes enough noise. On flash storage pair this with an archive elsewhere, or waive it.",
    remediation: "Set `max_log_file_action = keep_logs` in /etc/audit/auditd.conf.",
    severity: "Warning",
    cost: "light",
    check: auditdSetting("max_log_file_action", { oneOf: ["keep_logs"] }),
  },
  {
    ...AUDIT,
    id: "4.1.2",
    title: "The audit daemon is installed",
    rationale: "Without it nothing writes down what the kernel's audit tells.",
    remediation: "`apt-get install auditd` or `apk add audit`.",
    severity: "Warning",
    cost: "shared",
    check: { test: "package", names: ["auditd", "audit"], want: "installed" },
  },
  {
    ...AUDIT,
    ...IF_AUDITD,
    id: "4.1.3",
    title: "The audit daemon starts with the system",
    rationale: "What happens while it does not run is not written down.",
    remediation: "`systemctl enable auditd`, or with OpenRC `rc-update add auditd`.",
    severity: "Important",
    cost: "shared",
    check: { test: "service", units: ["auditd.service"], want: "enabled" },
  },
  {
    ...AUDIT,
    id: "4.1.4",
    title: "Processes from before the audit daemon are audited too",
    rationale:
      "Only with audit=1 does the kernel watch processes that start before auditd; others stay unseen for their whole life.",
    remediation:
      "Add audit=1 to GRUB_CMDLINE_LINUX in /etc/default/grub, run `update-grub`, and start anew. Boards without grub have it in /boot/firmware/cmdline.txt or extlinux.conf.",
    severity: "Informational",
    cost: "light",
    check: { test: "kernel-argument", name: "audit", expected: { oneOf: ["1"] } },
  },
  auditRule({
    id: "4.1.5",
    title: "Changes of the clock are audited",
    rationale: "A clock set wrong makes every log a lie, and expired certificates good again.",
    severity: "Warning",
    watches: changes("/etc/localtime"),
    calls: [
      { calls: ["adjtimex", "settimeofday", "clock_settime"] },
      { calls: ["stime"], table: "b32" },
    ],
  }),
  auditRule({
    id: "4.1.6",
    title: "Changes of accounts and groups are audited",
    rationale: "A new account or password is the simplest way to come back.",
    severity: "Important",
    watches: changes(
      "/etc/group",
      "/etc/passwd",
      "/etc/gshadow",
      "/etc/shadow",
      "/etc/security/opasswd",
    ),
  }),
  auditRule({
    id: "4.1.7",
    title: "Changes of the device's names and networks are audited",
    rationale: "Whoever changes the name or the hosts of a device sends its traffic elsewhere.",
    severity: "Warning",
    watches: [
      ...changes("/etc/issue", "/etc/issue.net", "/etc/hosts"),
      ...changesWhereThere("/etc/network", "/etc/sysconfig/network"),
    ],
    calls: [{ calls: ["sethostname", "setdomainname"] }],
  }),
  auditRule({
    id: "4.1.8",
    title: "Changes of the policy of SELinux or AppArmor are audited",
    rationale: "With a changed policy a confined program may do what it could not before.",
    severity: "Warning",
    watches: changesWhereThere(
      "/etc/selinux",
      "/usr/share/selinux",
      "/etc/apparmor",
      "/etc/apparmor.d",
    ),
  }),
  auditRule({
    id: "4.1.9",
    title: "Changes of the records of logins are audited",
    rationale: "These files count failed and last logins; intruders clear their names from them.",
    severity: "Warning",
    watches: changesWhereThere(
      "/var/log/faillog",
      "/var/log/lastlog",
      "/var/log/tallylog",
      "/var/run/faillock",
    ),
  }),
  auditRule({
    id: "4.1.10",
    title: "Changes of the records of sessions are audited",
    rationale: "Who was logged in when is read from these files; an odd change to them is a trace.",
    severity: "Warning",
    watches: changesWhereThere("/var/run/utmp", "/var/log/wtmp", "/var/log/btmp"),
  }),
  auditRule({
    id: "4.1.11",
    title: "Changes of permissions and owners are audited",
    rationale: "Opening a file to others is a step of many intrusions.",
    severity: "Warning",
    calls: [
      { calls: ["chmod", "fchmod", "fchmodat"], fields: PEOPLE },
      { calls: ["chown", "fchown", "fchownat", "lchown"], fields: PEOPLE },
      {
        calls: [
          ...["setxattr", "lsetxattr", "fsetxattr"],
          ...["removexattr", "lremovexattr", "fremovexattr"],
        ],
        fields: PEOPLE,
      },
    ],
  }),
  auditRule({
    id: "4.1.12",
    title: "Refused access to files is audited",
    rationale: "Someone who tries doors that are closed to him is worth knowing.",
    severity: "Warning",
    calls: ["exit=-EACCES", "exit=-EPERM"].map((error) => ({
      calls: ["creat", "open", "openat", "truncate", "ftruncate"],
      fields: [error, ...PEOPLE],
    })),
  }),
  {
    ...AUDIT,
    ...IF_AUDITD,
    id: "4.1.13",
    title: "The use of every setuid and setgid program is audited",
    rationale: "These programs run with more rights than their caller, and some have had holes.",
    remediation:
      "For each program that `find / -xdev -type f -perm /6000` lists, a line in /etc/audit/rules.d/50-privileged.rules:\n-a always,exit -F path=PROGRAM -F perm=x -F auid>=1000 -F auid!=unset",
    severity: "Warning",
    cost: "full-walk",
    check: { test: "audit-found-paths", paths: "setuid-programs" },
  },
  auditRule({
    id: "4.1.14",
    title: "Mounts by people are audited",
    rationale: "A medium that someone mounts brings files in or takes them out.",
    severity: "Warning",
    calls: [{ calls: ["mount"], fields: PEOPLE }],
  }),
  auditRule({
    id: "4.1.15",
    title: "Files that people delete or rename are audited",
    rationale: "Deleting is how traces go; the record of it is what remains.",
    severity: "Warning",
    calls: [{ calls: ["unlink", "unlinkat", "rename", "renameat"], fields: PEOPLE }],
  }),
  {
    ...auditRule({
      id: "4.1.16",
      title: "Changes of what sudo allows are audited",
      rationale: "One line in these files makes an account as good as root.",
      severity: "Important",
      watches: changesWhereThere("/etc/sudoers", "/etc/sudoers.d"),
    }),
  },
  {
    ...AUDIT,
    ...IF_AUDITD,
    id: "4.1.17",
    title: "Changes of the log of sudo are audited",
    rationale:
      "sudo writes what people did as root into its log; a change by anything else is an attempt to hide.",
    remediation:
      'Give sudo a log with `Defaults logfile="/var/log/sudo.log"` in /etc/sudoers, and put this line into /etc/audit/rules.d/50-gateway.rules:\n-w /var/log/sudo.log -p wa',
    severity: "Warning",
    cost: "shared",
    check: { test: "audit-found-paths", paths: "sudo-log" },
  },
  auditRule({
    id: "4.1.18",
    title: "Loading and unloading of kernel modules is audited",
    rationale:
      "A module can do everything and hide it; the moment it is loaded is the last to see it.",
    severity: "Important",
    watches: ["insmod", "rmmod", "modprobe"].map((name) => ({
      path: `/sbin/${name}`,
      permissions: "x",
      isOptional: true,
    })),
    calls: [{ calls: ["init_module", "finit_module", "delete_module"], table: "native" }],
  }),
  {
    ...AUDIT,
    ...IF_AUDITD,
    id: "4.1.19",
    title: "Audit rules are locked until the next start",
    rationale: "Locked rules cannot be taken away by an intruder without a restart, which is seen.",
    remediation:
      "Put this line into the last file of rules, such as /etc/audit/rules.d/99-finalize.rules:\n-e 2",
    severity: "Warning",
    cost: "shared",
    check: { test: "audit-lock" },
  },
];
