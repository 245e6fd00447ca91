import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const PASSWORD = "/etc/pam.d/common-password";
const AUTH = "/etc/pam.d/common-auth";
const PWQUALITY = "/etc/security/pwquality.conf";
const FAILLOCK = "/etc/security/faillock.conf";
const DEFS = "/etc/login.defs";

const QUALITY_LINE = "password requisite pam_pwquality.so retry=3";
const UNIX_LINE = "password [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt";
const NO_PAM: CaseDevice = { files: { "/etc/passwd": "root:x:0:0::/root:/bin/ash\n" } };

function password(lines: readonly string[], more: RootFiles = {}): CaseDevice {
  return { files: { [PASSWORD]: `# passwords\n${lines.join("\n")}\n`, ...more } };
}

function auth(lines: readonly string[], more: RootFiles = {}): CaseDevice {
  return { files: { [AUTH]: `${lines.join("\n")}\n`, ...more } };
}

const FAILLOCK_LINES = [
  "auth required pam_faillock.so preauth",
  "auth [success=1 default=ignore] pam_unix.so nullok",
  "auth [default=die] pam_faillock.so authfail",
];
const FIVE_IN_A_QUARTER = { [FAILLOCK]: "deny = 5\nunlock_time = 900\n" };

function garbageIn(path: string): readonly CaseDevice[] {
  return [
    { files: { [path]: "\u0007 no line\n" } },
    { files: { [path]: "\0\0" } },
    { files: { [path]: { isRefused: true } } },
    { files: { [path]: "@include not-there\n" } },
    { files: { [path]: `@include ${path.slice("/etc/pam.d/".length)}\n` } },
  ];
}

export const SECTION_5_3: readonly RuleCases[] = [
  {
    rule: "5.3.1",
    pass: [
      password([QUALITY_LINE, UNIX_LINE], { [PWQUALITY]: "minlen = 14\nminclass = 4\n" }),
      password([QUALITY_LINE], {
        [PWQUALITY]: "minlen=16 # long\ndcredit = -1\nucredit = -1\nlcredit = -1\nocredit = -1\n",
      }),
      password([`${QUALITY_LINE} minlen=14 minclass=4`], { [PWQUALITY]: "minlen = 6\n" }),
      password([QUALITY_LINE], { [`${PWQUALITY}.d/50.conf`]: "minlen = 14\nminclass = 4\n" }),
      password([QUALITY_LINE], {
        [`${PWQUALITY}.d/50.conf`]: "minlen = 4\n",
        [PWQUALITY]: "minlen = 14\nminclass = 4\n",
      }),
      password([
        "password requisite pam_cracklib.so minlen=14 dcredit=-1 ucredit=-1 lcredit=-1 ocredit=-1",
      ]),
      {
        files: {
          "/etc/pam.d/system-auth": `-${QUALITY_LINE}\n`,
          [PWQUALITY]: "minlen = 14\nminclass = 4\n",
        },
      },
    ],
    fail: [
      password([UNIX_LINE]),
      password([QUALITY_LINE]),
      password([`# ${QUALITY_LINE}`], { [PWQUALITY]: "minlen = 14\nminclass = 4\n" }),
      password(["password optional pam_pwquality.so"], {
        [PWQUALITY]: "minlen = 14\nminclass = 4\n",
      }),
      password([QUALITY_LINE], { [PWQUALITY]: "minlen = 13\nminclass = 4\n" }),
      password([QUALITY_LINE], { [PWQUALITY]: "minlen = 14\n# minclass = 4\n" }),
      password([QUALITY_LINE], { [PWQUALITY]: "minlen = 14\ndcredit = -1\nucredit = -1\n" }),
      password([QUALITY_LINE], {
        [PWQUALITY]: "minlen = 8\nminclass = 4\n",
        [`${PWQUALITY}.d/50.conf`]: "minlen = 14\n",
      }),
    ],
    notApplicable: [NO_PAM],
    error: [
      ...garbageIn(PASSWORD),
      password([QUALITY_LINE], { [PWQUALITY]: { isRefused: true } }),
      password([QUALITY_LINE], { [PWQUALITY]: "\0" }),
    ],
  },
  {
    rule: "5.3.2",
    pass: [
      auth(FAILLOCK_LINES, FIVE_IN_A_QUARTER),
      auth(FAILLOCK_LINES, { [FAILLOCK]: "unlock_time = never\n" }),
      auth(["auth required pam_faillock.so authfail deny=3 unlock_time=1200"]),
      auth(["auth required pam_tally2.so onerr=fail deny=5 unlock_time=900"]),
    ],
    fail: [
      auth(["auth [success=1 default=ignore] pam_unix.so nullok"]),
      auth(FAILLOCK_LINES),
      auth(FAILLOCK_LINES, { [FAILLOCK]: "deny = 6\nunlock_time = 900\n" }),
      auth(FAILLOCK_LINES, { [FAILLOCK]: "deny = 0\nunlock_time = 900\n" }),
      auth(FAILLOCK_LINES, { [FAILLOCK]: "deny = 5\nunlock_time = 899\n" }),
      auth(FAILLOCK_LINES.slice(0, 2), FIVE_IN_A_QUARTER),
      auth(["auth required pam_tally2.so unlock_time=900"]),
      auth(
        FAILLOCK_LINES.map((line, at) => (at === 2 ? `${line} deny=50` : `${line} deny=3`)),
        FIVE_IN_A_QUARTER,
      ),
      auth(["auth optional pam_tally2.so deny=5 unlock_time=900"]),
    ],
    notApplicable: [NO_PAM],
    error: [...garbageIn(AUTH), auth(FAILLOCK_LINES, { [FAILLOCK]: "\0" })],
  },
  {
    rule: "5.3.3",
    pass: [
      password(["password required pam_pwhistory.so remember=5 use_authtok", UNIX_LINE]),
      password(["password requisite pam_pwhistory.so"], {
        "/etc/security/pwhistory.conf": "remember = 24\n",
      }),
      password([`${UNIX_LINE} remember=5`]),
    ],
    fail: [
      password([UNIX_LINE]),
      password(["password required pam_pwhistory.so remember=4"]),
      password([`${UNIX_LINE} remember=2`]),
      password(["password optional pam_pwhistory.so remember=5"]),
    ],
    notApplicable: [NO_PAM],
    error: garbageIn(PASSWORD),
  },
  {
    rule: "5.3.4",
    pass: [
      password([UNIX_LINE]),
      password(["password sufficient pam_unix.so sha512 shadow"]),
      password(["password sufficient pam_unix.so shadow"], {
        [DEFS]: "ENCRYPT_METHOD YESCRYPT\n",
      }),
    ],
    fail: [
      password(["password sufficient pam_unix.so md5"], { [DEFS]: "ENCRYPT_METHOD SHA512\n" }),
      password(["password sufficient pam_unix.so sha256"]),
      password(["password sufficient pam_unix.so"], { [DEFS]: "ENCRYPT_METHOD MD5\n" }),
      password(["password sufficient pam_unix.so"], { [DEFS]: "# ENCRYPT_METHOD SHA512\n" }),
    ],
    notApplicable: [NO_PAM],
    error: [
      ...garbageIn(PASSWORD),
      password(["password sufficient pam_unix.so"], { [DEFS]: { isRefused: true } }),
    ],
  },
];
