import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const MAIN = "/etc/ssh/sshd_config";
const DROP_IN = "/etc/ssh/sshd_config.d/10-site.conf";
const KEY = "/etc/ssh/ssh_host_ed25519_key";
const NO_SSH: CaseDevice = { files: { "/etc/hostname": "gateway" } };

function dpkg(version: string): string {
  return `Package: openssh-server\nStatus: install ok installed\nVersion: ${version}\n\n`;
}

/** A device with OpenSSH 9.2 as Debian 12 has it, and these lines in its configuration. */
function sshd(lines: string, more: RootFiles = {}): CaseDevice {
  return {
    files: {
      [MAIN]: { text: `# the server\n${lines}\n`, mode: 0o600 },
      "/usr/sbin/sshd": "",
      "/var/lib/dpkg/status": dpkg("1:9.2p1-2+deb12u3"),
      ...more,
    },
  };
}

/** The same with another version. */
function sshdOf(version: string, lines: string): CaseDevice {
  return sshd(lines, { "/var/lib/dpkg/status": dpkg(version) });
}

/** Nothing tells the version. */
function unknownSshd(lines: string): CaseDevice {
  return { files: { [MAIN]: lines } };
}

const GARBAGE: readonly CaseDevice[] = [
  sshd("\u0001\u0002 ???"),
  { files: { [MAIN]: { isRefused: true } } },
  sshd("Include sshd_config.d/*.conf", { [DROP_IN]: "\0binary" }),
  sshd("Include loop.conf", { "/etc/ssh/loop.conf": "Include loop.conf\n" }),
  sshd("LogLevel"),
];

interface Values {
  readonly good: readonly string[];
  readonly bad: readonly string[];
  /** What the server does where nothing is set. */
  readonly isDefaultGood: boolean;
}

/** Values in the main file, in an included one that comes first, and in a Match block. */
function keyCases(rule: string, key: string, { good, bad, isDefaultGood }: Values): RuleCases {
  const [best = ""] = good;
  const [worst = ""] = bad;
  const pass = [
    ...good.map((value) => sshd(`${key} ${value}`)),
    sshd(`${key.toUpperCase()}="${best}"`),
    sshd(`${key} ${best}\n${key} ${worst}`),
    sshd(`Include sshd_config.d/*.conf\n${key} ${worst}`, { [DROP_IN]: `${key} ${best}\n` }),
    sshd(`Match User backup\n${key} ${best}\nMatch all\n${key} ${best}`),
  ];
  const fail = [
    ...bad.map((value) => sshd(`${key} ${value}`)),
    sshd(`${key} ${worst}\n${key} ${best}`),
    sshd(`Include /etc/ssh/sshd_config.d/*.conf\n${key} ${best}`, {
      [DROP_IN]: `${key} ${worst} # why\n`,
    }),
    sshd(`${key} ${best}\nMatch User backup\n  ${key} ${worst}`),
    // What a Match block includes stays in it.
    sshd(`${key} ${best}\nMatch User backup\nInclude ${DROP_IN}`, {
      [DROP_IN]: `Match all\n${key} ${worst}\n`,
    }),
  ];
  (isDefaultGood ? pass : fail).push(sshd(""));
  return { rule, pass, fail, notApplicable: [NO_SSH], error: GARBAGE };
}

const yesNo = (rule: string, key: string, isNoGood: boolean, isDefaultGood: boolean): RuleCases =>
  keyCases(rule, key, {
    good: [isNoGood ? "no" : "yes"],
    bad: [isNoGood ? "yes" : "no"],
    isDefaultGood,
  });

export const SECTION_5_2: readonly RuleCases[] = [
  {
    rule: "5.2.1",
    pass: [
      { files: { [MAIN]: { mode: 0o600 } } },
      { files: { [MAIN]: { mode: 0o600 }, [DROP_IN]: { mode: 0o600 } } },
    ],
    fail: [
      { files: { [MAIN]: { mode: 0o644 } } },
      { files: { [MAIN]: { mode: 0o600, groupId: 1000 } } },
      { files: { [MAIN]: { mode: 0o600 }, [DROP_IN]: { mode: 0o644 } } },
    ],
    notApplicable: [
      NO_SSH,
      // Removed, and its configuration left behind.
      { files: { [MAIN]: "", "/var/lib/dpkg/status": dpkg("1:9.2p1-2").replace("ok installed", "ok config-files") } },
    ],
  },
  {
    rule: "5.2.2",
    pass: [
      sshd("", { [KEY]: { mode: 0o600 } }),
      sshd("", { [KEY]: { mode: 0o640, groupId: 990 }, "/etc/group": "ssh_keys:x:990:\n" }),
      sshd("HostKey /data/key", { [KEY]: { mode: 0o644 }, "/data/key": { mode: 0o400 } }),
    ],
    fail: [
      sshd("", { [KEY]: { mode: 0o640 } }),
      sshd("", { [KEY]: { mode: 0o600 }, "/etc/ssh/ssh_host_rsa_key": { mode: 0o644 } }),
      sshd("", { [KEY]: { mode: 0o600, userId: 1000 } }),
      sshd(`HostKey ${KEY}\nHostKey /data/key`, {
        [KEY]: { mode: 0o600 },
        "/data/key": { mode: 0o604 },
      }),
    ],
    notApplicable: [NO_SSH, sshd("")],
    error: GARBAGE,
  },
  {
    rule: "5.2.3",
    pass: [sshd("", { [`${KEY}.pub`]: { mode: 0o644 } })],
    fail: [
      sshd("", { [`${KEY}.pub`]: { mode: 0o664 } }),
      sshd("", { [`${KEY}.pub`]: { mode: 0o644, userId: 1000 } }),
      sshd("HostKey /data/key", { "/data/key.pub": { mode: 0o646 } }),
    ],
    notApplicable: [NO_SSH, sshd("")],
    error: GARBAGE,
  },
  {
    rule: "5.2.4",
    pass: [
      sshd("Protocol 1"),
      sshdOf("1:10.0p1-7", ""),
      sshdOf("1:7.4p1-10", "Protocol 2"),
      unknownSshd("PermitRootLogin no"),
      { files: { [MAIN]: "Protocol 1\n", "/usr/lib/openssh/sshd-session": "" } },
    ],
    fail: [sshdOf("1:7.4p1-10", "Protocol 2,1"), unknownSshd("Protocol 1")],
    notApplicable: [NO_SSH],
    error: GARBAGE,
  },
  keyCases("5.2.5", "LogLevel", {
    good: ["INFO", "verbose"],
    bad: ["QUIET", "DEBUG3"],
    isDefaultGood: true,
  }),
  yesNo("5.2.6", "X11Forwarding", true, true),
  keyCases("5.2.7", "MaxAuthTries", {
    good: ["4", "1"],
    bad: ["5", "0", "many"],
    isDefaultGood: false,
  }),
  keyCases("5.2.8", "IgnoreRhosts", {
    good: ["yes"],
    bad: ["no", "shosts-only"],
    isDefaultGood: true,
  }),
  yesNo("5.2.9", "HostbasedAuthentication", true, true),
  keyCases("5.2.10", "PermitRootLogin", {
    good: ["no"],
    bad: ["yes", "prohibit-password", "forced-commands-only"],
    isDefaultGood: false,
  }),
  yesNo("5.2.11", "PermitEmptyPasswords", true, true),
  keyCases("5.2.12", "PermitUserEnvironment", {
    good: ["no"],
    bad: ["yes", "LANG,LC_*"],
    isDefaultGood: true,
  }),
  keyCases("5.2.13", "Ciphers", {
    good: ["aes256-ctr", "aes256-gcm@openssh.com,aes128-ctr", "-*-cbc", "^aes256-ctr"],
    bad: ["aes256-ctr,aes128-cbc", "+3des-cbc", "^aes256-cbc", "arcfour"],
    isDefaultGood: true,
  }),
  keyCases("5.2.14", "MACs", {
    good: ["hmac-sha2-512-etm@openssh.com", "-hmac-sha1*,umac-64*"],
    bad: ["hmac-sha1", "-hmac-sha1*", "+hmac-md5", "^hmac-sha2-512", "-*"],
    isDefaultGood: false,
  }),
  (() => {
    const cases = keyCases("5.2.15", "KexAlgorithms", {
      good: ["curve25519-sha256", "-diffie-hellman-*", "^curve25519-sha256"],
      bad: ["curve25519-sha256,diffie-hellman-group14-sha1", "+diffie-hellman-group1-sha1"],
      isDefaultGood: true,
    });
    return {
      ...cases,
      pass: [
        ...cases.pass,
        sshdOf("1:10.0p1-7", ""),
        sshdOf("1:7.9p1-10+deb10u2", "KexAlgorithms -*-sha1"),
        unknownSshd("KexAlgorithms -*-sha1"),
      ],
      fail: [
        ...cases.fail,
        sshdOf("1:7.9p1-10+deb10u2", ""),
        unknownSshd("KexAlgorithms +diffie-hellman-group1-sha1"),
      ],
      error: [...GARBAGE, unknownSshd("")],
    };
  })(),
  {
    rule: "5.2.16",
    pass: [
      sshd("ClientAliveInterval 300"),
      sshd("ClientAliveInterval 5m\nClientAliveCountMax 1"),
      sshd("ClientAliveInterval 15\nClientAliveCountMax 3"),
    ],
    fail: [
      sshd(""),
      sshd("ClientAliveInterval 0"),
      sshd("ClientAliveInterval 301"),
      sshd("ClientAliveInterval 1h"),
      sshd("ClientAliveInterval 300\nClientAliveCountMax 0"),
      sshd("ClientAliveInterval 300\nClientAliveCountMax 4"),
      sshd("ClientAliveInterval 300\nMatch User x\nClientAliveInterval 0"),
    ],
    notApplicable: [NO_SSH],
    error: GARBAGE,
  },
  keyCases("5.2.17", "LoginGraceTime", {
    good: ["60", "1m", "0m30s"],
    bad: ["61", "0", "2m", `${"1".repeat(4000)}?`],
    isDefaultGood: false,
  }),
  {
    rule: "5.2.18",
    pass: [
      sshd("AllowUsers operator"),
      sshd("allowgroups ssh-users admins"),
      sshd("DenyUsers root"),
      sshd("Include sshd_config.d/*.conf", { [DROP_IN]: "DenyGroups nossh\n" }),
    ],
    fail: [sshd(""), sshd("Match Address 10.0.0.0/8\nAllowUsers operator")],
    notApplicable: [NO_SSH],
    error: GARBAGE,
  },
  keyCases("5.2.19", "Banner", { good: ["/etc/issue.net"], bad: ["none"], isDefaultGood: false }),
  (() => {
    const cases = yesNo("5.2.20", "UsePAM", false, false);
    const withPam = (one: CaseDevice): CaseDevice => ({
      ...one,
      files: { "/etc/pam.d/sshd": "", ...one.files },
    });
    return {
      ...cases,
      pass: cases.pass.map(withPam),
      fail: cases.fail.map(withPam),
      notApplicable: [NO_SSH, sshd("")],
      error: GARBAGE.map(withPam),
    };
  })(),
  keyCases("5.2.21", "AllowTcpForwarding", {
    good: ["no"],
    bad: ["yes", "local", "all"],
    isDefaultGood: false,
  }),
  keyCases("5.2.22", "MaxStartups", {
    good: ["10:30:60", "5:50:20", "10"],
    bad: ["10:30:100", "11:30:60", "10:20:60", "100", "10:30"],
    isDefaultGood: false,
  }),
  keyCases("5.2.23", "MaxSessions", { good: ["4", "1"], bad: ["5", "10"], isDefaultGood: false }),
];
