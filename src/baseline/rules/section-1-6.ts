import type { Check } from "../check.ts";
import type { Rule, Severity } from "../rule.ts";
import {
  HAS_APPARMOR,
  HAS_SELINUX,
  IN_A_CONTAINER,
  isThere,
  NOT_A_CONTAINER,
} from "./conditions.ts";

const GROUP = "Mandatory Access Control";
const SELINUX_CONFIG = ["/etc/selinux/config"];

interface AccessRule {
  readonly id: string;
  readonly title: string;
  readonly rationale: string;
  readonly remediation: string;
  readonly severity: Severity;
  readonly cost?: Rule["cost"];
  readonly check: Check;
}

function accessRule(rule: AccessRule): Rule {
  return {
    level: 2,
    workstationLevel: 2,
    isScored: true,
    group: GROUP,
    cost: "light",
    ...rule,
  };
}

function selinuxRule(rule: AccessRule): Rule {
  return { ...accessRule(rule), appliesWhen: HAS_SELINUX, otherwise: "SELinux is not used here" };
}

function appArmorRule(rule: AccessRule): Rule {
  return { ...accessRule(rule), appliesWhen: HAS_APPARMOR, otherwise: "AppArmor is not used here" };
}

/** SELinux and AppArmor: 1.6.1.1 to 1.6.3.2. */
export const ACCESS_RULES: readonly Rule[] = [
  {
    ...accessRule({
      id: "1.6.1.1",
      title: "SELinux or AppArmor is installed and in the kernel",
      rationale: "Either bounds what a service may do after it has been taken over, even as root.",
      remediation:
        "Install AppArmor (`apt install apparmor apparmor-utils`) or the SELinux policy of your distribution, and start the device anew.",
      severity: "Warning",
      cost: "shared",
      check: {
        all: [
          {
            test: "kernel-file",
            path: "/sys/kernel/security/lsm",
            expected: { pattern: "(?:.*,)?(?:selinux|apparmor)(?:,.*)?" },
          },
          {
            any: [
              HAS_APPARMOR,
              HAS_SELINUX,
              {
                test: "package",
                names: ["apparmor", "selinux-policy*", "selinux-basics", "refpolicy*"],
                want: "installed",
              },
            ],
          },
        ],
      },
    }),
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
  },
  selinuxRule({
    id: "1.6.2.1",
    title: "The kernel's command line does not switch SELinux off",
    rationale: "One word there overrules the whole configuration.",
    remediation:
      "Remove selinux=0 and enforcing=0 from GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then run `update-grub` (or `grub2-mkconfig -o /boot/grub2/grub.cfg`).",
    severity: "Important",
    check: {
      test: "kernel-line",
      word: "(?:selinux|enforcing)=0+",
      want: "none",
      what: "selinux=0 or enforcing=0",
    },
  }),
  selinuxRule({
    id: "1.6.2.2",
    title: "SELinux enforces its policy",
    rationale: "In permissive mode it only notes what it should have refused.",
    remediation: "Run `setenforce 1` and set SELINUX=enforcing in /etc/selinux/config.",
    severity: "Important",
    check: {
      all: [
        {
          test: "kernel-file",
          path: "/sys/fs/selinux/enforce",
          expected: { oneOf: ["1"] },
          whenMissing: "fail",
        },
        {
          test: "setting",
          files: SELINUX_CONFIG,
          key: "SELINUX",
          expected: { oneOf: ["enforcing"] },
        },
      ],
    },
  }),
  selinuxRule({
    id: "1.6.2.3",
    title: "The policy of SELinux covers at least the services",
    rationale: "A policy of one's own choosing may leave services out that strangers reach.",
    remediation:
      "Set SELINUXTYPE=targeted (Debian: default) or SELINUXTYPE=mls in /etc/selinux/config, and start the device anew.",
    severity: "Warning",
    check: {
      test: "setting",
      files: SELINUX_CONFIG,
      key: "SELINUXTYPE",
      expected: { oneOf: ["targeted", "default", "mls", "strict"] },
    },
  }),
  selinuxRule({
    id: "1.6.2.4",
    title: "The trouble shooter of SELinux is not installed",
    rationale:
      "It is made for desktops. On a server it is a service more that reads what others report.",
    remediation: "Remove the package setroubleshoot (`dnf remove setroubleshoot-server`).",
    severity: "Informational",
    cost: "shared",
    check: { test: "package", names: ["setroubleshoot*"], want: "absent" },
  }),
  selinuxRule({
    id: "1.6.2.5",
    title: "The translation daemon of SELinux is not installed",
    rationale: "It only makes labels nicer to read, and is one more daemon with rights.",
    remediation: "Remove the package mcstrans (`dnf remove mcstrans`).",
    severity: "Informational",
    cost: "shared",
    check: { test: "package", names: ["mcstrans*"], want: "absent" },
  }),
  selinuxRule({
    id: "1.6.2.6",
    title: "No service runs outside of the policy of SELinux",
    rationale: "A service for which the policy has no type may do whatever its user may.",
    remediation:
      "Find the programs with `ps -eZ | grep -E 'unconfined_service_t|initrc_t'`, and give them a type of their own or stop them.",
    severity: "Warning",
    cost: "walk",
    check: { test: "process-label", forbidden: "unconfined_service_t|initrc_t" },
  }),
  appArmorRule({
    id: "1.6.3.1",
    title: "The kernel's command line does not switch AppArmor off",
    rationale: "One word there overrules the whole configuration.",
    remediation:
      "Remove apparmor=0, and lsm= or security= without apparmor, from GRUB_CMDLINE_LINUX and GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, then run `update-grub`.",
    severity: "Important",
    check: {
      test: "kernel-line",
      word: "apparmor=0+|security=(?!apparmor$).*|lsm=(?!(?:.*,)?apparmor(?:,|$)).*",
      want: "none",
      what: "word that switches AppArmor off",
    },
  }),
  appArmorRule({
    id: "1.6.3.2",
    title: "All profiles of AppArmor are enforced",
    rationale:
      "A profile in complain mode only notes, and a process that started before its profile is not bound by it.",
    remediation: "Run `aa-enforce /etc/apparmor.d/*`, then restart the services shown.",
    severity: "Important",
    cost: "walk",
    check: { test: "apparmor-enforced" },
  }),
];

function bannerRule(id: string, files: readonly string[], what: string): Rule {
  return {
    id,
    title: `The ${what} does not tell what system this is`,
    rationale: "Name and release of the system tell a stranger which known flaws are worth a try.",
    remediation: `Write a text of your own to ${files[0]}: without \\m, \\r, \\s, \\S and \\v, and without the name of the distribution.`,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Informational",
    group: "Warning Banners",
    cost: "light",
    check: { test: "banner", files },
  };
}

function bannerModeRule(id: string, path: string): Rule {
  return {
    id,
    title: `Only root writes ${path}`,
    rationale: "Whoever may write it can make people believe a text that is not yours.",
    remediation: `Run \`chown root:root ${path}\` and \`chmod u-x,go-wx ${path}\`.`,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Warning Banners",
    cost: "light",
    check: { test: "file-mode", path, maxMode: 0o644 },
  };
}

const DCONF = [
  "/etc/gdm3/greeter.dconf-defaults",
  "/etc/dconf/db/gdm.d/*",
  "/etc/dconf/db/local.d/*",
];

/** What strangers are shown, and updates: 1.7.1.1 to 1.8. */
export const BANNER_RULES: readonly Rule[] = [
  bannerRule("1.7.1.1", ["/etc/motd", "/etc/motd.d/*"], "message of the day"),
  bannerRule("1.7.1.2", ["/etc/issue", "/etc/issue.d/*.issue"], "banner of local logins"),
  bannerRule("1.7.1.3", ["/etc/issue.net"], "banner of remote logins"),
  bannerModeRule("1.7.1.4", "/etc/motd"),
  bannerModeRule("1.7.1.5", "/etc/issue"),
  bannerModeRule("1.7.1.6", "/etc/issue.net"),
  {
    id: "1.7.2",
    title: "The graphical login shows a banner",
    rationale: "People should know before they log in who may, and that it is watched.",
    remediation:
      "Set `banner-message-enable=true` and `banner-message-text='…'` below `[org/gnome/login-screen]` in /etc/gdm3/greeter.dconf-defaults (Red Hat: /etc/dconf/db/gdm.d/01-banner-message, then `dconf update`).",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Informational",
    group: "Warning Banners",
    cost: "light",
    appliesWhen: isThere("/usr/sbin/gdm3", "/usr/sbin/gdm"),
    otherwise: "no graphical login of GNOME is here",
    check: {
      all: [
        {
          test: "lines",
          files: DCONF,
          pattern: "^banner-message-enable\\s*=\\s*true$",
          want: "some",
          what: "banner-message-enable=true",
          whenMissing: "fail",
        },
        {
          test: "lines",
          files: DCONF,
          pattern: "^banner-message-text\\s*=\\s*['\"].+['\"]$",
          want: "some",
          what: "text of the banner",
          whenMissing: "fail",
        },
      ],
    },
  },
  {
    id: "1.8",
    title: "Security updates are installed",
    rationale: "A flaw is used most after its update is out and before it is installed.",
    remediation:
      "Run `apt update && apt upgrade` (or `dnf upgrade`, `apk upgrade`), and switch automatic updates on.",
    level: 1,
    workstationLevel: 1,
    isScored: false,
    severity: "Important",
    group: "Updates",
    cost: "light",
    check: {
      manual:
        "the device knows the updates of its last look at the repositories only, and asking them again takes the network",
    },
  },
];
