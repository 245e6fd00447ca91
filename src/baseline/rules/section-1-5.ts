import type { Rule } from "../rule.ts";
import { IN_A_CONTAINER, isNotThere, NOT_A_CONTAINER } from "./conditions.ts";

const COREDUMP = {
  files: ["/etc/systemd/coredump.conf", "/usr/lib/systemd/coredump.conf"],
  dropIns: [
    "/etc/systemd/coredump.conf.d",
    "/run/systemd/coredump.conf.d",
    "/usr/lib/systemd/coredump.conf.d",
  ],
  section: "Coredump",
} as const;

/** Memory of processes: 1.5.1 to 1.5.4. */
export const PROCESS_RULES: readonly Rule[] = [
  {
    id: "1.5.1",
    title: "Processes leave no memory dumps",
    rationale: "A dump holds keys and passwords that the process had in memory.",
    remediation:
      "Write `* hard core 0` to /etc/security/limits.d/60-core.conf and `fs.suid_dumpable = 0` to /etc/sysctl.d/60-core.conf, and run `sysctl --system`. With systemd-coredump, write `[Coredump]`, `Storage=none` and `ProcessSizeMax=0` to /etc/systemd/coredump.conf.d/60-none.conf.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Process Hardening",
    cost: "shared",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: {
      all: [
        {
          test: "sysctl",
          key: "fs.suid_dumpable",
          expected: { oneOf: ["0"] },
          kernelDefault: "0",
        },
        {
          any: [
            // Only PAM reads the limits.
            isNotThere("/etc/pam.d"),
            {
              test: "lines",
              files: ["/etc/security/limits.conf", "/etc/security/limits.d/*.conf"],
              pattern: "^\\*\\s+(?:hard|-)\\s+core\\s+0\\s*(?:#.*)?$",
              want: "some",
              what: "line * hard core 0",
              whenMissing: "fail",
            },
          ],
        },
        {
          any: [
            isNotThere("/usr/lib/systemd/systemd-coredump", "/lib/systemd/systemd-coredump"),
            {
              all: [
                { test: "setting", ...COREDUMP, key: "Storage", expected: { oneOf: ["none"] } },
                { test: "setting", ...COREDUMP, key: "ProcessSizeMax", expected: { oneOf: ["0"] } },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    id: "1.5.2",
    title: "The processor does not execute data",
    rationale: "Without it, what an attacker writes to a buffer can be run as a program.",
    remediation:
      "Switch the protection on in the firmware (NX, XD, Execute Disable), and remove noexec=off from the kernel's command line. On 32-bit x86, use a kernel with PAE.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Important",
    group: "Process Hardening",
    cost: "light",
    check: { test: "execute-protection" },
  },
  {
    id: "1.5.3",
    title: "Addresses of memory are chosen at random",
    rationale: "What an attacker cannot find in memory is harder to misuse.",
    remediation:
      "Write `kernel.randomize_va_space = 2` to /etc/sysctl.d/60-aslr.conf and run `sysctl --system`. Remove norandmaps from the kernel's command line.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Important",
    group: "Process Hardening",
    cost: "light",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: {
      all: [
        {
          test: "sysctl",
          key: "kernel.randomize_va_space",
          expected: { oneOf: ["2"] },
          kernelDefault: "2",
        },
        { test: "kernel-line", word: "norandmaps", want: "none", what: "norandmaps" },
      ],
    },
  },
  {
    id: "1.5.4",
    title: "Prelink is not installed",
    rationale:
      "It rewrites programs, so that their integrity cannot be checked, and gives libraries fixed places in memory.",
    remediation: "Run `prelink -ua` to restore the programs, then remove the package prelink.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Informational",
    group: "Process Hardening",
    cost: "shared",
    check: {
      all: [
        isNotThere("/usr/sbin/prelink"),
        { test: "package", names: ["prelink"], want: "absent" },
      ],
    },
  },
];
