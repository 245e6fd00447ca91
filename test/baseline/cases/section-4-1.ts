/** The audit daemon and its rules. */
import type { RuleCases } from "../rule-case.ts";
import { BASE, withRules, more, NO_AUDITD, rules, watches, PEOPLE, both, walked, auditd, withMachines, PASSWD_PROGRAM, SUDOERS, SUDO_LOG, SYSTEMD } from "./audit-devices.ts";

export const SECTION_4_1_CASES: readonly RuleCases[] = [
  auditd("4.1.1.1", ["max_log_file = 8", "MAX_LOG_FILE=32"], ["max_log_file = 0\n", "#max_log_file = 8\na = b"]),
  auditd(
    "4.1.1.2",
    [
      "space_left_action = email\naction_mail_acct = root\nadmin_space_left_action = halt",
      "space_left_action = EXEC /usr/local/bin/tell\nadmin_space_left_action = SINGLE",
    ],
    [
      "space_left_action = syslog\nadmin_space_left_action = halt\n",
      "space_left_action = email\nadmin_space_left_action = suspend\n",
      "space_left_action = email\n",
    ],
  ),
  auditd("4.1.1.3", ["max_log_file_action = keep_logs"], ["max_log_file_action = ROTATE\n"]),
  {
    rule: "4.1.2",
    pass: [
      { files: { "/var/lib/dpkg/status": "Package: auditd\nStatus: install ok installed\n" } },
      { files: { "/lib/apk/db/installed": "P:audit\nV:3.1-r0\n" } },
    ],
    fail: [
      { files: { "/var/lib/dpkg/status": "Package: libaudit1\nStatus: install ok installed\n" } },
    ],
    notApplicable: [{ files: {} }],
    error: [{ files: { "/var/lib/dpkg/status": "garbage" } }],
  },
  {
    rule: "4.1.3",
    pass: [
      {
        files: {
          ...BASE,
          ...SYSTEMD,
          "/etc/systemd/system/multi-user.target.wants/auditd.service": {
            link: "/usr/lib/systemd/system/auditd.service",
          },
        },
      },
      {
        files: {
          "/usr/sbin/auditd": "",
          "/etc/init.d/auditd": "#!/sbin/openrc-run\n",
          "/etc/runlevels/default/auditd": { link: "/etc/init.d/auditd" },
        },
      },
    ],
    fail: [
      { files: { ...BASE, ...SYSTEMD } },
      {
        files: {
          ...BASE,
          ...SYSTEMD,
          "/etc/systemd/system/auditd.service": { link: "/dev/null" },
          "/etc/systemd/system/multi-user.target.wants/auditd.service": { link: "/dev/null" },
        },
      },
      { files: { "/usr/sbin/auditd": "", "/etc/init.d/auditd": "", "/etc/runlevels/boot/x": "" } },
    ],
    notApplicable: [NO_AUDITD, { files: { "/usr/sbin/auditd": "" } }],
    error: [{ files: { ...BASE, ...SYSTEMD, "/etc/systemd/system": { kind: "folder", isRefused: true } } }],
  },
  {
    rule: "4.1.4",
    pass: [
      {
        files: {
          "/proc/cmdline": "root=/dev/sda1 audit=1\n",
          "/boot/grub/grub.cfg": "linux /vmlinuz ro audit=1\nlinux /vmlinuz ro single\n",
        },
      },
      { files: { "/proc/cmdline": "audit=0 audit=1\n" } },
      {
        files: {
          "/etc/default/grub": 'GRUB_CMDLINE_LINUX="quiet"\n',
          "/etc/default/grub.d/a.cfg": 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX audit=1"\n',
        },
        isLive: false,
      },
      { files: { "/boot/firmware/cmdline.txt": "console=tty1 audit=1\n" }, isLive: false },
      {
        files: {
          "/boot/loader/entries/a.conf": "title x\noptions $kernelopts quiet\n",
          "/boot/grub2/grubenv": "# GRUB Environment Block\nkernelopts=root=/dev/sda audit=1\n",
        },
        isLive: false,
      },
    ],
    fail: [
      { files: { "/proc/cmdline": "quiet\n" } },
      { files: { "/proc/cmdline": "audit=1\n", "/boot/grub/grub.cfg": "linux /vmlinuz ro\n" } },
      { files: { "/proc/cmdline": "audit=1\n", "/etc/default/grub": "GRUB_TIMEOUT=5\n" } },
      {
        files: { "/proc/cmdline": "audit=1\n", "/etc/default/grub": "GRUB_CMDLINE_LINUX=quiet\n" },
        isLive: false,
      },
    ],
    notApplicable: [{ files: { "/proc/cmdline": "audit=1\n" }, isLive: false }],
    error: [{ files: { "/proc/cmdline": "audit=1\n", "/etc/default/grub": "\0" } }],
  },
  rules("4.1.5", {
    lines: [
      ...both("-S adjtimex -S settimeofday"),
      ...both("-S clock_settime"),
      "-a always,exit -F arch=b32 -S stime",
      "-w /etc/localtime -p wa",
    ],
    spellings: [
      [
        "-a exit,always -F arch=x86_64 -S settimeofday,clock_settime,adjtimex",
        "-A always,exit -F arch=i386 -S stime -S clock_settime -S adjtimex,settimeofday",
        "-a always,exit -F path=/etc/localtime -F perm=wa",
      ],
    ],
    fails: [
      [...both("-S adjtimex -S settimeofday -S clock_settime -S stime", "-F uid=5")],
      [...both("-S adjtimex -S settimeofday -S clock_settime -S stime"), "-w /etc/localtime -p r"],
    ],
  }),
  {
    ...watches(
      "4.1.6",
      { "/etc/security": { kind: "folder" } },
      "/etc/group",
      "/etc/passwd",
      "/etc/gshadow",
      "/etc/shadow",
      "/etc/security/opasswd",
    ),
  },
  rules("4.1.7", {
    files: { "/etc/network/interfaces": "" },
    lines: [
      ...both("-S sethostname -S setdomainname"),
      "-w /etc/issue -p wa",
      "-w /etc/issue.net -p wa",
      "-w /etc/hosts -p wa",
      "-w /etc/network/ -p wa",
    ],
    fails: [
      [
        "-a always,exit -S sethostname -S setdomainname",
        "-w /etc/ -p wa",
      ],
    ],
  }),
  {
    ...watches("4.1.8", { "/etc/apparmor.d/x": "", "/etc/apparmor/y": "" }, "/etc/apparmor", "/etc/apparmor.d"),
    notApplicable: [NO_AUDITD, withRules("-w /etc/selinux -p wa")],
  },
  {
    ...watches(
      "4.1.9",
      { "/var/log/faillog": "", "/var/log/lastlog": "", "/run/faillock/a": "" },
      "/var/log/faillog",
      "/var/log/lastlog",
      "/var/run/faillock",
    ),
    notApplicable: [NO_AUDITD, withRules("-w /var/log/faillog -p wa")],
  },
  {
    ...watches(
      "4.1.10",
      { "/run/utmp": "", "/var/log/wtmp": "", "/var/log/btmp": "" },
      "/run/utmp",
      "/var/log/wtmp",
      "/var/log/btmp",
    ),
    notApplicable: [NO_AUDITD, withRules("-w /var/run/utmp -p wa")],
  },
  rules("4.1.11", {
    lines: [
      ...both("-S chmod -S fchmod -S fchmodat", PEOPLE),
      ...both("-S chown -S fchown -S fchownat -S lchown", PEOPLE),
      ...both("-S setxattr -S lsetxattr -S fsetxattr -S removexattr -S lremovexattr -S fremovexattr", PEOPLE),
    ],
    spellings: [
      [
        ...both("-S chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown", "-F auid>=500 -F auid!=-1"),
        ...both(
          "-S fremovexattr,lremovexattr,removexattr,fsetxattr,lsetxattr,setxattr",
          "-F auid!=unset -F auid>=1000",
        ),
      ],
    ],
    fails: [
      [
        ...both("-S chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown", "-F auid>=2000"),
        ...both("-S fremovexattr,lremovexattr,removexattr,fsetxattr,lsetxattr,setxattr"),
      ],
      [
        ...both("-S chmod,fchmod,fchmodat,chown,fchown,fchownat", PEOPLE),
        ...both("-S fremovexattr,lremovexattr,removexattr,fsetxattr,lsetxattr,setxattr", PEOPLE),
      ],
    ],
  }),
  {
    ...rules("4.1.12", {
      lines: ["-EACCES", "-EPERM"].flatMap((error) =>
        both("-S creat -S open -S openat -S truncate -S ftruncate", `-F exit=${error} ${PEOPLE}`),
      ),
      spellings: [
        ["-13", "-1"].flatMap((error) =>
          both("-S open,openat,creat,truncate,ftruncate", `-F exit=${error} ${PEOPLE}`),
        ),
        both("-S open,openat,creat,truncate,ftruncate", "-F success=0"),
        both("-S all"),
      ],
    }),
  },
  {
    rule: "4.1.13",
    pass: [
      { ...withRules(`${PASSWD_PROGRAM} ${PEOPLE}`), extras: walked(["/usr/bin/su"]) },
      { ...withRules(`${PASSWD_PROGRAM} -F auid>=1000 -F auid!=unset`), extras: walked(["/bin/su"]) },
      { ...withRules("-w /usr/bin/su -p x"), extras: walked(["/usr/bin/su"]) },
      {
        ...withRules("-w /usr/bin -p x"),
        extras: walked(["/usr/bin/su"], { setgid: { total: 1, paths: ["/usr/bin/wall"] } }),
      },
    ],
    fail: [
      {
        ...withRules(`${PASSWD_PROGRAM} ${PEOPLE}`),
        extras: walked(["/usr/bin/su", "/usr/bin/passwd"]),
      },
      {
        ...withRules(`${PASSWD_PROGRAM} ${PEOPLE}`),
        extras: walked(["/usr/bin/su"], { setgid: { total: 1, paths: ["/usr/bin/wall"] } }),
      },
      { ...withRules(`${PASSWD_PROGRAM} -F uid=7`), extras: walked(["/usr/bin/su"]) },
      { ...withRules(""), extras: walked(["/usr/bin/su"], { isCut: true }) },
    ],
    notApplicable: [
      NO_AUDITD,
      withRules(`${PASSWD_PROGRAM} ${PEOPLE}`),
      { ...withRules(""), extras: walked([]) },
    ],
    error: [
      {
        ...withRules(`${PASSWD_PROGRAM} ${PEOPLE}`),
        extras: walked(["/usr/bin/su"], { isCut: true }),
      },
      { ...withRules("garbage"), extras: walked(["/usr/bin/su"]) },
    ],
  },
  rules("4.1.14", {
    lines: both("-S mount", PEOPLE),
    spellings: [both("-S mount"), both("-S umount2,mount", PEOPLE)],
    fails: [both("-S umount2", PEOPLE)],
  }),
  withMachines("4.1.15", {
    lines: both("-S unlink -S unlinkat -S rename -S renameat", PEOPLE),
    spellings: [
      [
        ...both("-S renameat,rename", PEOPLE),
        ...both("-S unlinkat,unlink", PEOPLE),
      ],
    ],
    fails: [both("-S unlinkat,renameat", PEOPLE)],
  }),
  {
    ...watches("4.1.16", { ...SUDOERS, "/etc/sudoers.d/README": "" }, "/etc/sudoers", "/etc/sudoers.d"),
    notApplicable: [NO_AUDITD, withRules("-w /etc/sudoers -p wa")],
  },
  {
    rule: "4.1.17",
    pass: [
      more(withRules("-w /var/log/sudo.log -p wa"), SUDO_LOG),
      more(withRules("-w /var/log/s.log -p wa"), {
        "/etc/sudoers": "Defaults:ALL x\nDefaults logfile=/var/log/s.log\n",
      }),
    ],
    fail: [
      more(withRules("-w /var/log/sudo.log -p wa"), SUDOERS),
      more(withRules("-w /var/log/other.log -p wa"), SUDO_LOG),
      more(withRules(""), SUDO_LOG),
    ],
    notApplicable: [NO_AUDITD, withRules("-w /var/log/sudo.log -p wa")],
    error: [
      more(withRules("-w /var/log/sudo.log -p wa"), { ...SUDO_LOG, "/etc/sudoers.d/b": "\0" }),
      more(withRules("garbage"), SUDO_LOG),
    ],
  },
  rules("4.1.18", {
    files: { "/usr/sbin/insmod": "", "/usr/sbin/rmmod": "", "/usr/sbin/modprobe": "" },
    lines: [
      "-w /sbin/insmod -p x",
      "-w /usr/sbin/rmmod -p x",
      "-w /sbin/modprobe -p x",
      "-a always,exit -F arch=b64 -S init_module -S finit_module -S delete_module",
    ],
    fails: [["-w /usr/sbin -p x", "-a always,exit -F arch=b64 -S init_module -S delete_module"]],
  }),
  {
    rule: "4.1.19",
    pass: [
      withRules("-w /etc/passwd -p wa", "-e 2"),
      // augenrules moves the lock to the end.
      more(withRules("-e 2"), { "/etc/audit/rules.d/z.rules": "-w /etc/passwd -p wa\n" }),
      {
        files: { "/sbin/auditd": "", "/etc/audit/audit.rules": "-w /etc/passwd -p wa\n-e 2\n" },
      },
    ],
    fail: [
      withRules("-w /etc/passwd -p wa"),
      withRules("-e 1"),
      withRules("-e 2", "-e 1"),
      { files: { "/sbin/auditd": "", "/etc/audit/audit.rules": "-e 2\n-w /etc/passwd -p wa\n" } },
      { files: { "/sbin/auditd": "" } },
    ],
    notApplicable: [NO_AUDITD],
    error: [withRules("-e 2", "??"), more(withRules("-e 2"), { "/etc/audit/rules.d/z.rules": "\0" })],
  },
];
