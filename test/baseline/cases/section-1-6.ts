import type { RootFiles } from "../memory-root.ts";
import type { RuleCases } from "../rule-case.ts";
import { contained, dpkg, live, NOTHING, offline, REFUSED } from "./devices.ts";

const LSM = "/sys/kernel/security/lsm";
const PARSER: RootFiles = { "/usr/sbin/apparmor_parser": "" };
const SELINUX: RootFiles = {
  "/etc/selinux/config": "# text\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
  "/sys/fs/selinux/enforce": "1",
};

function booted(words: string): RootFiles {
  return { "/boot/grub/grub.cfg": `\tlinux /boot/vmlinuz root=UUID=1 ro ${words}\n` };
}

function started(words: string): RootFiles {
  return { "/proc/cmdline": `BOOT_IMAGE=/boot/vmlinuz root=UUID=1 ro ${words}\n` };
}

/** Cases of a rule about a word of the kernel's command line that must not be there. */
function kernelLineCases(rule: string, base: RootFiles, word: string): RuleCases {
  return {
    rule,
    pass: [
      live({ ...base, ...started("quiet"), ...booted("quiet splash") }),
      offline({ ...base, ...booted("quiet") }),
      live({ ...base, ...started("quiet") }),
      // What the machine was started with that looks at an image.
      offline({ ...base, ...booted("quiet"), ...started(word) }),
    ],
    fail: [
      live({ ...base, ...started(word), ...booted("quiet") }),
      live({ ...base, ...started("quiet"), ...booted(`quiet ${word}`) }),
      offline({ ...base, "/boot/loader/entries/a.conf": `title A\noptions root=1 ${word}\n` }),
      offline({
        ...base,
        "/boot/grub2/grub.cfg": "linux /vmlinuz root=1 $kernelopts\n",
        "/boot/grub2/grubenv": `# GRUB Environment Block\nkernelopts=ro ${word}\n`,
      }),
      offline({ ...base, "/etc/default/grub": `GRUB_CMDLINE_LINUX="quiet ${word}"\n` }),
      offline({ ...base, "/boot/firmware/cmdline.txt": `console=tty1 ${word}\n` }),
      offline({ ...base, "/boot/extlinux/extlinux.conf": `LABEL a\n  APPEND ro ${word}\n` }),
    ],
    notApplicable: [NOTHING, live({ ...started(word) }), offline(base)],
    error: [live({ ...base, ...started("quiet"), "/boot/grub/grub.cfg": "\u0001garbage\n" })],
  };
}

/** Processes with labels, as the kernel ends them. */
function labels(...all: readonly string[]): RootFiles {
  return Object.fromEntries(
    all.flatMap((label, index) => [
      [`/proc/${index + 1}/attr/current`, `${label}\0`],
      [`/proc/${index + 1}/status`, `Name:\tservice${index}\nUid:\t0\t0\t0\t0\n`],
    ]),
  );
}

const PROFILES = "/sys/kernel/security/apparmor/profiles";

/** AppArmor with one profile file, and with these lines of the kernel. */
function appArmor(lines: string, profile = "profile ntpd /usr/sbin/ntpd {\n}\n"): RootFiles {
  return { ...PARSER, [PROFILES]: lines, "/etc/apparmor.d/usr.sbin.ntpd": profile };
}

const ENFORCED = "/usr/sbin/ntpd (enforce)\nuserns (unconfined)\n";

function daemon(label: string): RootFiles {
  return {
    "/usr/sbin/ntpd": "",
    "/proc/7/exe": { link: "/usr/sbin/ntpd" },
    "/proc/7/attr/current": `${label}\n`,
    "/proc/7/status": "Name:\tntpd\nUid:\t0\t0\t0\t0\n",
  };
}

const ACCESS_CASES: readonly RuleCases[] = [
  {
    rule: "1.6.1.1",
    pass: [
      live({ ...PARSER, [LSM]: "lockdown,capability,yama,apparmor" }),
      live({ ...SELINUX, [LSM]: "capability,selinux,bpf" }),
      offline(dpkg("apparmor")),
      offline({ "/sbin/apparmor_parser": "" }),
      offline({ "/etc/selinux/config": "" }),
      live({ "/sys/fs/selinux/enforce": "1" }),
    ],
    fail: [
      live({ ...PARSER, [LSM]: "lockdown,capability,yama" }),
      live({ ...dpkg("libselinux1"), [LSM]: "apparmor" }),
      NOTHING,
    ],
    notApplicable: [contained(live({ [LSM]: "capability" }))],
    error: [live({ ...PARSER, [LSM]: REFUSED })],
  },
  kernelLineCases("1.6.2.1", SELINUX, "selinux=0"),
  {
    rule: "1.6.2.2",
    pass: [live(SELINUX), offline(SELINUX)],
    fail: [
      live({ ...SELINUX, "/sys/fs/selinux/enforce": "0" }),
      live({ ...SELINUX, "/etc/selinux/config": "SELINUX=permissive\n" }),
      live({ "/etc/selinux/config": "SELINUX=enforcing\n" }),
      offline({ "/etc/selinux/config": "#SELINUX=enforcing\n" }),
      live({ "/sys/fs/selinux/enforce": "1" }),
    ],
    notApplicable: [NOTHING],
    error: [
      live({ ...SELINUX, "/etc/selinux/config": REFUSED }),
      live({ ...SELINUX, "/sys/fs/selinux/enforce": REFUSED }),
    ],
  },
  {
    rule: "1.6.2.3",
    pass: [offline(SELINUX), offline({ "/etc/selinux/config": "SELINUXTYPE=default\n" })],
    fail: [
      offline({ "/etc/selinux/config": "SELINUXTYPE=minimum\n" }),
      offline({ "/etc/selinux/config": "SELINUX=enforcing\n" }),
    ],
    notApplicable: [NOTHING],
    error: [offline({ "/etc/selinux/config": "\0" })],
  },
  ...[
    ["1.6.2.4", "setroubleshoot-server"],
    ["1.6.2.5", "mcstrans"],
  ].map(
    ([rule = "", name = ""]): RuleCases => ({
      rule,
      pass: [offline({ ...SELINUX, ...dpkg() })],
      fail: [offline({ ...SELINUX, ...dpkg(name) })],
      notApplicable: [NOTHING, offline(dpkg())],
      error: [offline({ ...SELINUX, "/var/lib/dpkg/status": REFUSED })],
    }),
  ),
  {
    rule: "1.6.2.6",
    pass: [
      live({
        ...SELINUX,
        ...labels("system_u:system_r:init_t:s0", "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c9"),
      }),
    ],
    fail: [
      live({
        ...SELINUX,
        ...labels("system_u:system_r:init_t:s0", "system_u:system_r:unconfined_service_t:s0"),
      }),
      live({ ...SELINUX, ...labels("system_u:system_r:initrc_t:s0") }),
    ],
    notApplicable: [
      live(labels("a:b:initrc_t:s0")),
      offline({ ...SELINUX, ...labels("a:b:initrc_t:s0") }),
    ],
    error: [
      live({ ...SELINUX, ...labels("garbage") }),
      live({ ...SELINUX, ...labels("a:b:init_t:s0"), "/proc/9/attr/current": REFUSED }),
    ],
  },
  kernelLineCases("1.6.3.1", PARSER, "apparmor=0"),
  {
    rule: "1.6.3.2",
    pass: [
      live({ ...appArmor(ENFORCED), ...daemon("/usr/sbin/ntpd (enforce)") }),
      offline(appArmor("")),
      live({
        ...appArmor(ENFORCED, "profile ntpd /usr/sbin/ntpd flags=(complain) {\n}\n"),
        "/etc/apparmor.d/disable/usr.sbin.ntpd": { link: "../usr.sbin.ntpd" },
      }),
    ],
    fail: [
      live(appArmor("/usr/sbin/ntpd (complain)\n")),
      live(appArmor("")),
      live({ ...appArmor(ENFORCED), ...daemon("unconfined") }),
      live(PARSER),
      offline(appArmor("", "profile x /x flags=(attach_disconnected,complain) {\n}\n")),
      offline({
        ...appArmor(""),
        "/etc/apparmor.d/force-complain/usr.sbin.ntpd": { link: "../usr.sbin.ntpd" },
      }),
      offline(PARSER),
    ],
    notApplicable: [NOTHING, offline({ "/etc/apparmor.d/usr.sbin.ntpd": "" })],
    error: [
      live(appArmor("garbage\n")),
      live({ ...appArmor(""), [PROFILES]: REFUSED }),
      offline({ ...appArmor(""), "/etc/apparmor.d/local.x": REFUSED }),
    ],
  },
];

const OS: RootFiles = {
  "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12"\nNAME="Debian GNU/Linux"\nID=debian\n',
};

function bannerCases(rule: string, path: string): RuleCases {
  return {
    rule,
    pass: [
      offline({ ...OS, [path]: "Only people of the site may use this device.\n" }),
      offline({ ...OS, [path]: "" }),
      offline({ [path]: "Debianite \\n \\l\n" }),
    ],
    fail: [
      offline({ ...OS, [path]: "Debian GNU/Linux 12 \\n \\l\n" }),
      offline({ ...OS, [path]: "See www.debian.org\n" }),
      offline({ [path]: "Kernel \\r on an \\m\n" }),
      offline({ [path]: "\\S\n" }),
      offline({ "/usr/lib/os-release": "ID=alpine\n", [path]: "Welcome to Alpine!\n" }),
    ],
    notApplicable: [NOTHING],
    error: [
      offline({ ...OS, [path]: REFUSED }),
      offline({ "/etc/os-release": REFUSED, [path]: "text\n" }),
    ],
  };
}

function bannerModeCases(rule: string, path: string): RuleCases {
  return {
    rule,
    pass: [offline({ [path]: { mode: 0o644 } }), offline({ [path]: { mode: 0o400 } })],
    fail: [
      offline({ [path]: { mode: 0o664 } }),
      offline({ [path]: { mode: 0o644, userId: 1000 } }),
      offline({ [path]: { mode: 0o644, groupId: 100 } }),
      offline({ [path]: { mode: 0o4644 } }),
      offline({ [path]: { link: "/srv/text" }, "/srv/text": { mode: 0o666 } }),
    ],
    notApplicable: [NOTHING],
  };
}

const GDM: RootFiles = { "/usr/sbin/gdm3": "" };
const GREETER = "/etc/gdm3/greeter.dconf-defaults";

export const SECTION_1_6_CASES: readonly RuleCases[] = [
  ...ACCESS_CASES,
  bannerCases("1.7.1.1", "/etc/motd"),
  bannerCases("1.7.1.2", "/etc/issue"),
  bannerCases("1.7.1.3", "/etc/issue.net"),
  bannerModeCases("1.7.1.4", "/etc/motd"),
  bannerModeCases("1.7.1.5", "/etc/issue"),
  bannerModeCases("1.7.1.6", "/etc/issue.net"),
  {
    rule: "1.7.2",
    pass: [
      offline({
        ...GDM,
        [GREETER]:
          "[org/gnome/login-screen]\nbanner-message-enable=true\nbanner-message-text='No trespassing'\n",
      }),
      offline({
        "/usr/sbin/gdm": "",
        "/etc/dconf/db/gdm.d/01-banner":
          "[org/gnome/login-screen]\nbanner-message-enable=true\nbanner-message-text='No'\n",
        "/etc/dconf/db/gdm.d/locks/01": "/org/gnome/login-screen/banner-message-enable\n",
      }),
    ],
    fail: [
      offline({ ...GDM, [GREETER]: "#banner-message-enable=true\nbanner-message-text='No'\n" }),
      offline({ ...GDM, [GREETER]: "banner-message-enable=true\nbanner-message-text=''\n" }),
      offline(GDM),
    ],
    notApplicable: [NOTHING],
    error: [offline({ ...GDM, [GREETER]: REFUSED })],
  },
];
