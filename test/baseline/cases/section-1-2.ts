import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";
import {
  bootEntry,
  contained,
  dpkg,
  eachWith,
  enabledUnit,
  live,
  NOTHING,
  offline,
  REFUSED,
  SYSTEMD,
} from "./devices.ts";

const APT: RootFiles = {
  "/etc/apt/sources.list": "deb http://mirror.example.org/debian bookworm main\n",
  "/etc/apt/apt.conf.d/70debconf": "// text\nDPkg::Pre-Install-Pkgs {};\n",
  "/etc/apt/trusted.gpg.d/debian.asc": "key",
};

const AIDE: RootFiles = { "/usr/bin/aide": "" };

const GRUB = "/boot/grub/grub.cfg";

function grub(...lines: readonly string[]): string {
  return ["set default=0", ...lines, "menuentry 'Debian' {", "}", ""].join("\n");
}

const SHADOW = "root:$y$j9T$abc$def:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\n";

/** Units of Debian 12 for single-user mode. */
function singleUser(program: string, more = ""): RootFiles {
  const text = (kind: string) =>
    `[Service]\nEnvironment=HOME=/root\n${more}ExecStartPre=-/bin/plymouth wait-for-idle\nExecStart=-${program} ${kind}\n`;
  return {
    "/usr/lib/systemd/system/rescue.service": text("rescue"),
    "/usr/lib/systemd/system/emergency.service": text("emergency"),
  };
}

const SULOGIN = "/usr/lib/systemd/systemd-sulogin-shell";

function withDropIn(unit: string, lines: string): CaseDevice {
  return offline({
    "/etc/shadow": SHADOW,
    ...singleUser(SULOGIN),
    [`/etc/systemd/system/${unit}.service.d/open.conf`]: `[Service]\n${lines}\n`,
  });
}

const SOFTWARE_CASES: readonly RuleCases[] = [
  {
    rule: "1.2.2",
    pass: [
      offline(APT),
      offline({
        ...APT,
        "/etc/apt/sources.list": "",
        "/etc/apt/sources.list.d/debian.sources":
          "Types: deb\nURIs: http://mirror.example.org/debian\nSigned-By: /usr/share/keyrings/debian.gpg\n",
      }),
      offline({ "/etc/apk/repositories": "", "/etc/apk/keys/alpine.rsa.pub": "key" }),
      offline({ "/etc/opkg.conf": "option check_signature\n", "/etc/opkg/keys/b5043e70": "key" }),
      offline({ "/etc/yum.repos.d/a.repo": "[a]\ngpgcheck=1\n", "/etc/pki/rpm-gpg/KEY": "key" }),
      ...eachWith(
        { "/etc/zypp/repos.d/a.repo": "[a]\ngpgcheck=1\n" },
        "/etc/apt/trusted.gpg",
        "/etc/apt/keyrings/site.asc",
        "/usr/share/keyrings/debian.gpg",
        "/usr/lib/rpm/gnupg/keys/key.asc",
      ),
    ],
    fail: [
      offline({ ...APT, "/etc/apt/sources.list.d/x.list": "deb [ trusted=yes ] http://x ./\n" }),
      offline({ ...APT, "/etc/apt/sources.list.d/x.sources": "Types: deb\nTrusted: yes\n" }),
      offline({ ...APT, "/etc/apt/apt.conf.d/x": 'APT::Get::AllowUnauthenticated "true";\n' }),
      offline({ "/etc/apt/sources.list": "deb http://mirror.example.org/debian bookworm main\n" }),
      offline({ "/etc/opkg.conf": "dest root /\n", "/etc/opkg/keys/b5043e70": "key" }),
      offline({ "/etc/yum.repos.d/a.repo": "[a]\ngpgcheck = 0\n", "/etc/pki/rpm-gpg/KEY": "key" }),
    ],
    notApplicable: [NOTHING],
    error: [offline({ ...APT, "/etc/apt/sources.list": REFUSED })],
  },
  {
    rule: "1.3.1",
    pass: [
      offline(dpkg("aide-dynamic")),
      ...eachWith(
        dpkg(),
        "/usr/bin/aide",
        "/usr/sbin/aide",
        "/usr/sbin/tripwire",
        "/usr/sbin/samhain",
        "/var/ossec/bin/wazuh-syscheckd",
      ),
    ],
    fail: [offline(dpkg()), NOTHING],
    notApplicable: [],
    alwaysApplies: "every device has files that someone may change",
    error: [offline({ "/var/lib/rpm/rpmdb.sqlite": "" })],
  },
  {
    rule: "1.3.2",
    pass: [
      offline({ ...AIDE, ...SYSTEMD, ...enabledUnit("dailyaidecheck.timer") }),
      offline({ ...AIDE, "/etc/crontab": "0 5 * * * root /usr/bin/aide --check\n" }),
      offline({ ...AIDE, "/var/spool/cron/crontabs/root": "0 5 * * * aide --check\n" }),
      ...eachWith(
        AIDE,
        "/etc/cron.daily/dailyaidecheck",
        "/etc/cron.daily/tripwire",
        "/etc/cron.weekly/aide",
        "/etc/periodic/daily/aide",
      ),
    ],
    fail: [
      offline({ ...AIDE, ...SYSTEMD, "/etc/crontab": "# 0 5 * * * root aide --check\n" }),
      offline(AIDE),
      offline(dpkg("tripwire")),
      offline(dpkg("aide-common")),
    ],
    notApplicable: [offline(dpkg())],
    error: [offline({ ...AIDE, "/etc/crontab": REFUSED })],
  },
];

const BOOT_CASES: readonly RuleCases[] = [
  {
    rule: "1.4.1",
    pass: [
      offline({ [GRUB]: { mode: 0o600 } }),
      offline({ [GRUB]: { mode: 0o400 }, "/boot/grub/user.cfg": { mode: 0o600 } }),
    ],
    fail: [
      offline({ [GRUB]: { mode: 0o444 } }),
      offline({ [GRUB]: { mode: 0o600, userId: 1000 } }),
      offline({ "/boot/grub2/grub.cfg": { mode: 0o600, groupId: 4 } }),
      offline({ [GRUB]: { mode: 0o600 }, "/boot/grub/user.cfg": { mode: 0o640 } }),
      offline({ [GRUB]: { mode: 0o600 }, "/boot/grub2/user.cfg": { mode: 0o640 } }),
      ...eachWith({}, "/etc/lilo.conf", "/boot/extlinux/extlinux.conf"),
    ],
    // Without a boot loader, a file that one left behind opens nothing.
    notApplicable: [NOTHING, offline({ "/boot/grub/user.cfg": { mode: 0o644 } })],
  },
  {
    rule: "1.4.2",
    pass: [
      offline({
        [GRUB]: grub('set superusers="admin"', "password_pbkdf2 admin grub.pbkdf2.sha512.10000.A.B"),
      }),
      offline({
        "/boot/grub2/grub.cfg": grub(
          '    set superusers="root"',
          "    password_pbkdf2 root ${GRUB2_PASSWORD}",
        ),
        "/boot/grub2/user.cfg": "GRUB2_PASSWORD=grub.pbkdf2.sha512.10000.A.B\n",
      }),
    ],
    fail: [
      offline({ [GRUB]: grub() }),
      offline({ [GRUB]: grub('set superusers="admin"') }),
      offline({ [GRUB]: grub('set superusers=""', "password admin secret") }),
      offline({ [GRUB]: grub("password_pbkdf2 admin grub.pbkdf2.sha512.10000.A.B") }),
      offline({
        "/boot/grub2/grub.cfg": grub(
          'set superusers="root"',
          "password_pbkdf2 root ${GRUB2_PASSWORD}",
        ),
      }),
    ],
    notApplicable: [NOTHING, offline({ "/boot/grub/user.cfg": "GRUB2_PASSWORD=grub.pbkdf2\n" })],
    error: [offline({ [GRUB]: REFUSED }), offline({ [GRUB]: "\0\0\0" })],
  },
  {
    rule: "1.4.3",
    pass: [
      offline({ "/etc/shadow": SHADOW, ...singleUser(SULOGIN) }),
      offline({ "/etc/shadow": SHADOW, "/etc/inittab": "~~:S:wait:/sbin/sulogin\n" }),
      offline({ "/etc/shadow": SHADOW, "/etc/inittab": "::once:/bin/sh -c /etc/start\n" }),
    ],
    fail: [
      offline({ "/etc/shadow": SHADOW.replace(/\$y[^:]*/, "*"), ...singleUser(SULOGIN) }),
      offline({ "/etc/shadow": SHADOW.replace(/\$y[^:]*/, ""), ...singleUser(SULOGIN) }),
      offline({ "/etc/shadow": SHADOW, ...singleUser("/bin/bash") }),
      ...["rescue", "emergency"].flatMap((unit) => [
        withDropIn(unit, "Environment=SYSTEMD_SULOGIN_FORCE=1"),
        withDropIn(unit, "ExecStart=\nExecStart=-/bin/sh"),
      ]),
      offline({ "/etc/shadow": SHADOW, "/etc/inittab": "::askfirst:-/bin/ash --login\n" }),
      offline({ "/etc/shadow": SHADOW, "/etc/inittab": "ttyS0::respawn:/bin/sh\n" }),
    ],
    notApplicable: [contained(offline({ "/etc/shadow": SHADOW })), NOTHING],
    error: [
      offline({ "/etc/shadow": "garbage\n", ...singleUser(SULOGIN) }),
      offline({ "/etc/shadow": REFUSED }),
    ],
  },
  {
    rule: "1.4.4",
    pass: [
      live({ "/proc/cmdline": "root=/dev/sda1 quiet\n", ...bootEntry("quiet") }),
      offline(bootEntry("systemd.confirm_spawn=no")),
      offline({ "/etc/sysconfig/boot": 'PROMPT_FOR_CONFIRM="no"\n' }),
    ],
    fail: [
      live({ "/proc/cmdline": "systemd.confirm_spawn\n", ...bootEntry("quiet") }),
      live({ "/proc/cmdline": "quiet\n", ...bootEntry("systemd.confirm_spawn=/dev/ttyS0") }),
      offline({ "/etc/sysconfig/boot": 'PROMPT_FOR_CONFIRM="yes"\n' }),
      offline({ "/etc/sysconfig/init": "BOOTUP=color\n" }),
    ],
    notApplicable: [contained(live({ "/proc/cmdline": "quiet\n" })), NOTHING],
    error: [live({ "/proc/cmdline": "quiet\n", [GRUB]: "garbage\n" })],
  },
];

export const SECTION_1_2_CASES: readonly RuleCases[] = [
  ...SOFTWARE_CASES,
  ...BOOT_CASES,
];

