import type { Check } from "../check.ts";
import type { Expectation } from "../expectation.ts";
import type { PamCheck } from "../primitives/pam.ts";
import type { Rule } from "../rule.ts";

/** Stacks of Debian, of Fedora and its kin, of Alpine, and of programs that have no common one. */
const PASSWORD_STACKS = ["common-password", "system-auth", "base-password", "passwd"];
const AUTH_STACKS = ["common-auth", "system-auth", "base-auth", "login"];

const HAS_PAM: Check = {
  any: [...new Set([...PASSWORD_STACKS, ...AUTH_STACKS])].flatMap((name): readonly Check[] => [
    { test: "file-exists", path: `/etc/pam.d/${name}` },
    { test: "file-exists", path: `/usr/lib/pam.d/${name}` },
  ]),
};

type PamArgument = NonNullable<PamCheck["argument"]>;

function passwordLine(modules: readonly string[], argument?: PamArgument): PamCheck {
  return {
    test: "pam",
    services: PASSWORD_STACKS,
    type: "password",
    modules,
    ...(argument === undefined ? {} : { argument }),
  };
}

/** A line of pwquality or of the older cracklib, which has no file. */
function quality(name: string, expected: Expectation, fallback: string): Check {
  const argument = { name, expected, fallback };
  return {
    any: [
      {
        ...passwordLine(["pam_pwquality"], { ...argument, file: "/etc/security/pwquality.conf" }),
        mustRefuse: true,
      },
      { ...passwordLine(["pam_cracklib"], argument), mustRefuse: true },
    ],
  };
}

function lockout(name: string, expected: Expectation, fallback?: string): Check {
  return {
    test: "pam",
    services: AUTH_STACKS,
    type: "auth",
    modules: ["pam_faillock"],
    argument: {
      name,
      expected,
      file: "/etc/security/faillock.conf",
      ...(fallback === undefined ? {} : { fallback }),
    },
  };
}

function tally(name: string, expected: Expectation, fallback?: string): Check {
  return {
    test: "pam",
    services: AUTH_STACKS,
    type: "auth",
    modules: ["pam_tally2"],
    mustRefuse: true,
    argument: { name, expected, ...(fallback === undefined ? {} : { fallback }) },
  };
}

/** 0 and `never`: locked until someone unlocks it. */
const QUARTER_HOUR: Expectation = { pattern: "never|0|9\\d\\d|[1-9]\\d{3,8}" };

/** Arguments of pam_unix that choose how passwords are stored. Source: pam_unix(8). */
const STRONG = ["yescrypt", "gost_yescrypt", "sha512", "blowfish"];
const WEAK = ["md5", "bigcrypt", "sha256"];

function hash(name: string): Check {
  return passwordLine(["pam_unix"], { name, expected: { oneOf: ["yes"] } });
}

const PAM = {
  level: 1,
  workstationLevel: 1,
  group: "PAM",
  cost: "shared",
  appliesWhen: HAS_PAM,
  otherwise: "no PAM stacks are here",
} as const;

/** Section 5.3: passwords and lockout. */
export const SECTION_5_3: readonly Rule[] = [
  {
    ...PAM,
    id: "5.3.1",
    title: "New passwords are long and of mixed characters",
    rationale: "Short passwords and those of one kind of characters are found by trying.",
    remediation:
      'Install libpam-pwquality (with pam-auth-update on Debian); set "minlen = 14" and "minclass = 4" in /etc/security/pwquality.conf',
    isScored: true,
    severity: "Important",
    check: {
      all: [
        quality("minlen", { atLeast: 14 }, "8"),
        {
          any: [
            quality("minclass", { atLeast: 4 }, "0"),
            {
              all: ["dcredit", "ucredit", "lcredit", "ocredit"].map((name) =>
                quality(name, { atMost: -1 }, "0"),
              ),
            },
          ],
        },
      ],
    },
  },
  {
    ...PAM,
    id: "5.3.2",
    title: "Repeated failures lock an account for a quarter of an hour",
    rationale: "Guessing passwords takes years when five failures cost fifteen minutes.",
    remediation:
      'Put pam_faillock before and after pam_unix in the auth stack ("auth required pam_faillock.so preauth", "auth [default=die] pam_faillock.so authfail") and in the account stack ("account required pam_faillock.so"); set "deny = 5" and "unlock_time = 900" in /etc/security/faillock.conf',
    isScored: false,
    severity: "Important",
    check: {
      any: [
        {
          all: [
            lockout("authfail", { oneOf: ["yes"] }),
            lockout("deny", { atLeast: 1, atMost: 5 }, "3"),
            lockout("unlock_time", QUARTER_HOUR, "600"),
          ],
        },
        {
          all: [tally("deny", { atLeast: 1, atMost: 5 }), tally("unlock_time", QUARTER_HOUR, "0")],
        },
      ],
    },
  },
  {
    ...PAM,
    id: "5.3.3",
    title: "The last five passwords cannot be used again",
    rationale: "A password that was changed because it leaked must not come back.",
    remediation:
      'Put "password required pam_pwhistory.so remember=5 use_authtok" before pam_unix in the password stack (/etc/pam.d/common-password, or system-auth)',
    isScored: false,
    severity: "Warning",
    check: {
      any: [
        {
          ...passwordLine(["pam_pwhistory"], {
            name: "remember",
            expected: { atLeast: 5 },
            file: "/etc/security/pwhistory.conf",
            fallback: "10",
          }),
          mustRefuse: true,
        },
        passwordLine(["pam_unix"], { name: "remember", expected: { atLeast: 5 } }),
      ],
    },
  },
  {
    ...PAM,
    id: "5.3.4",
    title: "Passwords are stored with yescrypt, SHA-512 or better",
    rationale: "A stolen /etc/shadow with weak hashes gives its passwords away within hours.",
    remediation:
      'Give pam_unix the argument yescrypt (or sha512) in the password stack, and set "ENCRYPT_METHOD YESCRYPT" (or SHA512) in /etc/login.defs; set the passwords anew',
    isScored: false,
    severity: "Important",
    check: {
      all: [
        ...WEAK.map((name): Check => ({ not: hash(name) })),
        {
          any: [
            ...STRONG.map(hash),
            {
              // Without an argument pam_unix does what login.defs says.
              all: [
                passwordLine(["pam_unix"]),
                {
                  test: "login-defs",
                  key: "ENCRYPT_METHOD",
                  expected: { oneOf: ["YESCRYPT", "SHA512", "BCRYPT"] },
                },
              ],
            },
          ],
        },
      ],
    },
  },
];
