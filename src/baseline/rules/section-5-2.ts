import type { Check } from "../check.ts";
import type { Expectation } from "../expectation.ts";
import type { Rule, Severity } from "../rule.ts";

interface SshRule {
  readonly id: string;
  readonly title: string;
  readonly rationale: string;
  readonly severity: Severity;
  readonly remediation: string;
  readonly check: Check;
  readonly levels?: readonly [server: 1 | 2, workstation: 1 | 2];
}

function sshRule({ levels = [1, 1], ...rule }: SshRule): Rule {
  return {
    ...rule,
    level: levels[0],
    workstationLevel: levels[1],
    isScored: true,
    group: "SSH Server",
    cost: "shared",
  };
}

function sshd(key: string, expected: Expectation, fallback?: string): Check {
  return { test: "sshd", key, expected, ...(fallback === undefined ? {} : { fallback }) };
}

function setTo(line: string): string {
  return `Set "${line}" in /etc/ssh/sshd_config, before any Match line and any Include that sets it otherwise; then: systemctl reload ssh (sshd on Fedora and its kin)`;
}

const FILES_OF_SSHD: readonly Rule[] = [
  sshRule({
    id: "5.2.1",
    title: "Only root can read and change the SSH server's configuration",
    rationale:
      "Whoever can write it decides who may log in; whoever can read it learns which ways in there are.",
    severity: "Important",
    remediation:
      "chown root:root /etc/ssh/sshd_config && chmod 0600 /etc/ssh/sshd_config; the same for /etc/ssh/sshd_config.d/*.conf",
    check: {
      all: [
        { test: "file-mode", path: "/etc/ssh/sshd_config", maxMode: 0o600 },
        { test: "file-mode", path: "/etc/ssh/sshd_config.d/*.conf", maxMode: 0o600 },
      ],
    },
  }),
  sshRule({
    id: "5.2.2",
    title: "Private host keys are for root alone",
    rationale: "With a private host key anyone can pretend to be this device to its operators.",
    severity: "Critical",
    remediation:
      "chown root:root /etc/ssh/ssh_host_*_key && chmod 0600 /etc/ssh/ssh_host_*_key; make new keys if others could read them",
    check: { test: "sshd-key-mode", part: "private" },
  }),
  sshRule({
    id: "5.2.3",
    title: "Public host keys can be changed by root alone",
    rationale: "A replaced public key makes the server useless, or tells operators a false key.",
    severity: "Warning",
    remediation:
      "chown root:root /etc/ssh/ssh_host_*_key.pub && chmod 0644 /etc/ssh/ssh_host_*_key.pub",
    check: { test: "sshd-key-mode", part: "public" },
  }),
];

const SETTINGS: readonly Rule[] = [
  sshRule({
    id: "5.2.4",
    title: "The SSH server speaks protocol 2 alone",
    rationale:
      "Protocol 1 can be read and changed on the way. OpenSSH 7.6 and later know protocol 2 alone, whatever the configuration says.",
    severity: "Critical",
    remediation: setTo("Protocol 2"),
    check: {
      test: "sshd",
      key: "Protocol",
      expected: { oneOf: ["2"] },
      fallback: "2",
      fixedSince: "7.6",
    },
  }),
  sshRule({
    id: "5.2.5",
    title: "The SSH server logs logins, and no more than that",
    rationale:
      "Less than INFO leaves out logins and logouts; debug levels fill the log and tell private things.",
    severity: "Warning",
    remediation: setTo("LogLevel VERBOSE"),
    check: sshd("LogLevel", { oneOf: ["INFO", "VERBOSE"] }, "INFO"),
  }),
  sshRule({
    id: "5.2.6",
    title: "The SSH server forwards no X11",
    rationale:
      "Through a forwarded display the device can reach the keyboard and screen of whoever logs in.",
    severity: "Warning",
    remediation: setTo("X11Forwarding no"),
    levels: [2, 1],
    check: sshd("X11Forwarding", { oneOf: ["no"] }, "no"),
  }),
  sshRule({
    id: "5.2.7",
    title: "An SSH connection allows four attempts to log in at most",
    rationale: "Few attempts per connection slow the guessing of passwords down.",
    severity: "Warning",
    remediation: setTo("MaxAuthTries 4"),
    check: sshd("MaxAuthTries", { atLeast: 1, atMost: 4 }, "6"),
  }),
  sshRule({
    id: "5.2.8",
    title: "The SSH server ignores rhosts files",
    rationale: "They let users of other machines in by the name of their machine.",
    severity: "Important",
    remediation: setTo("IgnoreRhosts yes"),
    check: sshd("IgnoreRhosts", { oneOf: ["yes"] }, "yes"),
  }),
  sshRule({
    id: "5.2.9",
    title: "The SSH server trusts no other machine to vouch for users",
    rationale: "One lost machine would open all that trust it.",
    severity: "Important",
    remediation: setTo("HostbasedAuthentication no"),
    check: sshd("HostbasedAuthentication", { oneOf: ["no"] }, "no"),
  }),
  sshRule({
    id: "5.2.10",
    title: "Root cannot log in by SSH",
    rationale:
      "People who log in as themselves and then become root can be told apart in the log, and an attacker needs two secrets.",
    severity: "Important",
    remediation: setTo("PermitRootLogin no"),
    check: sshd("PermitRootLogin", { oneOf: ["no"] }, "prohibit-password"),
  }),
  sshRule({
    id: "5.2.11",
    title: "The SSH server refuses empty passwords",
    rationale: "An account without a password would be open to everyone on the network.",
    severity: "Critical",
    remediation: setTo("PermitEmptyPasswords no"),
    check: sshd("PermitEmptyPasswords", { oneOf: ["no"] }, "no"),
  }),
  sshRule({
    id: "5.2.12",
    title: "Users cannot set the environment of their SSH sessions",
    rationale: "Variables such as LD_PRELOAD get around what a forced command allows.",
    severity: "Important",
    remediation: setTo("PermitUserEnvironment no"),
    check: sshd("PermitUserEnvironment", { oneOf: ["no"] }, "no"),
  }),
  sshRule({
    id: "5.2.13",
    title: "The SSH server offers strong ciphers alone",
    rationale: "Text under CBC ciphers, arcfour and 3DES can be recovered in part.",
    severity: "Important",
    remediation: setTo("Ciphers -*-cbc,arcfour*,3des*"),
    check: sshd("Ciphers", {
      withoutAny: [
        "3des-cbc",
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "arcfour",
        "arcfour128",
        "arcfour256",
        "blowfish-cbc",
        "cast128-cbc",
        "rijndael-cbc@lysator.liu.se",
        "none",
      ],
    }),
  }),
  sshRule({
    id: "5.2.14",
    title: "The SSH server offers strong message authentication alone",
    rationale:
      "MD5, RIPEMD-160, SHA-1 and 64-bit tags are too weak to prove that nothing was changed.",
    severity: "Important",
    remediation: setTo("MACs -hmac-sha1*,umac-64*,hmac-md5*,hmac-ripemd160*"),
    check: sshd("MACs", {
      withoutAny: [
        "hmac-md5",
        "hmac-md5-96",
        "hmac-md5-etm@openssh.com",
        "hmac-md5-96-etm@openssh.com",
        "hmac-ripemd160",
        "hmac-ripemd160@openssh.com",
        "hmac-ripemd160-etm@openssh.com",
        "hmac-sha1",
        "hmac-sha1-96",
        "hmac-sha1-etm@openssh.com",
        "hmac-sha1-96-etm@openssh.com",
        "umac-64@openssh.com",
        "umac-64-etm@openssh.com",
      ],
    }),
  }),
  sshRule({
    id: "5.2.15",
    title: "The SSH server offers strong key exchange alone",
    rationale: "Exchanges with SHA-1 or a 1024-bit group can be broken by those who record now.",
    severity: "Important",
    remediation: setTo("KexAlgorithms -diffie-hellman-*-sha1"),
    check: sshd("KexAlgorithms", {
      withoutAny: [
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
      ],
    }),
  }),
  sshRule({
    id: "5.2.16",
    title: "Dead SSH sessions end within minutes",
    rationale:
      "A session whose client is gone stays open to whoever takes over its place. A ClientAliveCountMax of 0 ends none since OpenSSH 8.2.",
    severity: "Warning",
    remediation: setTo(`ClientAliveInterval 300" and "ClientAliveCountMax 3`),
    check: {
      all: [
        sshd("ClientAliveInterval", { atLeast: 1, atMost: 300 }, "0"),
        sshd("ClientAliveCountMax", { atLeast: 1, atMost: 3 }, "3"),
      ],
    },
  }),
  sshRule({
    id: "5.2.17",
    title: "A login by SSH takes a minute at most",
    rationale: "Connections that never log in take the places of those who want to.",
    severity: "Warning",
    remediation: setTo("LoginGraceTime 60"),
    check: sshd("LoginGraceTime", { atLeast: 1, atMost: 60 }, "120"),
  }),
];

const LIMITS: readonly Rule[] = [
  sshRule({
    id: "5.2.18",
    title: "Only some users or groups can log in by SSH",
    rationale:
      "An account that was made for a service, or forgotten, is then no way in from the network.",
    severity: "Important",
    remediation: setTo("AllowGroups ssh-users"),
    check: { test: "sshd-any", keys: ["AllowUsers", "AllowGroups", "DenyUsers", "DenyGroups"] },
  }),
  sshRule({
    id: "5.2.19",
    title: "The SSH server shows a warning before the login",
    rationale: "Whoever gets in without permission cannot say that nobody told them.",
    severity: "Informational",
    remediation: setTo("Banner /etc/issue.net"),
    check: sshd("Banner", { noneOf: ["none", ""] }, "none"),
  }),
  sshRule({
    id: "5.2.20",
    title: "The SSH server asks PAM",
    rationale:
      "Lockout after failures, expiry of accounts and limits of sessions are rules of PAM, and reach SSH in no other way.",
    severity: "Important",
    remediation: setTo("UsePAM yes"),
    check: sshd("UsePAM", { oneOf: ["yes"] }, "no"),
  }),
  sshRule({
    id: "5.2.21",
    title: "The SSH server forwards no TCP connections",
    rationale: "A forwarded connection goes past the firewall, in or out.",
    severity: "Warning",
    remediation: setTo("AllowTcpForwarding no"),
    levels: [2, 2],
    check: sshd("AllowTcpForwarding", { oneOf: ["no"] }, "yes"),
  }),
  sshRule({
    id: "5.2.22",
    title: "The SSH server limits connections that have not logged in",
    rationale: "Otherwise a stranger can take all places with connections that never log in.",
    severity: "Warning",
    remediation: setTo("MaxStartups 10:30:60"),
    levels: [2, 2],
    // Start of refusal at 10 or sooner, with at least 30 of 100, all refused from 60 on.
    check: sshd(
      "MaxStartups",
      { pattern: "(?:10|[1-9])(?::(?:[3-9]\\d|100):(?:60|[1-5]?\\d))?" },
      "10:30:100",
    ),
  }),
  sshRule({
    id: "5.2.23",
    title: "An SSH connection carries four sessions at most",
    rationale: "One stolen connection should not open sessions without end.",
    severity: "Warning",
    remediation: setTo("MaxSessions 4"),
    check: sshd("MaxSessions", { atLeast: 0, atMost: 4 }, "10"),
  }),
];

/** The program, or its configuration where no package database says that the package is gone. */
const HAS_SSHD: Check = {
  any: [
    { test: "file-exists", path: "/usr/sbin/sshd" },
    { test: "file-exists", path: "/usr/bin/sshd" },
    {
      all: [
        { test: "file-exists", path: "/etc/ssh/sshd_config" },
        { not: { test: "package", names: ["openssh-server*", "openssh"], want: "absent" } },
      ],
    },
  ],
};

/** Without PAM on the device there is nothing to ask. */
const HAS_PAM: Check = { test: "file-exists", path: "/etc/pam.d" };

/** Section 5.2: the SSH server. */
export const SECTION_5_2: readonly Rule[] = [...FILES_OF_SSHD, ...SETTINGS, ...LIMITS].map(
  (rule) => ({
    ...rule,
    appliesWhen: rule.id === "5.2.20" ? { all: [HAS_SSHD, HAS_PAM] } : HAS_SSHD,
    otherwise: rule.id === "5.2.20" ? "no OpenSSH server, or no PAM" : "no OpenSSH server here",
  }),
);
