import type { RootFiles } from "../memory-root.ts";
import type { RuleCases } from "../rule-case.ts";
import { bootEntry, contained, dpkg, live, NOTHING, offline, REFUSED, SYSTEMD } from "./devices.ts";

const LIMITS: RootFiles = {
  "/etc/pam.d/login": "",
  "/etc/security/limits.conf": "# *  soft  core  0\n",
};
const NO_CORE: RootFiles = { "/etc/security/limits.d/60-core.conf": "*\thard\tcore\t0 # none\n" };
const DUMPABLE = "/proc/sys/fs/suid_dumpable";
const COREDUMPS: RootFiles = { "/usr/lib/systemd/systemd-coredump": "" };

const ASLR = "/proc/sys/kernel/randomize_va_space";
const CPU = "/proc/cpuinfo";

export const SECTION_1_5_CASES: readonly RuleCases[] = [
  {
    rule: "1.5.1",
    pass: [
      live({ ...LIMITS, ...NO_CORE, [DUMPABLE]: "0\n" }),
      offline({ ...LIMITS, ...NO_CORE }),
      live({
        ...LIMITS,
        ...NO_CORE,
        ...COREDUMPS,
        [DUMPABLE]: "0\n",
        "/usr/lib/sysctl.d/50-coredump.conf": "fs.suid_dumpable=2\n",
        "/etc/sysctl.d/60-core.conf": "fs.suid_dumpable = 0\n",
        "/etc/systemd/coredump.conf": "[Coredump]\n#Storage=external\n",
        "/etc/systemd/coredump.conf.d/60.conf": "[Coredump]\nStorage=none\nProcessSizeMax=0\n",
      }),
      // Nothing reads limits where there is no PAM.
      live({ [DUMPABLE]: "0\n" }),
    ],
    fail: [
      live({ ...LIMITS, [DUMPABLE]: "0\n" }),
      live({ "/etc/pam.d/login": "", [DUMPABLE]: "0\n" }),
      live({ ...LIMITS, ...NO_CORE, [DUMPABLE]: "2\n" }),
      live({ ...LIMITS, ...NO_CORE, [DUMPABLE]: "0\n", "/etc/sysctl.conf": "fs.suid_dumpable=1" }),
      live({ ...LIMITS, ...NO_CORE, ...COREDUMPS, [DUMPABLE]: "0\n" }),
      ...["Storage=none", "ProcessSizeMax=0", "#"].map((line) =>
        offline({
          ...NO_CORE,
          ...COREDUMPS,
          "/etc/systemd/coredump.conf": `[Coredump]\n${line}\n`,
        }),
      ),
    ],
    notApplicable: [contained(live({ [DUMPABLE]: "0\n" }))],
    error: [
      live({ ...LIMITS, "/etc/security/limits.d/a.conf": REFUSED, [DUMPABLE]: "0\n" }),
      live({ ...LIMITS, ...NO_CORE, [DUMPABLE]: REFUSED }),
    ],
  },
  {
    rule: "1.5.2",
    pass: [
      live({ [CPU]: "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu nx lm\n" }),
      live({ [CPU]: "processor\t: 0\nFeatures\t: fp asimd\nCPU architecture: 8\n" }),
      live({ [CPU]: "processor\t: 0\nisa\t\t: rv64imafdc\n" }),
    ],
    fail: [
      live({ [CPU]: "processor\t: 0\nflags\t\t: fpu lm nxx\n" }),
      live({ [CPU]: "processor\t: 0\nCPU architecture: 5TEJ\n" }),
    ],
    notApplicable: [
      offline({ [CPU]: "flags\t\t: fpu nx\n" }),
      live({ [CPU]: "system type\t\t: MediaTek MT7621\ncpu model\t: MIPS 1004Kc\n" }),
    ],
    error: [live({ [CPU]: "garbage\n" }), live({ [CPU]: REFUSED })],
  },
  {
    rule: "1.5.3",
    pass: [
      live({ [ASLR]: "2\n" }),
      live({ [ASLR]: "2\n", "/etc/sysctl.d/60-aslr.conf": "kernel/randomize_va_space=2\n" }),
      // A file of the distribution that the administrator switched off.
      live({
        [ASLR]: "2\n",
        "/usr/lib/sysctl.d/50-weak.conf": "kernel.randomize_va_space=0\n",
        "/etc/sysctl.d/50-weak.conf": { link: "/dev/null" },
      }),
      // Systemd reads the old file through a link only.
      live({ [ASLR]: "2\n", ...SYSTEMD, "/etc/sysctl.conf": "kernel.randomize_va_space=0\n" }),
    ],
    fail: [
      live({ [ASLR]: "1\n" }),
      live({
        [ASLR]: "2\n",
        ...SYSTEMD,
        "/etc/sysctl.conf": "kernel.randomize_va_space=0\n",
        "/etc/sysctl.d/99-sysctl.conf": { link: "../sysctl.conf" },
      }),
      live({ [ASLR]: "2\n", "/etc/sysctl.conf": "kernel.randomize_va_space = 0\n" }),
      live({ [ASLR]: "2\n", ...bootEntry("norandmaps") }),
      offline({ "/etc/sysctl.d/60-aslr.conf": "kernel.randomize_va_space=1\n" }),
    ],
    notApplicable: [contained(live({ [ASLR]: "1\n" }))],
    error: [live({ [ASLR]: REFUSED }), live({ [ASLR]: "2\n", "/etc/sysctl.conf": REFUSED })],
  },
  {
    rule: "1.5.4",
    pass: [offline(dpkg()), NOTHING],
    fail: [offline(dpkg("prelink")), offline({ "/usr/sbin/prelink": "" })],
    notApplicable: [],
    alwaysApplies: "the program is looked for where no package database tells",
    error: [offline({ "/var/lib/dpkg/status": "garbage\n" })],
  },
];
