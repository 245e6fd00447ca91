import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";
import { IN_A_CONTAINER, isNotThere, isThere, NOT_A_CONTAINER } from "./conditions.ts";

const CHATTER =
  "A service for tests of the network. Two such services can be made to talk to each other without end.";
const PLAIN_TEXT = "It carries passwords and content in plain text, and trusts addresses.";

interface InetdRule {
  readonly id: string;
  readonly what: string;
  readonly rationale: string;
  /** As inetd and xinetd name them. */
  readonly services: readonly string[];
  /** Units that start the same server. */
  readonly units?: readonly string[];
}

function inetdRule({ id, what, rationale, services, units = [] }: InetdRule): Rule {
  const inetd: Check = { test: "inetd-off", services };
  const disable = units.length === 0 ? "" : ` Run \`systemctl disable --now ${units.join(" ")}\`.`;
  return {
    id,
    title: `The ${what} is off`,
    rationale,
    remediation: `Put a # before the line of the service in /etc/inetd.conf, or set \`disable = yes\` in its file in /etc/xinetd.d, and restart the super-server.${disable}`,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: units.length === 0 ? "Warning" : "Important",
    group: "inetd Services",
    cost: units.length === 0 ? "light" : "shared",
    check: units.length === 0 ? inetd : { all: [inetd, { test: "service", units, want: "off" }] },
  };
}

/** Servers of old behind inetd: 2.1.1 to 2.1.10. */
export const INETD_RULES: readonly Rule[] = [
  inetdRule({
    id: "2.1.1",
    what: "chargen service",
    rationale: CHATTER,
    services: ["chargen*"],
  }),
  inetdRule({ id: "2.1.2", what: "daytime service", rationale: CHATTER, services: ["daytime*"] }),
  inetdRule({ id: "2.1.3", what: "discard service", rationale: CHATTER, services: ["discard*"] }),
  inetdRule({ id: "2.1.4", what: "echo service", rationale: CHATTER, services: ["echo*"] }),
  inetdRule({
    id: "2.1.5",
    what: "time service",
    rationale: CHATTER,
    services: ["time", "time-*"],
  }),
  inetdRule({
    id: "2.1.6",
    what: "server for rsh, rlogin and rexec",
    rationale: PLAIN_TEXT,
    services: ["shell", "login", "exec", "rsh*", "rlogin*", "rexec*"],
    units: ["rsh.socket", "rlogin.socket", "rexec.socket"],
  }),
  inetdRule({
    id: "2.1.7",
    what: "talk server",
    rationale: PLAIN_TEXT,
    services: ["talk", "ntalk"],
    units: ["ntalk.socket", "ntalk.service", "talk.socket"],
  }),
  inetdRule({
    id: "2.1.8",
    what: "telnet server",
    rationale: PLAIN_TEXT,
    services: ["telnet*"],
    units: ["telnet.socket", "telnetd.service", "inetutils-telnetd.service"],
  }),
  inetdRule({
    id: "2.1.9",
    what: "TFTP server",
    rationale: "Anyone may fetch its files without a password, and often write them too.",
    services: ["tftp*"],
    units: [
      "tftp.socket",
      "tftp.service",
      "tftpd-hpa.service",
      "atftpd.service",
      "in.tftpd.service",
    ],
  }),
  {
    id: "2.1.10",
    title: "The super-server xinetd is off",
    rationale: "It listens for others. Where nothing needs it, it should not.",
    remediation: "Run `systemctl disable --now xinetd`, or remove the package xinetd.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "inetd Services",
    cost: "shared",
    check: { test: "service", units: ["xinetd.service"], want: "off" },
  },
];

const NTP_FILES = ["/etc/ntp.conf", "/etc/ntpsec/ntp.conf"];
const CHRONY_FILES = [
  "/etc/chrony/chrony.conf",
  "/etc/chrony.conf",
  "/etc/chrony/conf.d/*.conf",
  "/etc/chrony.d/*.conf",
  "/etc/chrony/sources.d/*.sources",
];
const TIME_UNITS = [
  "chrony.service",
  "chronyd.service",
  "ntp.service",
  "ntpd.service",
  "ntpsec.service",
  "openntpd.service",
  "sysntpd.service",
  "busybox-ntpd.service",
];
const TIMESYNCD = "systemd-timesyncd.service";

/** A line of ntp.conf by which strangers may ask for the time and nothing else. Source: ntp_acc(5). */
function restricted(family: "" | "-4" | "-6"): Check {
  const words = ["kod", "nomodify", "nopeer", "noquery"].map((word) => `(?=.*\\s${word}\\b)`);
  const prefix = family === "" ? "" : `${family}\\s+`;
  return {
    test: "lines",
    files: NTP_FILES,
    pattern: `^restrict\\s+${prefix}default\\b${words.join("")}`,
    want: "some",
    what: `line restrict ${family} default kod nomodify nopeer noquery`,
  };
}

const TIMESYNC = {
  files: ["/etc/systemd/timesyncd.conf", "/usr/lib/systemd/timesyncd.conf"],
  dropIns: [
    "/etc/systemd/timesyncd.conf.d",
    "/run/systemd/timesyncd.conf.d",
    "/usr/lib/systemd/timesyncd.conf.d",
  ],
  section: "Time",
} as const;

/** The right time: 2.2.1.1 to 2.2.1.4. */
export const TIME_RULES: readonly Rule[] = [
  {
    id: "2.2.1.1",
    title: "A client keeps the clock right",
    rationale:
      "Certificates, tokens of the hub and the order of log lines all need the right time.",
    remediation:
      "Run `systemctl enable --now systemd-timesyncd` (Debian: after `apt install systemd-timesyncd`), or install chrony.",
    level: 1,
    workstationLevel: 1,
    isScored: false,
    severity: "Important",
    group: "Time Synchronization",
    cost: "shared",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: { test: "service", units: [...TIME_UNITS, TIMESYNCD], want: "enabled" },
  },
  {
    id: "2.2.1.2",
    title: "The NTP daemon has servers, asks no favours of strangers and is not root",
    rationale:
      "An NTP daemon that answers more than the time can be turned, and multiplies attacks on others.",
    remediation:
      "Have `restrict default kod nomodify nopeer noquery limited` and a line server or pool in ntp.conf, and start the daemon with `-u ntp:ntp` (NTPD_OPTS or OPTIONS).",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Time Synchronization",
    cost: "walk",
    appliesWhen: isThere(...NTP_FILES),
    otherwise: "no NTP daemon is configured here",
    check: {
      all: [
        { any: [restricted(""), { all: [restricted("-4"), restricted("-6")] }] },
        {
          test: "lines",
          files: [...NTP_FILES, "/etc/ntpsec/ntp.d/*.conf"],
          pattern: "^(?:server|pool|peer)\\s+\\S",
          want: "some",
          what: "line server or pool",
        },
        {
          test: "lines",
          files: [
            "/etc/sysconfig/ntpd",
            "/etc/init.d/ntp",
            "/usr/lib/ntp/ntp-systemd-wrapper",
            "/usr/libexec/ntpsec/ntp-systemd-wrapper",
          ],
          pattern: "RUNASUSER=[\"']?ntp|\\s-u\\s*[\"']?(?:ntp|\\$)",
          want: "some",
          what: "user of the daemon",
        },
        { test: "process-user", names: ["ntpd"] },
      ],
    },
  },
  {
    id: "2.2.1.3",
    title: "Chrony has servers and is not root",
    rationale:
      "Without servers the clock drifts. What reads packets of the network should not have all rights.",
    remediation:
      "Name a server or pool in chrony.conf or in a file of its sources.d, and remove `user root` there and `-u root` from the options of chronyd.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Time Synchronization",
    cost: "walk",
    appliesWhen: isThere("/etc/chrony/chrony.conf", "/etc/chrony.conf"),
    otherwise: "chrony is not configured here",
    check: {
      all: [
        {
          test: "lines",
          files: CHRONY_FILES,
          pattern: "^(?:server|pool|peer|refclock)\\s+\\S",
          comments: "#!;%",
          want: "some",
          what: "line server or pool",
        },
        {
          test: "lines",
          files: CHRONY_FILES,
          pattern: "^user\\s+root$",
          comments: "#!;%",
          want: "none",
          what: "line user root",
        },
        {
          test: "lines",
          files: ["/etc/sysconfig/chronyd", "/etc/default/chrony"],
          pattern: "-u\\s*root\\b",
          want: "none",
          what: "option -u root",
        },
        { test: "process-user", names: ["chronyd"] },
      ],
    },
  },
  {
    id: "2.2.1.4",
    title: "The time client of systemd is on and has servers",
    rationale:
      "A server that is chosen on purpose is better than one that came with the distribution or from the local network.",
    remediation:
      "Write `[Time]` and `NTP=SERVER` to /etc/systemd/timesyncd.conf.d/60-servers.conf, and run `systemctl enable --now systemd-timesyncd`.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Time Synchronization",
    cost: "shared",
    appliesWhen: {
      all: [
        isThere("/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd"),
        isNotThere(...NTP_FILES, "/etc/chrony/chrony.conf", "/etc/chrony.conf"),
      ],
    },
    otherwise: "the time client of systemd is not here, or another one is",
    check: {
      all: [
        { test: "service", units: [TIMESYNCD], want: "enabled" },
        {
          any: [
            { test: "setting", ...TIMESYNC, key: "NTP", expected: { pattern: "\\S.*" } },
            { test: "setting", ...TIMESYNC, key: "FallbackNTP", expected: { pattern: "\\S.*" } },
          ],
        },
      ],
    },
  },
];
