import type { RootFiles } from "../memory-root.ts";
import type { RuleCases } from "../rule-case.ts";
import {
  absentPackage,
  contained,
  dpkg,
  eachWith,
  enabledUnit,
  listener,
  live,
  NOTHING,
  offline,
  offService,
  REFUSED,
  SYSTEMD,
} from "./devices.ts";

const INETD = "/etc/inetd.conf";

function xinetd(name: string, disable: string, id = name): string {
  return `service ${name}\n{\n\tid = ${id}\n\tsocket_type = stream\n\tdisable = ${disable}\n}\n`;
}

/** Cases of a rule about services of inetd, and of units that start the same. */
function inetdCases(rule: string, service: string, unit?: string): RuleCases {
  const line = `${service} stream tcp nowait root internal\n`;
  const file = `/etc/xinetd.d/${service}`;
  const byUnit =
    unit === undefined ? [] : [offline({ ...SYSTEMD, ...enabledUnit(unit), [INETD]: "" })];
  return {
    rule,
    pass: [
      offline({ [INETD]: `#<off># ${line}pop3 stream tcp nowait root /usr/sbin/tcpd popd\n` }),
      offline({ [file]: `# text\n${xinetd(service, "yes")}` }),
      offline({ "/etc/xinetd.conf": `defaults\n{\n\tdisabled = ${service}\n}\n`, [file]: xinetd(service, "no") }),
      offline({ "/etc/xinetd.conf": "defaults {\n enabled = pop3\n}\nincludedir /etc/xinetd.d\n", [file]: xinetd(service, "no") }),
      // Xinetd does not read such names.
      offline({ "/etc/xinetd.conf": "", [`${file}.bak`]: xinetd(service, "no") }),
    ],
    fail: [
      offline({ [INETD]: line }),
      offline({ [INETD]: `127.0.0.1:${line}` }),
      offline({ "/etc/inetd.d/one": line }),
      offline({ [file]: xinetd(service, "no") }),
      offline({ [file]: `service ${service} {\n\tport = 1\n}\n` }),
      ...byUnit,
    ],
    notApplicable: [NOTHING],
    error: [
      offline({ [INETD]: "garbage\n" }),
      offline({ [file]: "garbage\n" }),
      offline({ [file]: `service ${service}\n{\n` }),
      offline({ [INETD]: REFUSED }),
    ],
  };
}

const NTP = "/etc/ntp.conf";
const RESTRICT = "default kod nomodify notrap nopeer noquery limited";

function ntp(...restrict: readonly string[]): RootFiles {
  return {
    [NTP]: `${restrict.map((one) => `restrict ${one}\n`).join("")}pool 0.debian.pool.ntp.org iburst\n`,
    "/usr/lib/ntp/ntp-systemd-wrapper": "#!/bin/sh\nRUNASUSER=ntp\nexec $DAEMON -u $UGID\n",
  };
}

function process(name: string, userId: number): RootFiles {
  return {
    "/proc/1/status": "Name:\tsystemd\nUid:\t0\t0\t0\t0\n",
    "/proc/55/status": `Name:\t${name}\nUid:\t${userId}\t${userId}\t${userId}\t${userId}\n`,
  };
}

const CHRONY = "/etc/chrony/chrony.conf";
const TIMESYNCD = enabledUnit("systemd-timesyncd.service");
const TIMESYNCD_PROGRAM: RootFiles = { "/usr/lib/systemd/systemd-timesyncd": "" };
const DROP_IN = "/etc/systemd/timesyncd.conf.d/60.conf";

const TIME_CASES: readonly RuleCases[] = [
  {
    rule: "2.2.1.1",
    pass: [
      offline({ ...SYSTEMD, ...TIMESYNCD }),
      offline({ ...SYSTEMD, ...enabledUnit("chrony.service") }),
      offline({ "/etc/runlevels/default/chronyd": { link: "/etc/init.d/chronyd" } }),
      offline({ "/etc/init.d/sysntpd": "", "/etc/rc.d/S98sysntpd": { link: "../init.d/sysntpd" } }),
    ],
    fail: [offline(SYSTEMD), offline({ "/etc/init.d/sysntpd": "" })],
    notApplicable: [NOTHING, contained(offline(SYSTEMD))],
    error: [offline({ ...SYSTEMD, "/etc/systemd/system": REFUSED })],
  },
  {
    rule: "2.2.1.2",
    pass: [
      offline(ntp(RESTRICT)),
      offline(ntp(`-4 ${RESTRICT}`, `-6 ${RESTRICT}`)),
      live({ ...ntp(RESTRICT), ...process("ntpd", 108) }),
    ],
    fail: [
      offline(ntp("default nomodify nopeer")),
      offline(ntp(`-4 ${RESTRICT}`)),
      offline(ntp(`-6 ${RESTRICT}`)),
      offline({ "/etc/ntpsec/ntp.conf": "pool x\n" }),
      offline({ ...ntp(RESTRICT), [NTP]: `restrict ${RESTRICT}\n# pool x\n` }),
      live({ ...ntp(RESTRICT), ...process("ntpd", 0) }),
      offline({ [NTP]: `restrict ${RESTRICT}\npool x\n`, "/etc/sysconfig/ntpd": "OPTIONS=-g\n" }),
    ],
    notApplicable: [NOTHING, live(process("ntpd", 0))],
    error: [offline({ ...ntp(RESTRICT), [NTP]: "\0" })],
  },
  {
    rule: "2.2.1.3",
    pass: [
      offline({ [CHRONY]: "pool 2.debian.pool.ntp.org iburst\n" }),
      offline({
        [CHRONY]: "sourcedir /etc/chrony/sources.d\n",
        "/etc/chrony/sources.d/site.sources": "server 10.0.0.1\n",
      }),
      live({ [CHRONY]: "pool x\n", ...process("chronyd", 101) }),
    ],
    fail: [
      offline({ [CHRONY]: "! pool 2.debian.pool.ntp.org iburst\n" }),
      live({ [CHRONY]: "pool x\n", ...process("chronyd", 0) }),
      offline({ [CHRONY]: "pool x\nuser root\n" }),
      offline({ "/etc/chrony.conf": "pool x\n", "/etc/sysconfig/chronyd": 'OPTIONS="-u root"\n' }),
    ],
    notApplicable: [NOTHING, live(process("chronyd", 0))],
    error: [offline({ [CHRONY]: REFUSED })],
  },
  {
    rule: "2.2.1.4",
    pass: [
      offline({
        ...TIMESYNCD_PROGRAM,
        ...TIMESYNCD,
        ...SYSTEMD,
        [DROP_IN]: "[Time]\nNTP=10.0.0.1\n",
      }),
      offline({
        ...TIMESYNCD_PROGRAM,
        ...TIMESYNCD,
        ...SYSTEMD,
        "/etc/systemd/timesyncd.conf": "[Time]\nFallbackNTP=a b\n",
      }),
    ],
    fail: [
      offline({ ...TIMESYNCD_PROGRAM, ...SYSTEMD, [DROP_IN]: "[Time]\nNTP=10.0.0.1\n" }),
      offline({
        ...TIMESYNCD_PROGRAM,
        ...TIMESYNCD,
        ...SYSTEMD,
        "/etc/systemd/timesyncd.conf": "[Time]\n#NTP=\n",
      }),
      offline({
        ...TIMESYNCD_PROGRAM,
        ...TIMESYNCD,
        ...SYSTEMD,
        "/etc/systemd/timesyncd.conf": "[Time]\nNTP=a\n",
        [DROP_IN]: "[Time]\nNTP=\n",
      }),
    ],
    notApplicable: [
      NOTHING,
      ...eachWith(
        { ...TIMESYNCD_PROGRAM, ...SYSTEMD },
        CHRONY,
        "/etc/chrony.conf",
        NTP,
        "/etc/ntpsec/ntp.conf",
      ),
    ],
    error: [offline({ ...TIMESYNCD_PROGRAM, ...TIMESYNCD, ...SYSTEMD, [DROP_IN]: REFUSED })],
  },
];

const POSTFIX = "/etc/postfix/main.cf";
const EXIM = "/etc/exim4/update-exim4.conf.conf";

const MAIL_CASES: RuleCases = {
  rule: "2.2.15",
  pass: [
    { files: {}, sockets: [] },
    {
      files: { [POSTFIX]: "inet_interfaces = 127.0.0.1, [::1]\n" },
      sockets: [listener("127.0.0.1", 25), listener("::1", 25), listener("0.0.0.0", 22)],
    },
    offline({ [POSTFIX]: "inet_interfaces = loopback-only\n" }),
    offline({ [EXIM]: "dc_local_interfaces='127.0.0.1 ; ::1'\n" }),
  ],
  fail: [
    { files: {}, sockets: [listener("127.0.0.1", 25), listener("::", 25)] },
    { files: {}, sockets: [listener("192.0.2.1", 587)] },
    offline({ [POSTFIX]: "inet_interfaces = all\n" }),
    offline({ [POSTFIX]: "inet_interfaces = loopback-only, 192.0.2.1\n" }),
    offline({ [EXIM]: "dc_local_interfaces=''\n" }),
  ],
  notApplicable: [NOTHING],
  error: [offline({ [POSTFIX]: REFUSED })],
};

export const SECTION_2_CASES: readonly RuleCases[] = [
  inetdCases("2.1.1", "chargen"),
  inetdCases("2.1.2", "daytime"),
  inetdCases("2.1.3", "discard"),
  inetdCases("2.1.4", "echo"),
  inetdCases("2.1.5", "time"),
  inetdCases("2.1.6", "login", "rsh.socket"),
  inetdCases("2.1.7", "ntalk", "ntalk.socket"),
  inetdCases("2.1.8", "telnet", "telnet.socket"),
  inetdCases("2.1.9", "tftp", "tftpd-hpa.service"),
  offService("2.1.10", "xinetd.service"),
  ...TIME_CASES,
  {
    ...absentPackage("2.2.2", "xserver-xorg-core"),
    error: [offline({ "/var/lib/rpm/Packages.db": "" })],
  },
  offService("2.2.3", "avahi-daemon.socket"),
  offService("2.2.4", "cups.service"),
  offService("2.2.5", "isc-dhcp-server.service"),
  offService("2.2.6", "slapd.service"),
  offService("2.2.7", "rpcbind.socket"),
  offService("2.2.8", "named.service"),
  offService("2.2.9", "vsftpd.service"),
  offService("2.2.10", "nginx.service"),
  offService("2.2.11", "dovecot.service"),
  offService("2.2.12", "smbd.service"),
  offService("2.2.13", "squid.service"),
  offService("2.2.14", "snmpd.service"),
  MAIL_CASES,
  offService("2.2.16", "rsync.service"),
  offService("2.2.17", "ypserv.service"),
  absentPackage("2.3.1", "nis"),
  absentPackage("2.3.2", "rsh-client"),
  absentPackage("2.3.3", "talk"),
  {
    ...absentPackage("2.3.4", "inetutils-telnet"),
    pass: [
      offline(dpkg()),
      offline({
        "/var/lib/dpkg/status":
          "Package: telnet\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: a\nStatus: install ok installed\n",
      }),
      offline({ "/lib/apk/db/installed": "P:musl\nV:1.2\n\n" }),
    ],
  },
  absentPackage("2.3.5", "ldap-utils"),
];
