import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";

const LOGGING = {
  level: 1,
  workstationLevel: 1,
  isScored: true,
  group: "Logging",
} as const;

const IF_RSYSLOG: Pick<Rule, "appliesWhen" | "otherwise"> = {
  appliesWhen: {
    any: ["/usr/sbin/rsyslogd", "/sbin/rsyslogd", "/etc/rsyslog.conf"].map((path) => ({
      test: "file-exists",
      path,
    })),
  },
  otherwise: "rsyslog is not installed",
};

const IF_JOURNALD: Pick<Rule, "appliesWhen" | "otherwise"> = {
  appliesWhen: {
    any: ["/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald"].map((path) => ({
      test: "file-exists",
      path,
    })),
  },
  otherwise: "systemd-journald is not here",
};

/** A key of journald.conf with its drop-in files. */
function journal(
  key: string,
  expected: Extract<Check, { readonly test: "setting" }>["expected"],
  fallback?: string,
): Check {
  return {
    test: "setting",
    files: [
      "/etc/systemd/journald.conf",
      "/run/systemd/journald.conf",
      "/usr/local/lib/systemd/journald.conf",
      "/usr/lib/systemd/journald.conf",
    ],
    dropIns: [
      "/etc/systemd/journald.conf.d",
      "/run/systemd/journald.conf.d",
      "/usr/local/lib/systemd/journald.conf.d",
      "/usr/lib/systemd/journald.conf.d",
    ],
    section: "Journal",
    key,
    expected,
    ...(fallback === undefined ? {} : { fallback }),
  };
}

const YES = ["yes", "true", "1", "on", "y", "t"];

/** Controls 4.2 and 4.3: what is logged, where to, and for how long. */
export const SECTION_4_2: readonly Rule[] = [
  {
    ...LOGGING,
    id: "4.2.1.1",
    title: "rsyslog is installed",
    rationale:
      "It sends messages to another host over TCP and TLS, where an intruder cannot change them.",
    remediation: "`apt-get install rsyslog` or `apk add rsyslog`.",
    severity: "Warning",
    cost: "shared",
    check: { test: "package", names: ["rsyslog"], want: "installed" },
  },
  {
    ...LOGGING,
    ...IF_RSYSLOG,
    id: "4.2.1.2",
    title: "rsyslog starts with the system",
    rationale: "A log daemon that does not run keeps nothing.",
    remediation: "`systemctl enable rsyslog`, or with OpenRC `rc-update add rsyslog`.",
    severity: "Important",
    cost: "shared",
    check: { test: "service", units: ["rsyslog.service"], want: "enabled" },
  },
  {
    ...LOGGING,
    ...IF_RSYSLOG,
    id: "4.2.1.3",
    title: "Errors of all important facilities are kept",
    rationale:
      "A selector that was forgotten loses messages silently. Judged are errors of auth, authpriv, cron, daemon, kern, mail, syslog and user; what else should be kept is for you to say.",
    remediation:
      "Give each facility a place in /etc/rsyslog.conf or a file in /etc/rsyslog.d, for example:\nauth,authpriv.* /var/log/auth.log\n*.*;auth,authpriv.none -/var/log/syslog",
    isScored: false,
    severity: "Warning",
    cost: "light",
    check: { test: "rsyslog", want: "selectors" },
  },
  {
    ...LOGGING,
    ...IF_RSYSLOG,
    id: "4.2.1.4",
    title: "rsyslog makes log files that others cannot read",
    rationale: "Logs tell of accounts, addresses and mistakes; they are for the administrators.",
    remediation:
      "Put this line into /etc/rsyslog.conf, before the actions and the includes:\n$FileCreateMode 0640",
    severity: "Warning",
    cost: "light",
    check: { test: "rsyslog", want: "file-mode" },
  },
  {
    ...LOGGING,
    ...IF_RSYSLOG,
    id: "4.2.1.5",
    title: "Messages are sent to another host",
    rationale: "Whoever owns the device owns its logs; a copy elsewhere stays true.",
    remediation:
      'Put this line into a file such as /etc/rsyslog.d/60-forward.conf, with the name of your log host:\n*.* action(type="omfwd" target="logs.example.com" port="514" protocol="tcp")',
    severity: "Warning",
    cost: "light",
    check: { test: "rsyslog", want: "forwards" },
  },
  {
    ...LOGGING,
    ...IF_RSYSLOG,
    id: "4.2.1.6",
    title: "Messages of other hosts are not taken",
    rationale:
      "An open log port lets anyone fill the disk and forge entries. A device that is the log host of others needs a waiver.",
    remediation:
      "Remove imtcp, imudp and imrelp inputs ($InputTCPServerRun, $UDPServerRun, input(type=…)) from /etc/rsyslog.conf and /etc/rsyslog.d, and restart rsyslog.",
    isScored: false,
    severity: "Warning",
    cost: "light",
    check: { test: "rsyslog", want: "no-listener" },
  },
  {
    ...LOGGING,
    ...IF_JOURNALD,
    id: "4.2.2.1",
    title: "journald hands its messages to rsyslog",
    rationale: "Only what reaches rsyslog is sent to another host.",
    remediation:
      "Put these lines into /etc/systemd/journald.conf.d/60-hardening.conf:\n[Journal]\nForwardToSyslog=yes",
    severity: "Warning",
    cost: "light",
    check: journal("ForwardToSyslog", { oneOf: YES }),
  },
  {
    ...LOGGING,
    ...IF_JOURNALD,
    id: "4.2.2.2",
    title: "journald compresses large messages",
    rationale: "Without compression the journal reaches its limit sooner and forgets sooner.",
    remediation:
      "Put these lines into /etc/systemd/journald.conf.d/60-hardening.conf:\n[Journal]\nCompress=yes",
    severity: "Informational",
    cost: "light",
    check: journal("Compress", { pattern: "yes|true|on|y|t|[1-9]\\d*[KMGT]?" }, "yes"),
  },
  {
    ...LOGGING,
    ...IF_JOURNALD,
    id: "4.2.2.3",
    title: "journald keeps its messages over a restart",
    rationale:
      "A journal in memory is gone after the restart that an intruder or a crash causes. Where flash wear or space speaks against it, waive this and send logs elsewhere.",
    remediation:
      "Put these lines into /etc/systemd/journald.conf.d/60-hardening.conf:\n[Journal]\nStorage=persistent",
    severity: "Warning",
    cost: "light",
    check: {
      any: [
        journal("Storage", { oneOf: ["persistent"] }),
        {
          all: [
            journal("Storage", { oneOf: ["auto"] }, "auto"),
            { test: "file-exists", path: "/var/log/journal" },
          ],
        },
      ],
    },
  },
  {
    ...LOGGING,
    id: "4.2.3",
    title: "Log files are closed to others",
    rationale:
      "Others must not read logs, and only their writer may change them: no group may write, and nobody execute.",
    remediation:
      "`find /var/log -type f -exec chmod g-wx,o-rwx {} +`, and correct the `create` lines of logrotate that make them anew.",
    severity: "Warning",
    cost: "walk",
    check: { test: "tree-mode", path: "/var/log", maxMode: 0o640 },
  },
  {
    ...LOGGING,
    id: "4.3",
    title: "Logs are rotated",
    rationale:
      "A log that nobody cuts fills the storage, and then nothing is logged any more. Judged is that logrotate runs and knows every file that rsyslog writes.",
    remediation:
      "`apt-get install logrotate`, `systemctl enable logrotate.timer`, and a file in /etc/logrotate.d with a block for each log, for example:\n/var/log/syslog {\n  weekly\n  rotate 4\n  compress\n  missingok\n}",
    isScored: false,
    severity: "Warning",
    group: "Logrotate",
    cost: "light",
    check: { test: "logrotate" },
  },
];
