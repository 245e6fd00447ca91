/** One setting of the hardened root at a time, and the rules that must notice. */
import type { Change, Changes } from "./changed-root.ts";

export interface Flip {
  readonly what: string;
  readonly changes: Changes;
  /** Every rule that depends on it, and no other. */
  readonly breaks: readonly string[];
}

const SYSCTL = "/etc/sysctl.d/60-hardening.conf";
const MODULES = "/etc/modprobe.d/hardening.conf";
const SSHD = "/etc/ssh/sshd_config.d/00-hardening.conf";

function replaced(what: string | RegExp, by: string): Change {
  return {
    text: (before) => {
      const after = before.replace(what, by);
      if (after === before) throw new Error(`nothing to change: ${String(what)}`);
      return after;
    },
  };
}

function appended(line: string): Change {
  return { text: (before) => `${before}\n${line}\n` };
}

function sysctl(key: string, value: string, ...breaks: readonly string[]): Flip {
  const line = new RegExp(`^${key.replaceAll(".", "\\.")} = .*$`, "m");
  const what = `sysctl ${key} = ${value}`;
  return { what, changes: { [SYSCTL]: replaced(line, `${key} = ${value}`) }, breaks };
}

function module(name: string, rule: string): Flip {
  const lines = new RegExp(`install ${name} /bin/false\\nblacklist ${name}\\n`);
  return { what: `module ${name}`, changes: { [MODULES]: replaced(lines, "") }, breaks: [rule] };
}

function sshd(key: string, value: string, rule: string): Flip {
  const line = new RegExp(`^${key} .*$`, "m");
  return {
    what: `sshd ${key} ${value}`,
    changes: { [SSHD]: replaced(line, value === "" ? "" : `${key} ${value}`) },
    breaks: [rule],
  };
}

function mount(path: string, option: string, rule: string): Flip {
  const line = new RegExp(`( ${path} \\w+ \\S*),${option}`);
  const what = `${path} without ${option}`;
  return { what, changes: { "/etc/fstab": replaced(line, "$1") }, breaks: [rule] };
}

function noMount(path: string, ...breaks: readonly string[]): Flip {
  const line = new RegExp(`^\\S+ ${path} .*$`, "m");
  return { what: `${path} is no mount`, changes: { "/etc/fstab": replaced(line, "") }, breaks };
}

function mode(path: string, bits: number, ...breaks: readonly string[]): Flip {
  return {
    what: `mode ${bits.toString(8)} of ${path}`,
    changes: { [path]: { mode: bits } },
    breaks,
  };
}

function owner(path: string, ...breaks: readonly string[]): Flip {
  return { what: `${path} owned by another`, changes: { [path]: { userId: 1000 } }, breaks };
}

function line(path: string, what: string | RegExp, by: string, ...breaks: readonly string[]): Flip {
  return {
    what: `${path}: ${String(what)} → ${by}`,
    changes: { [path]: replaced(what, by) },
    breaks,
  };
}

function more(path: string, text: string, ...breaks: readonly string[]): Flip {
  return { what: `${path}: and ${text}`, changes: { [path]: appended(text) }, breaks };
}

function gone(path: string, ...breaks: readonly string[]): Flip {
  return { what: `${path} is gone`, changes: { [path]: null }, breaks };
}

function installed(name: string, ...breaks: readonly string[]): Flip {
  const stanza = `\nPackage: ${name}\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n`;
  return { what: `package ${name}`, changes: { "/var/lib/dpkg/status": appended(stanza) }, breaks };
}

function removed(names: readonly string[], ...breaks: readonly string[]): Flip {
  const status = new RegExp(
    `(^Package: (?:${names.join("|")})\\nStatus: )install ok installed`,
    "gm",
  );
  return {
    what: `without ${names.join(" and ")}`,
    changes: { "/var/lib/dpkg/status": replaced(status, "$1deinstall ok config-files") },
    breaks,
  };
}

/** The package tool takes the program away as well. */
function withoutProgram(flip: Flip, path: string): Flip {
  return { ...flip, changes: { ...flip.changes, [path]: null } };
}

const FILE_SYSTEMS = [
  module("cramfs", "1.1.1.1"),
  module("freevxfs", "1.1.1.2"),
  module("jffs2", "1.1.1.3"),
  module("hfs", "1.1.1.4"),
  module("hfsplus", "1.1.1.5"),
  module("squashfs", "1.1.1.6"),
  module("udf", "1.1.1.7"),
  module("usb-storage", "1.1.23"),
  module("dccp", "3.4.1"),
  module("sctp", "3.4.2"),
  module("rds", "3.4.3"),
  module("tipc", "3.4.4"),
  mount("/tmp", "nodev", "1.1.3"),
  mount("/tmp", "nosuid", "1.1.4"),
  mount("/tmp", "noexec", "1.1.5"),
  mount("/var/tmp", "nodev", "1.1.8"),
  mount("/var/tmp", "nosuid", "1.1.9"),
  mount("/var/tmp", "noexec", "1.1.10"),
  mount("/home", "nodev", "1.1.14"),
  mount("/dev/shm", "nodev", "1.1.15"),
  mount("/dev/shm", "nosuid", "1.1.16"),
  mount("/dev/shm", "noexec", "1.1.17"),
  noMount("/var", "1.1.6"),
  noMount("/var/log", "1.1.11"),
  noMount("/var/log/audit", "1.1.12"),
];

const NETWORK = [
  sysctl("net.ipv4.ip_forward", "1", "3.1.1"),
  sysctl("net.ipv6.conf.all.forwarding", "1", "3.1.1"),
  sysctl("net.ipv4.conf.all.send_redirects", "1", "3.1.2"),
  sysctl("net.ipv4.conf.default.send_redirects", "1", "3.1.2"),
  sysctl("net.ipv4.conf.all.accept_source_route", "1", "3.2.1"),
  sysctl("net.ipv4.conf.default.accept_source_route", "1", "3.2.1"),
  sysctl("net.ipv6.conf.all.accept_source_route", "1", "3.2.1"),
  sysctl("net.ipv6.conf.default.accept_source_route", "1", "3.2.1"),
  sysctl("net.ipv4.conf.all.accept_redirects", "1", "3.2.2"),
  sysctl("net.ipv4.conf.default.accept_redirects", "1", "3.2.2"),
  sysctl("net.ipv6.conf.all.accept_redirects", "1", "3.2.2"),
  sysctl("net.ipv6.conf.default.accept_redirects", "1", "3.2.2"),
  sysctl("net.ipv4.conf.all.secure_redirects", "1", "3.2.3"),
  sysctl("net.ipv4.conf.default.secure_redirects", "1", "3.2.3"),
  sysctl("net.ipv4.conf.all.log_martians", "0", "3.2.4"),
  sysctl("net.ipv4.conf.default.log_martians", "0", "3.2.4"),
  sysctl("net.ipv4.icmp_echo_ignore_broadcasts", "0", "3.2.5"),
  sysctl("net.ipv4.icmp_ignore_bogus_error_responses", "0", "3.2.6"),
  sysctl("net.ipv4.conf.all.rp_filter", "0", "3.2.7"),
  sysctl("net.ipv4.conf.default.rp_filter", "0", "3.2.7"),
  sysctl("net.ipv4.tcp_syncookies", "0", "3.2.8"),
  sysctl("net.ipv6.conf.all.accept_ra", "1", "3.2.9"),
  sysctl("net.ipv6.conf.default.accept_ra", "1", "3.2.9"),
  sysctl("fs.suid_dumpable", "1", "1.5.1"),
  sysctl("kernel.randomize_va_space", "0", "1.5.3"),
];

const SSH = [
  sshd("LogLevel", "QUIET", "5.2.5"),
  sshd("X11Forwarding", "yes", "5.2.6"),
  sshd("MaxAuthTries", "6", "5.2.7"),
  sshd("IgnoreRhosts", "no", "5.2.8"),
  sshd("HostbasedAuthentication", "yes", "5.2.9"),
  sshd("PermitRootLogin", "yes", "5.2.10"),
  sshd("PermitEmptyPasswords", "yes", "5.2.11"),
  sshd("PermitUserEnvironment", "yes", "5.2.12"),
  sshd("Ciphers", "aes256-ctr,aes128-cbc", "5.2.13"),
  sshd("MACs", "hmac-sha2-256,hmac-md5", "5.2.14"),
  sshd("KexAlgorithms", "curve25519-sha256,diffie-hellman-group1-sha1", "5.2.15"),
  sshd("ClientAliveInterval", "0", "5.2.16"),
  sshd("LoginGraceTime", "2m", "5.2.17"),
  sshd("AllowGroups", "", "5.2.18"),
  sshd("Banner", "none", "5.2.19"),
  sshd("UsePAM", "no", "5.2.20"),
  sshd("AllowTcpForwarding", "yes", "5.2.21"),
  sshd("MaxStartups", "100:30:200", "5.2.22"),
  sshd("MaxSessions", "10", "5.2.23"),
  mode("/etc/ssh/sshd_config", 0o644, "5.2.1"),
  owner("/etc/ssh/sshd_config", "5.2.1"),
];

const LOGGING = [
  line("/etc/audit/auditd.conf", /^max_log_file = .*$/m, "", "4.1.1.1"),
  line(
    "/etc/audit/auditd.conf",
    /^space_left_action = .*$/m,
    "space_left_action = ignore",
    "4.1.1.2",
  ),
  line(
    "/etc/audit/auditd.conf",
    /^max_log_file_action = .*$/m,
    "max_log_file_action = rotate",
    "4.1.1.3",
  ),
  line("/etc/rsyslog.conf", "$FileCreateMode 0640", "$FileCreateMode 0644", "4.2.1.4"),
  line("/etc/rsyslog.d/60-remote.conf", "*.*", "#*.*", "4.2.1.5"),
  line(
    "/etc/systemd/journald.conf.d/zz-hardening.conf",
    "ForwardToSyslog=yes",
    "ForwardToSyslog=no",
    "4.2.2.1",
  ),
  line("/etc/systemd/journald.conf.d/zz-hardening.conf", "Compress=yes", "Compress=no", "4.2.2.2"),
  line(
    "/etc/systemd/journald.conf.d/zz-hardening.conf",
    "Storage=persistent",
    "Storage=volatile",
    "4.2.2.3",
  ),
  mode("/var/log/dpkg.log", 0o644, "4.2.3"),
  removed(["auditd"], "4.1.2"),
  removed(["rsyslog"], "4.2.1.1"),
];

const ACCESS = [
  mode("/etc/crontab", 0o644, "5.1.2"),
  mode("/etc/cron.hourly", 0o755, "5.1.3"),
  mode("/etc/cron.daily", 0o755, "5.1.4"),
  mode("/etc/cron.weekly", 0o755, "5.1.5"),
  mode("/etc/cron.monthly", 0o755, "5.1.6"),
  mode("/etc/cron.d", 0o755, "5.1.7"),
  gone("/etc/cron.allow", "5.1.8"),
  line("/etc/security/pwquality.conf", "minlen = 14", "minlen = 8", "5.3.1"),
  line("/etc/pam.d/common-auth", /^.*pam_faillock.*$/gm, "", "5.3.2"),
  line("/etc/pam.d/common-password", "remember=5", "remember=2", "5.3.3"),
  line("/etc/pam.d/common-password", "yescrypt", "md5", "5.3.4"),
  line("/etc/login.defs", "PASS_MAX_DAYS 365", "PASS_MAX_DAYS 99999", "5.4.1.1"),
  line("/etc/login.defs", "PASS_MIN_DAYS 7", "PASS_MIN_DAYS 0", "5.4.1.2"),
  line("/etc/login.defs", "PASS_WARN_AGE 7", "PASS_WARN_AGE 1", "5.4.1.3"),
  line("/etc/default/useradd", "INACTIVE=30", "INACTIVE=-1", "5.4.1.4"),
  line("/etc/passwd", /^root:x:0:0:/m, "root:x:0:5:", "5.4.3"),
  line(
    "/etc/passwd",
    /^(nobody:.*):\/usr\/sbin\/nologin$/m,
    "$1:/bin/bash",
    // It then counts as somebody who logs in, and has no home.
    ...["5.4.2", "6.2.7"],
  ),
  line("/etc/pam.d/su", /^auth required pam_wheel.*$/gm, "", "5.6"),
  mode("/etc/passwd", 0o666, "6.1.2"),
  mode("/etc/shadow", 0o644, "6.1.3"),
  mode("/etc/group", 0o666, "6.1.4"),
  mode("/etc/gshadow", 0o644, "6.1.5"),
  owner("/etc/passwd", "6.1.2"),
  owner("/etc/shadow", "6.1.3"),
];

const ACCOUNTS = [
  more("/etc/shadow", "+::::::::", "6.2.3"),
  more("/etc/group", "+:::", "6.2.4"),
  more("/etc/group", "shadow2:x:42:", "6.2.17"),
  line("/etc/group", /^shadow:x:42:.*$/m, "shadow:x:42:daemon", "6.2.20"),
];

const SERVICES = [
  installed("prelink", "1.5.4"),
  installed("nis", "2.3.1"),
  installed("rsh-client", "2.3.2"),
  installed("talk", "2.3.3"),
  installed("telnet", "2.3.4"),
  installed("ldap-utils", "2.3.5"),
  installed("xserver-xorg-core", "2.2.2"),
  withoutProgram(removed(["aide"], "1.3.1"), "/usr/bin/aide"),
  removed(["iptables", "nftables"], "3.5.3"),
];

const BANNERS = [
  more("/etc/motd", "Kernel \\r on an \\m", "1.7.1.1"),
  more("/etc/issue", "Debian GNU/Linux \\n \\l \\v", "1.7.1.2"),
  more("/etc/issue.net", "\\s \\r", "1.7.1.3"),
  mode("/etc/motd", 0o666, "1.7.1.4"),
  mode("/etc/issue", 0o666, "1.7.1.5"),
  mode("/etc/issue.net", 0o666, "1.7.1.6"),
  mode("/etc/hosts.allow", 0o666, "3.3.4"),
  mode("/etc/hosts.deny", 0o666, "3.3.5"),
  line("/etc/hosts.deny", "ALL: ALL", "", "3.3.3"),
  line("/etc/security/limits.d/no-core.conf", "* hard core 0", "", "1.5.1"),
];

export const FLIPS: readonly Flip[] = [
  ...FILE_SYSTEMS,
  ...NETWORK,
  ...SSH,
  ...LOGGING,
  ...ACCESS,
  ...ACCOUNTS,
  ...SERVICES,
  ...BANNERS,
];
