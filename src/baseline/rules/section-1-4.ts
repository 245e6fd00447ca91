import type { Check } from "../check.ts";
import type { Rule } from "../rule.ts";
import { IN_A_CONTAINER, isThere, NOT_A_CONTAINER } from "./conditions.ts";

const GRUB_FILES = ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"];
const GRUB_USER_FILES = ["/boot/grub/user.cfg", "/boot/grub2/user.cfg"];

function rootOnly(path: string): Check {
  return { test: "file-mode", path, maxMode: 0o600 };
}

/** The shell of a unit asks for the password of root, and is not told to do without. */
function asksForPassword(unit: string): Check {
  return {
    all: [
      {
        test: "unit-line",
        unit,
        key: "ExecStart",
        pattern: "sulogin",
        what: "runs sulogin",
      },
      {
        test: "unit-line",
        unit,
        key: "Environment",
        pattern: "^(?!.*SYSTEMD_SULOGIN_FORCE=(?:1|y|yes|t|true|on)\\b)",
        what: "does not set SYSTEMD_SULOGIN_FORCE",
      },
    ],
  };
}

/** What starts the device, and who may change it: 1.4.1 to 1.4.4. */
export const BOOT_RULES: readonly Rule[] = [
  {
    id: "1.4.1",
    title: "Only root reads and writes the settings of the boot loader",
    rationale:
      "The settings show how the device starts and may hold the hash of a password. Whoever writes them owns the device after its next start.",
    remediation:
      "Run `chown root:root` and `chmod u-x,go-rwx` on grub.cfg and user.cfg below /boot/grub or /boot/grub2. On Debian, update-grub sets the mode back unless a script in /etc/grub.d sets a password.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Important",
    group: "Secure Boot Settings",
    cost: "light",
    appliesWhen: isThere(...GRUB_FILES, "/etc/lilo.conf", "/boot/extlinux/extlinux.conf"),
    otherwise: "no boot loader with settings in files is known here",
    check: {
      all: [
        ...GRUB_FILES,
        ...GRUB_USER_FILES,
        "/etc/lilo.conf",
        "/boot/extlinux/extlinux.conf",
      ].map(rootOnly),
    },
  },
  {
    id: "1.4.2",
    title: "The boot loader asks for a password before its entries are changed",
    rationale:
      "At the console, anyone could otherwise start a root shell by editing the kernel's command line.",
    remediation:
      'Run `grub-mkpasswd-pbkdf2`, write `set superusers="NAME"` and `password_pbkdf2 NAME HASH` to a script in /etc/grub.d, add --unrestricted to the class of entries that may start unattended, then run `update-grub` (with GRUB 2 of Red Hat: `grub2-setpassword`).',
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Warning",
    group: "Secure Boot Settings",
    cost: "light",
    appliesWhen: isThere(...GRUB_FILES),
    otherwise: "GRUB is not here",
    check: {
      all: [
        {
          test: "lines",
          files: GRUB_FILES,
          pattern: "^set\\s+superusers\\s*=\\s*[\"']?\\w",
          want: "some",
          what: "line that names superusers",
        },
        {
          any: [
            {
              test: "lines",
              files: GRUB_USER_FILES,
              pattern: "^GRUB2_PASSWORD\\s*=\\s*\\S",
              want: "some",
              what: "GRUB2_PASSWORD",
            },
            {
              test: "lines",
              files: GRUB_FILES,
              // A variable is filled from user.cfg, which the other part looks at.
              pattern: "^password(?:_pbkdf2)?\\s+\\w\\S*\\s+[^\\s$]",
              want: "some",
              what: "line that sets a password",
            },
          ],
        },
      ],
    },
  },
  {
    id: "1.4.3",
    title: "Single-user mode asks for a password",
    rationale:
      "Rescue mode is for whoever repairs the device, not for whoever pulls its plug twice.",
    remediation:
      "Give root a password with `passwd root`. Remove drop-ins of rescue.service and emergency.service that replace ExecStart by a shell or set SYSTEMD_SULOGIN_FORCE, and shells without login from /etc/inittab.",
    level: 1,
    workstationLevel: 1,
    isScored: true,
    severity: "Important",
    group: "Secure Boot Settings",
    cost: "shared",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: {
      all: [
        { test: "account-password", account: "root", kinds: ["set"] },
        asksForPassword("rescue.service"),
        asksForPassword("emergency.service"),
        {
          test: "lines",
          files: ["/etc/inittab"],
          pattern:
            ":(?:respawn|askfirst|askconsole|once|wait):-?(?:/usr)?/bin/(?:ba|a|da)?sh(?:\\s+-\\S+)*$",
          want: "none",
          what: "shell without login",
        },
      ],
    },
  },
  {
    id: "1.4.4",
    title: "The start of services cannot be chosen at the console",
    rationale:
      "Where each service is confirmed by hand, whoever sits at the console leaves out the firewall or the audit daemon.",
    remediation:
      'Remove systemd.confirm_spawn from the kernel\'s command line. Where /etc/sysconfig/boot or /etc/sysconfig/init is there, set PROMPT_FOR_CONFIRM="no" or PROMPT=no.',
    level: 1,
    workstationLevel: 1,
    isScored: false,
    severity: "Informational",
    group: "Secure Boot Settings",
    cost: "light",
    appliesWhen: NOT_A_CONTAINER,
    otherwise: IN_A_CONTAINER,
    check: {
      all: [
        {
          test: "kernel-line",
          // Source: kernel-command-line(7): a path of a console or a boolean.
          word: "systemd\\.confirm_spawn(?:=(?!(?:0|n|no|f|false|off)$).*)?",
          want: "none",
          what: "systemd.confirm_spawn",
        },
        {
          test: "lines",
          files: ["/etc/sysconfig/boot"],
          pattern: "^PROMPT_FOR_CONFIRM=[\"']?no\\b",
          want: "some",
          what: "PROMPT_FOR_CONFIRM=no",
        },
        {
          test: "lines",
          files: ["/etc/sysconfig/init"],
          pattern: "^PROMPT=[\"']?no\\b",
          want: "some",
          what: "PROMPT=no",
        },
      ],
    },
  },
];
