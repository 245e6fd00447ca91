/** What a Debian 12 fails as it is installed, why that is true, and how to see it without our checks. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface TrueFailure {
  readonly why: string;
  /** Checks of the baseline. */
  readonly ids: readonly string[];
  /** Looks at the root file system with means of its own. */
  readonly isTrue: (root: string) => boolean;
}

/** Lines that are no comments, of a file or of all files of a folder; none where it is not there. */
function linesOf(root: string, ...paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const full = join(root, path);
    if (!existsSync(full)) return [];
    const files = statSync(full).isDirectory()
      ? readdirSync(full).map((name) => join(full, name))
      : [full];
    return files
      .flatMap((file) => readFileSync(file, "utf8").split("\n"))
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
  });
}

function has(lines: readonly string[], pattern: RegExp): boolean {
  return lines.some((line) => pattern.test(line));
}

/** More than the owner may do something with it. */
function isOpen(root: string, path: string): boolean {
  return (statSync(join(root, path)).mode & 0o077) !== 0;
}

const SSHD = ["etc/ssh/sshd_config", "etc/ssh/sshd_config.d"];
const SYSCTL = ["etc/sysctl.conf", "etc/sysctl.d", "usr/lib/sysctl.d"];
const MODULES =
  /\b(?:cramfs|freevxfs|jffs2|hfs|hfsplus|squashfs|udf|vfat|usb[-_]storage|dccp|sctp|rds|tipc)\b/;
const MODPROBE = ["etc/modprobe.d", "usr/lib/modprobe.d"];

/** In the order of the checks. Every failing check is in exactly one of them. */
export const PLAIN_FAILURES: readonly TrueFailure[] = [
  {
    why: "no line of modprobe.d keeps these modules from being loaded",
    ids: [
      ...["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5", "1.1.1.6", "1.1.1.7", "1.1.1.8"],
      ...["1.1.23", "3.4.1", "3.4.2", "3.4.3", "3.4.4"],
    ],
    isTrue: (root) => !has(linesOf(root, ...MODPROBE), MODULES),
  },
  {
    why: "one file system holds everything, and fstab sets no options",
    ids: ["1.1.2", "1.1.6", "1.1.7", "1.1.11", "1.1.12", "1.1.13", "1.1.17"],
    isTrue: (root) => !has(linesOf(root, "etc/fstab"), /\s\/(?:tmp|var|home|dev\/shm)/),
  },
  {
    why: "root has no password, so single-user mode asks for none",
    ids: ["1.4.3"],
    isTrue: (root) => has(linesOf(root, "etc/shadow"), /^root:[*!]/),
  },
  {
    why: "no limit and no sysctl says what the kernel happens to start with, or better",
    ids: ["1.5.1", "3.1.2", "3.2.1", "3.2.2", "3.2.3", "3.2.4", "3.2.7", "3.2.9"],
    isTrue: (root) =>
      !has(linesOf(root, "etc/security/limits.conf", "etc/security/limits.d"), /\bcore\b/) &&
      !has(
        linesOf(root, ...SYSCTL),
        /send_redirects|accept_source_route|accept_redirects|secure_redirects|log_martians|rp_filter|accept_ra/,
      ),
  },
  {
    why: "motd, issue and issue.net name Debian",
    ids: ["1.7.1.1", "1.7.1.2", "1.7.1.3"],
    isTrue: (root) =>
      ["motd", "issue", "issue.net"].every((name) => has(linesOf(root, `etc/${name}`), /Debian/)),
  },
  {
    why: "hosts.allow and hosts.deny have no rules",
    ids: ["3.3.2", "3.3.3"],
    isTrue: (root) => linesOf(root, "etc/hosts.allow", "etc/hosts.deny").length === 0,
  },
  {
    why: "nothing switches IPv6 off",
    ids: ["3.7"],
    isTrue: (root) =>
      !has(linesOf(root, "etc/default/grub", ...SYSCTL), /ipv6\.disable|disable_ipv6/),
  },
  {
    why: "auditd rotates its logs away and goes on when the disk is full",
    ids: ["4.1.1.2", "4.1.1.3"],
    isTrue: (root) => {
      const lines = linesOf(root, "etc/audit/auditd.conf");
      return (
        has(lines, /^max_log_file_action = ROTATE/i) && has(lines, /^space_left_action = SYSLOG/i)
      );
    },
  },
  {
    why: "no rule of audit watches anything",
    ids: [
      ...["4.1.5", "4.1.6", "4.1.7", "4.1.8", "4.1.9", "4.1.10", "4.1.11", "4.1.12"],
      ...["4.1.14", "4.1.15", "4.1.16", "4.1.18", "4.1.19"],
    ],
    isTrue: (root) => !has(linesOf(root, "etc/audit/rules.d", "etc/audit/audit.rules"), /^-[awe] /),
  },
  {
    why: "sudo keeps no log of its own that could be audited",
    ids: ["4.1.17"],
    isTrue: (root) => !has(linesOf(root, "etc/sudoers", "etc/sudoers.d"), /logfile/),
  },
  {
    why: "logs stay on the device, and the journal hands nothing over",
    ids: ["4.2.1.5", "4.2.2.1"],
    isTrue: (root) =>
      !has(linesOf(root, "etc/rsyslog.conf", "etc/rsyslog.d"), /@|omfwd/) &&
      !has(linesOf(root, "etc/systemd/journald.conf"), /^ForwardToSyslog/),
  },
  {
    why: "the group may write to btmp",
    ids: ["4.2.3"],
    isTrue: (root) => (statSync(join(root, "var/log/btmp")).mode & 0o020) !== 0,
  },
  {
    why: "everybody may read the tables of cron, and use it",
    ids: ["5.1.2", "5.1.3", "5.1.4", "5.1.5", "5.1.6", "5.1.7", "5.1.8"],
    isTrue: (root) =>
      ["crontab", "cron.hourly", "cron.daily", "cron.weekly", "cron.monthly", "cron.d"].every(
        (name) => isOpen(root, `etc/${name}`),
      ) && !existsSync(join(root, "etc/cron.allow")),
  },
  {
    why: "sshd_config is as packaged: readable, X11 on, and every other keyword of these left to its default",
    ids: [
      ...["5.2.1", "5.2.6", "5.2.7", "5.2.10", "5.2.14", "5.2.16", "5.2.17", "5.2.18"],
      ...["5.2.19", "5.2.21", "5.2.22", "5.2.23"],
    ],
    isTrue: (root) => {
      const lines = linesOf(root, ...SSHD);
      const left =
        /^(?:MaxAuthTries|PermitRootLogin|MACs|ClientAlive|LoginGraceTime|(?:Allow|Deny)(?:Users|Groups)|Banner|AllowTcpForwarding|MaxStartups|MaxSessions)\b/i;
      return (
        isOpen(root, "etc/ssh/sshd_config") && has(lines, /^X11Forwarding yes/) && !has(lines, left)
      );
    },
  },
  {
    why: "PAM asks nothing of passwords but what the packages ask, locks nobody and remembers none",
    ids: ["5.3.1", "5.3.2", "5.3.3", "5.6"],
    isTrue: (root) =>
      !has(
        linesOf(root, "etc/security/pwquality.conf", "etc/security/pwquality.conf.d"),
        /minlen/,
      ) &&
      !has(linesOf(root, "etc/pam.d/common-auth"), /faillock/) &&
      !has(linesOf(root, "etc/pam.d/common-password"), /pwhistory|remember=/) &&
      !has(linesOf(root, "etc/pam.d/su"), /pam_wheel/),
  },
  {
    why: "login.defs and the shells have the defaults",
    ids: ["5.4.1.1", "5.4.1.2", "5.4.1.4", "5.4.4", "5.4.5"],
    isTrue: (root) => {
      const lines = linesOf(root, "etc/login.defs");
      return (
        has(lines, /^PASS_MAX_DAYS\s+99999/) &&
        has(lines, /^PASS_MIN_DAYS\s+0/) &&
        has(lines, /^UMASK\s+022/) &&
        !has(linesOf(root, "etc/default/useradd"), /^INACTIVE/) &&
        !has(linesOf(root, "etc/profile", "etc/profile.d", "etc/bash.bashrc"), /TMOUT/)
      );
    },
  },
];
