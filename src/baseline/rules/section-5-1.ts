import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";

/** A daemon that runs cron tables. BusyBox has one of its own. */
const HAS_CRON: Check = {
  any: [
    { test: "file-exists", path: "/usr/sbin/cron" },
    { test: "file-exists", path: "/usr/sbin/crond" },
    { test: "file-exists", path: "/usr/bin/crond" },
  ],
};

function cronMode(id: string, path: string, maxMode: number): Rule {
  const mode = maxMode.toString(8).padStart(4, "0");
  return {
    id,
    title: `Only root can read and change ${path}`,
    rationale:
      "What stands there runs as root. Whoever can write it becomes root, and whoever can read it learns when what runs.",
    remediation: `chown root:root ${path} && chmod ${mode} ${path}`,
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Important",
    group: "cron",
    cost: "light",
    appliesWhen: { test: "file-exists", path },
    otherwise: `there is no ${path}`,
    check: { test: "file-mode", path, maxMode },
  };
}

/** Only those on the allow file may use the program; root may always. Source: crontab(1), at.allow(5). */
function limited(name: "cron" | "at", program: string): Check {
  return {
    any: [
      { not: { test: "file-exists", path: program } },
      {
        all: [
          { not: { test: "file-exists", path: `/etc/${name}.deny` } },
          { test: "file-exists", path: `/etc/${name}.allow` },
          {
            test: "file-mode",
            path: `/etc/${name}.allow`,
            maxMode: 0o640,
            // crontab and at run with these groups and have to read the list.
            groups: ["root", "crontab", "daemon"],
          },
        ],
      },
    ],
  };
}

/** Section 5.1: jobs at set times. */
export const SECTION_5_1: readonly Rule[] = [
  {
    id: "5.1.1",
    title: "The cron daemon starts with the system",
    rationale:
      "Rotation of logs, integrity checks and updates are often jobs of cron. A daemon that is off drops them without a word.",
    remediation: "systemctl enable --now cron.service (crond.service on Fedora and its kin)",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "cron",
    cost: "shared",
    appliesWhen: HAS_CRON,
    otherwise: "no cron daemon is installed",
    check: {
      test: "service",
      units: [
        "cron.service",
        "crond.service",
        "cronie.service",
        "dcron.service",
        "fcron.service",
        "busybox-cron.service",
      ],
      want: "enabled",
    },
  },
  cronMode("5.1.2", "/etc/crontab", 0o600),
  cronMode("5.1.3", "/etc/cron.hourly", 0o700),
  cronMode("5.1.4", "/etc/cron.daily", 0o700),
  cronMode("5.1.5", "/etc/cron.weekly", 0o700),
  cronMode("5.1.6", "/etc/cron.monthly", 0o700),
  cronMode("5.1.7", "/etc/cron.d", 0o700),
  {
    id: "5.1.8",
    title: "Only listed users may schedule jobs with cron and at",
    rationale:
      "A list of those who may is safe when an account is added; a list of those who may not has to be kept up with each one.",
    remediation:
      "rm -f /etc/cron.deny /etc/at.deny; touch /etc/cron.allow /etc/at.allow; chown root:root /etc/cron.allow /etc/at.allow; chmod 0640 /etc/cron.allow /etc/at.allow (group crontab, or daemon for at.allow, where others than root are listed)",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "cron",
    cost: "light",
    appliesWhen: {
      any: [
        { test: "file-exists", path: "/usr/bin/crontab" },
        { test: "file-exists", path: "/usr/bin/at" },
      ],
    },
    otherwise: "neither crontab nor at is installed",
    check: { all: [limited("cron", "/usr/bin/crontab"), limited("at", "/usr/bin/at")] },
  },
];
