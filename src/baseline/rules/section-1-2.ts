import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";
import { isThere } from "./conditions.ts";

const APT_LISTS = ["/etc/apt/sources.list", "/etc/apt/sources.list.d/*.list"];
const RPM_REPOSITORIES = [
  "/etc/yum.conf",
  "/etc/dnf/dnf.conf",
  "/etc/yum.repos.d/*.repo",
  "/etc/zypp/repos.d/*.repo",
];

/** No line switches the check of signatures off. Source: sources.list(5), apt-secure(8), dnf.conf(5). */
const SIGNATURES_CHECKED: Check = {
  all: [
    {
      test: "lines",
      files: APT_LISTS,
      pattern: "^deb(?:-src)?\\s+\\[[^\\]]*\\b(?:trusted|allow-insecure|allow-weak)\\s*=\\s*yes",
      want: "none",
      what: "repository that is trusted without a signature",
    },
    {
      test: "lines",
      files: ["/etc/apt/sources.list.d/*.sources"],
      pattern: "^(?:Trusted|Allow-Insecure|Allow-Weak)\\s*:\\s*yes",
      want: "none",
      what: "repository that is trusted without a signature",
    },
    {
      test: "lines",
      files: ["/etc/apt/apt.conf", "/etc/apt/apt.conf.d/*"],
      pattern:
        '(?:AllowUnauthenticated|Allow(?:Insecure|Weak|DowngradeToInsecure)Repositories)"?\\s+"?(?:true|yes|on|1)\\b',
      comments: "#/",
      want: "none",
      what: "setting that accepts packages without a signature",
    },
    {
      test: "lines",
      files: RPM_REPOSITORIES,
      pattern: "^gpgcheck\\s*=\\s*(?:0|no|false)\\b",
      want: "none",
      what: "repository without gpgcheck",
    },
    {
      test: "lines",
      files: ["/etc/opkg.conf"],
      pattern: "^option\\s+check_signature\\b",
      want: "some",
      what: "option check_signature",
    },
  ],
};

const KEYS: Check = isThere(
  "/etc/apt/trusted.gpg",
  "/etc/apt/trusted.gpg.d/*",
  "/etc/apt/keyrings/*",
  "/usr/share/keyrings/*",
  "/etc/pki/rpm-gpg/*",
  "/usr/lib/rpm/gnupg/keys/*",
  "/etc/apk/keys/*",
  "/etc/opkg/keys/*",
);

/** Tools that compare files with what they were. */
const INTEGRITY_PROGRAMS: Check = isThere(
  "/usr/bin/aide",
  "/usr/sbin/aide",
  "/usr/sbin/tripwire",
  "/usr/sbin/samhain",
  "/var/ossec/bin/wazuh-syscheckd",
);

/** A tool by its program, or by its package. */
const HAS_INTEGRITY_TOOL: Check = {
  any: [
    INTEGRITY_PROGRAMS,
    {
      test: "package",
      names: ["aide", "aide-dynamic", "aide-xen", "tripwire", "samhain", "wazuh-agent"],
      want: "installed",
    },
  ],
};

/** Where packages come from, and whether files are watched: 1.2.1 to 1.3.2. */
export const SOFTWARE_RULES: readonly Rule[] = [
  {
    id: "1.2.1",
    title: "Packages come from the intended repositories",
    rationale: "Whoever runs a repository decides what is installed with the next update.",
    remediation:
      "Compare the output of `apt-cache policy` (or `dnf repolist`, `zypper lr`, /etc/apk/repositories) with the repositories of your site, and remove the others.",
    level: 1,
    workstationLevel: 1,
    isScored: false,
    severity: "Informational",
    group: "Software Updates",
    cost: "light",
    check: { manual: "which repositories a site trusts is written nowhere on the device" },
  },
  {
    id: "1.2.2",
    title: "Packages are accepted with the signature of a known key only",
    rationale:
      "Without a signature, whoever sits between the device and its repository can put a program of theirs into an update.",
    remediation:
      "Remove trusted=yes, AllowUnauthenticated and gpgcheck=0 from the settings of the package tool (opkg: add `option check_signature` to /etc/opkg.conf), and install the keyring of the distribution. Compare the keys with those of your site.",
    level: 1,
    workstationLevel: 1,
    isScored: false,
    severity: "Important",
    group: "Software Updates",
    cost: "light",
    appliesWhen: isThere(
      "/etc/apt/sources.list*",
      "/etc/yum.repos.d",
      "/etc/zypp/repos.d",
      "/etc/apk/repositories",
      "/etc/opkg.conf",
    ),
    otherwise: "no package tool with repositories is known here",
    check: { all: [KEYS, SIGNATURES_CHECKED] },
  },
  {
    id: "1.3.1",
    title: "A tool watches over the integrity of files",
    rationale:
      "Someone who got in changes programs to get in again. Comparing files with what they were shows it.",
    remediation:
      "Install AIDE: `apt install aide` (or the package of your distribution), then run `aideinit`.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Filesystem Integrity",
    cost: "shared",
    check: HAS_INTEGRITY_TOOL,
  },
  {
    id: "1.3.2",
    title: "The integrity of files is checked regularly",
    rationale: "A tool that nobody runs finds nothing.",
    remediation:
      "Run `systemctl enable --now dailyaidecheck.timer`, or add `0 5 * * * root /usr/bin/aide --check` to /etc/crontab.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Filesystem Integrity",
    cost: "shared",
    appliesWhen: {
      any: [HAS_INTEGRITY_TOOL, { test: "package", names: ["aide-common"], want: "installed" }],
    },
    otherwise: "no tool for the integrity of files is here (see 1.3.1)",
    check: {
      any: [
        {
          test: "service",
          units: [
            "dailyaidecheck.timer",
            "aidecheck.timer",
            "aide-check.timer",
            "aide.timer",
            "samhain.service",
            "wazuh-agent.service",
          ],
          want: "enabled",
        },
        {
          test: "lines",
          files: [
            "/etc/crontab",
            "/etc/anacrontab",
            "/etc/cron.d/*",
            "/var/spool/cron/*",
            "/var/spool/cron/crontabs/*",
            "/etc/crontabs/*",
          ],
          pattern: "\\b(?:aide|tripwire|samhain)\\b",
          want: "some",
          what: "cron line that runs the tool",
          whenMissing: "fail",
        },
        isThere(
          "/etc/cron.daily/*aide*",
          "/etc/cron.daily/*tripwire*",
          "/etc/cron.weekly/*aide*",
          "/etc/periodic/daily/*aide*",
        ),
      ],
    },
  },
];
