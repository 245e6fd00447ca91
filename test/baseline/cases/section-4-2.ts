/** rsyslog in both of its languages, journald, modes of logs, and logrotate. */
import type { SocketFacts } from "../../../src/contract/probe.ts";
import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const NOTHING: CaseDevice = { files: { "/etc/hostname": "gw\n" } };

/** As Debian 12 ships it. */
const DEBIAN = `# /etc/rsyslog.conf
module(load="imuxsock") # provides support for local system logging
module(load="imklog")
#module(load="imudp")
#input(type="imudp" port="514")
$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
$FileOwner root
$FileCreateMode 0640
$WorkDirectory /var/spool/rsyslog
$IncludeConfig /etc/rsyslog.d/*.conf
*.*;auth,authpriv.none		-/var/log/syslog
auth,authpriv.*			/var/log/auth.log
cron.*				-/var/log/cron.log
kern.*				-/var/log/kern.log
mail.*				-/var/log/mail.log
user.*				-/var/log/user.log
*.emerg				:omusrmsg:*
`;

function rsyslog(text: string, dropIn?: string, more: Partial<CaseDevice> = {}): CaseDevice {
  const files: RootFiles = { "/usr/sbin/rsyslogd": "", "/etc/rsyslog.conf": text };
  const extra = dropIn === undefined ? {} : { "/etc/rsyslog.d/50-own.conf": dropIn };
  return { files: { ...files, ...extra }, ...more };
}

const GARBAGE: readonly CaseDevice[] = [
  rsyslog("\0\0"),
  rsyslog("%%% garbage\n"),
  rsyslog(DEBIAN, 'action(type="omfile" file="/x"\n'),
  rsyslog(DEBIAN, "\0"),
  { files: { "/etc/rsyslog.conf": { isRefused: true } } },
];

function socket514(localAddress: string): SocketFacts {
  return {
    protocol: "udp",
    family: "ipv4",
    state: 7,
    localAddress,
    localPort: 514,
    remoteAddress: "0.0.0.0",
    remotePort: 0,
    userId: 0,
    inode: 1,
    interfaceIndex: 0,
  };
}

const JOURNALD: RootFiles = { "/usr/lib/systemd/systemd-journald": "" };
const MAIN = "/etc/systemd/journald.conf";

function journald(main: string | undefined, more: RootFiles = {}): CaseDevice {
  return { files: { ...JOURNALD, ...(main === undefined ? {} : { [MAIN]: main }), ...more } };
}

function journal(
  rule: string,
  key: string,
  values: { readonly good: readonly string[]; readonly bad: readonly string[] },
  more: { readonly pass?: readonly CaseDevice[]; readonly fail?: readonly CaseDevice[] },
): RuleCases {
  const [good = ""] = values.good;
  const [bad = ""] = values.bad;
  const at = (value: string): string => `[Journal]\n${key}=${value}\n`;
  return {
    rule,
    pass: [
      ...values.good.map((value) => journald(at(value))),
      journald(at(bad), { "/etc/systemd/journald.conf.d/60.conf": at(good) }),
      journald(undefined, { "/usr/lib/systemd/journald.conf.d/syslog.conf": at(good) }),
      ...(more.pass ?? []),
    ],
    fail: [
      ...values.bad.map((value) => journald(at(value))),
      journald(at(good), { "/etc/systemd/journald.conf.d/60.conf": at(bad) }),
      journald(at(good), {
        "/etc/systemd/journald.conf.d/60.conf": at(bad),
        "/usr/lib/systemd/journald.conf.d/60.conf": at(good),
      }),
      ...(more.fail ?? []),
    ],
    notApplicable: [NOTHING],
    error: [
      journald("\0"),
      journald("%% nothing known %%"),
      journald(at(good), { "/etc/systemd/journald.conf.d/60.conf": "\0" }),
    ],
  };
}

function withService(...files: readonly RootFiles[]): CaseDevice {
  const base = {
    "/usr/sbin/rsyslogd": "",
    "/usr/lib/systemd/system/rsyslog.service": "[Service]\nExecStart=/usr/sbin/rsyslogd -n\n",
  };
  return { files: Object.assign({}, base, ...files) };
}

const WANTED = {
  "/etc/systemd/system/multi-user.target.wants/rsyslog.service": {
    link: "/usr/lib/systemd/system/rsyslog.service",
  },
};

const ROTATE: RootFiles = {
  "/etc/logrotate.conf": "weekly\nrotate 4\ncreate\n#dateext\ninclude /etc/logrotate.d\n",
  "/etc/logrotate.d/rsyslog":
    "/var/log/syslog\n/var/log/mail.log\n/var/log/kern.log\n/var/log/auth.log\n/var/log/user.log\n/var/log/cron.log\n{\n\trotate 4\n\tpostrotate\n\t\t[ -x /x ] && { y; }\n\tendscript\n}\n",
  "/etc/logrotate.d/dpkg": "/var/log/dpkg.log {\n\tmonthly\n\tcreate 644 root root\n}\n",
  "/etc/logrotate.d/old.dpkg-old": "%%% garbage that is left out",
};
const CRON_JOB: RootFiles = { "/etc/cron.daily/logrotate": { mode: 0o755 } };
const TIMER: RootFiles = {
  "/usr/lib/systemd/system/logrotate.timer": "[Timer]\nOnCalendar=daily\n",
  "/etc/systemd/system/timers.target.wants/logrotate.timer": {
    link: "/usr/lib/systemd/system/logrotate.timer",
  },
};

function rotated(...files: readonly RootFiles[]): CaseDevice {
  return { files: Object.assign({}, ROTATE, ...files) };
}

export const SECTION_4_2_CASES: readonly RuleCases[] = [
  {
    rule: "4.2.1.1",
    pass: [
      { files: { "/var/lib/dpkg/status": "Package: rsyslog\nStatus: install ok installed\n" } },
    ],
    fail: [
      { files: { "/var/lib/dpkg/status": "Package: rsyslog\nStatus: deinstall ok config-files\n" } },
      { files: { "/lib/apk/db/installed": "P:busybox\nV:1\n" } },
    ],
    notApplicable: [NOTHING],
    error: [{ files: { "/var/lib/dpkg/status": "garbage" } }],
  },
  {
    rule: "4.2.1.2",
    pass: [
      withService(WANTED),
      {
        files: {
          "/usr/sbin/rsyslogd": "",
          "/etc/init.d/rsyslog": "",
          "/etc/rc2.d/S01rsyslog": { link: "../init.d/rsyslog" },
        },
      },
    ],
    fail: [
      withService(),
      withService(WANTED, { "/etc/systemd/system/rsyslog.service": { link: "/dev/null" } }),
    ],
    notApplicable: [NOTHING, { files: { "/usr/sbin/rsyslogd": "" } }],
    error: [withService({ "/etc/systemd/system": { kind: "folder", isRefused: true } })],
  },
  {
    rule: "4.2.1.3",
    pass: [
      rsyslog(DEBIAN),
      rsyslog("*.info;mail.none /var/log/messages\nmail.warn @@logs:514\n"),
      rsyslog('*.* action(type="omfwd"\n  target="logs" # there\n  port="514")\n'),
      rsyslog('action(type="omfile" file="/var/log/all")\n'),
      rsyslog("*.=err -/var/log/errors\n"),
      rsyslog('include(file="/etc/rsyslog.d/*.conf")\n', "*.warning |/run/pipe\n"),
    ],
    fail: [
      rsyslog(""),
      rsyslog(DEBIAN.replace("auth,authpriv.*", "auth.*")),
      rsyslog("*.crit /var/log/crit\n"),
      rsyslog("*.*;*.!err /var/log/x\n"),
      rsyslog("*.* :omusrmsg:*\n*.* ~\n*.* /var/log/late\n"),
      rsyslog("*.* /dev/null\n"),
      rsyslog("$IncludeConfig /etc/other/*.conf\n", "*.* /var/log/all\n"),
    ],
    notApplicable: [NOTHING],
    error: GARBAGE,
  },
  {
    rule: "4.2.1.4",
    pass: [
      rsyslog(DEBIAN),
      rsyslog("$FileCreateMode 0600\n"),
      rsyslog('module(load="builtin:omfile"\n  fileCreateMode="0640" dirCreateMode="0755")\n'),
      rsyslog(DEBIAN, '*.* action(type="omfile" file="/var/log/x" FileCreateMode="0600")\n'),
    ],
    fail: [
      rsyslog("*.* /var/log/x\n"),
      rsyslog("#$FileCreateMode 0640\n"),
      rsyslog("$FileCreateMode 0644\n"),
      rsyslog(DEBIAN, "$FileCreateMode 0644\n"),
      rsyslog(DEBIAN, '*.* action(type="omfile" file="/var/log/x" fileCreateMode="0666")\n'),
      rsyslog('*.* action(type="omfile" file="/var/log/x" fileCreateMode="0640")\n'),
    ],
    notApplicable: [NOTHING],
    error: [...GARBAGE, rsyslog("$FileCreateMode rw\n")],
  },
  {
    rule: "4.2.1.5",
    pass: [
      rsyslog(DEBIAN, "*.* @@logs.example.com:514\n"),
      rsyslog(DEBIAN, "*.* @192.0.2.1\n"),
      rsyslog(DEBIAN, "*.* @@(o)[2001:db8::1]:6514;RSYSLOG_SyslogProtocol23Format\n"),
      rsyslog(DEBIAN, '*.* action(type="omfwd" target="logs" port="514" protocol="tcp")\n'),
      rsyslog(DEBIAN, 'if $msg contains "(" then {\n  action(type="omfwd"\n target="logs")\n}\n'),
      rsyslog(DEBIAN, "*.* :omrelp:logs:2514\n"),
    ],
    fail: [
      rsyslog(DEBIAN),
      rsyslog(DEBIAN, "#*.* @@logs.example.com\n"),
      rsyslog(DEBIAN, '/* *.* action(type="omfwd" target="logs") */\n'),
      rsyslog(DEBIAN, '*.* action(type="omfwd")\n'),
      rsyslog(DEBIAN.replace("$IncludeConfig", "#"), "*.* @@logs\n"),
    ],
    notApplicable: [NOTHING],
    error: GARBAGE,
  },
  {
    rule: "4.2.1.6",
    pass: [
      rsyslog(DEBIAN),
      rsyslog(DEBIAN, 'module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="514")\n'),
      rsyslog(DEBIAN, "", { sockets: [socket514("127.0.0.1")] }),
      rsyslog(DEBIAN, "", { sockets: [socket514("0.0.0.0")], isLive: false }),
    ],
    fail: [
      rsyslog(DEBIAN, "$ModLoad imtcp\n$InputTCPServerRun 514\n"),
      rsyslog(DEBIAN, "$UDPServerRun 514\n"),
      rsyslog(DEBIAN, 'module(load="imtcp")\ninput(type="imtcp"\n  port="6514")\n'),
      rsyslog(DEBIAN, "", { sockets: [socket514("0.0.0.0")] }),
      rsyslog(DEBIAN, "$UDPServerRun 514\n", { isLive: false }),
    ],
    notApplicable: [NOTHING],
    error: GARBAGE,
  },
  journal(
    "4.2.2.1",
    "ForwardToSyslog",
    { good: ["yes", "true", "1"], bad: ["no"] },
    { fail: [journald("[Journal]\n#ForwardToSyslog=yes\n"), journald("[Other]\nForwardToSyslog=yes\n")] },
  ),
  journal(
    "4.2.2.2",
    "Compress",
    { good: ["yes", "512", "4K"], bad: ["no", "0", "false"] },
    { pass: [journald("[Journal]\n#Compress=no\n"), journald(undefined)] },
  ),
  journal(
    "4.2.2.3",
    "Storage",
    { good: ["persistent"], bad: ["volatile", "none", "auto"] },
    {
      pass: [
        journald("[Journal]\n", { "/var/log/journal": { kind: "folder" } }),
        journald("[Journal]\nStorage=auto\n", { "/var/log/journal": { kind: "folder" } }),
      ],
      fail: [
        journald(undefined),
        journald("[Journal]\nStorage=volatile\n", { "/var/log/journal": { kind: "folder" } }),
      ],
    },
  ),
  {
    rule: "4.2.3",
    pass: [
      {
        files: {
          "/var/log/syslog": { mode: 0o640 },
          "/var/log/apt/term.log": { mode: 0o600 },
          "/var/log/link": { link: "/etc/passwd" },
          "/etc/passwd": "",
        },
      },
    ],
    fail: [
      { files: { "/var/log/syslog": { mode: 0o640 }, "/var/log/apt/term.log": { mode: 0o644 } } },
      { files: { "/var/log/a": { mode: 0o660 } } },
      { files: { "/var/log/a": { mode: 0o740 } } },
      { files: { "/var/log/a": { mode: 0o644 }, "/var/log/b": { kind: "folder", isRefused: true } } },
    ],
    notApplicable: [NOTHING, { files: { "/var/log": { kind: "folder" } } }],
    error: [
      {
        files: {
          "/var/log/syslog": { mode: 0o640 },
          "/var/log/private": { kind: "folder", isRefused: true },
        },
      },
    ],
  },
  {
    rule: "4.3",
    pass: [
      rotated(CRON_JOB),
      rotated(TIMER),
      rotated(TIMER, { "/etc/rsyslog.conf": DEBIAN }),
      rotated(CRON_JOB, {
        "/etc/rsyslog.conf": "*.* /var/log/own/all.log\n",
        "/etc/logrotate.d/own": '"/var/log/own/*.log" {\n  size 1M\n}\n',
      }),
    ],
    fail: [
      rotated(),
      { files: { "/etc/rsyslog.conf": DEBIAN } },
      { files: { "/etc/logrotate.conf": "weekly\n", ...CRON_JOB } },
      rotated(TIMER, { "/etc/rsyslog.conf": "*.* /var/log/own.log\n" }),
      rotated(TIMER, { "/etc/systemd/system/logrotate.timer": { link: "/dev/null" } }),
    ],
    notApplicable: [NOTHING],
    error: [
      rotated(CRON_JOB, { "/etc/logrotate.d/x": "\0" }),
      rotated(CRON_JOB, { "/etc/logrotate.d/x": "%%%\n" }),
      rotated(CRON_JOB, { "/etc/logrotate.d/x": "/var/log/x {\n weekly\n" }),
      rotated(CRON_JOB, { "/etc/rsyslog.conf": "%%%" }),
    ],
  },
];
