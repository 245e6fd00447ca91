import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const DEFS = "/etc/login.defs";
const SHADOW = "/etc/shadow";
const PASSWD = "/etc/passwd";
const PROFILE = "/etc/profile";
const DROP_IN = "/etc/profile.d/50-site.sh";
const BASHRC = "/etc/bash.bashrc";
const HASH = "$y$j9T$c29tZQ$aGFzaA";
const EMPTY: CaseDevice = { files: {} };

/** Account `op` with these fields 4 to 7 of /etc/shadow, beside locked ones. */
function shadow(fields: string, more: RootFiles = {}): CaseDevice {
  const text = `root:!:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\nop:${HASH}:20000:${fields}::\n`;
  return { files: { [SHADOW]: { text, mode: 0o640 }, ...more } };
}

const LOCKED: CaseDevice = { files: { [SHADOW]: "root:*:20000:0:99999:7:::\n" } };

const BROKEN_SHADOW: readonly CaseDevice[] = [
  { files: { [SHADOW]: "root\n" } },
  { files: { [SHADOW]: `op:${HASH}:20000:x:y:z:::\n` } },
  { files: { [SHADOW]: "\0\u0001" } },
  { files: { [SHADOW]: { isRefused: true } } },
];

function defs(text: string): RootFiles {
  return { [DEFS]: `# defaults\n${text}\n` };
}

function shell(files: RootFiles): CaseDevice {
  return { files: { [PROFILE]: "# for all\n", ...files } };
}

const USERS =
  "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\nsync:x:4:65534::/bin:/bin/sync\n";

function passwd(more: string, files: RootFiles = {}): CaseDevice {
  return { files: { [PASSWD]: `${USERS}${more}\n`, ...files } };
}

const BROKEN_PASSWD: readonly CaseDevice[] = [
  { files: { [PASSWD]: "root:x:zero:0::/root:/bin/sh\n" } },
  { files: { [PASSWD]: "root\n" } },
  { files: { [PASSWD]: "\0" } },
  { files: { [PASSWD]: "" } },
  { files: { [PASSWD]: { isRefused: true } } },
];

const SU = "/etc/pam.d/su";

export const SECTION_5_4: readonly RuleCases[] = [
  {
    rule: "5.4.1.1",
    pass: [
      shadow("7:365:7:30", defs("PASS_MAX_DAYS\t365")),
      shadow("7:90:7:30"),
      { files: defs("PASS_MAX_DAYS 90") },
    ],
    fail: [
      shadow("7:365:7:30", defs("PASS_MAX_DAYS 99999")),
      shadow("7:366:7:30", defs("PASS_MAX_DAYS 365")),
      shadow("7::7:30", defs("PASS_MAX_DAYS 365")),
      shadow("7:365:7:30", defs("#PASS_MAX_DAYS 365")),
    ],
    notApplicable: [EMPTY, LOCKED],
    error: [...BROKEN_SHADOW, { files: { [DEFS]: "\0" } }],
  },
  {
    rule: "5.4.1.2",
    pass: [shadow("7:365:7:30", defs("PASS_MIN_DAYS 7")), shadow("10:90:7:30")],
    fail: [
      shadow("7:365:7:30", defs("PASS_MIN_DAYS 0")),
      shadow("6:365:7:30", defs("PASS_MIN_DAYS 7")),
      shadow(":365:7:30", defs("PASS_MIN_DAYS 7")),
    ],
    notApplicable: [EMPTY, LOCKED],
    error: BROKEN_SHADOW,
  },
  {
    rule: "5.4.1.3",
    pass: [shadow("7:365:7:30", defs("PASS_WARN_AGE 7")), shadow("7:90:14:30")],
    fail: [
      shadow("7:365:7:30", defs("PASS_WARN_AGE 6")),
      shadow("7:365:6:30", defs("PASS_WARN_AGE 7")),
    ],
    notApplicable: [EMPTY, LOCKED],
    error: BROKEN_SHADOW,
  },
  {
    rule: "5.4.1.4",
    pass: [
      shadow("7:365:7:30", { "/usr/sbin/useradd": "", "/etc/default/useradd": "INACTIVE=30\n" }),
      shadow("7:365:7:0"),
      { files: { "/usr/sbin/useradd": "", "/etc/default/useradd": "SHELL=/bin/sh\nINACTIVE=14\n" } },
    ],
    fail: [
      shadow("7:365:7:30", { "/usr/sbin/useradd": "", "/etc/default/useradd": "# INACTIVE=30\n" }),
      shadow("7:365:7:30", { "/usr/sbin/useradd": "", "/etc/default/useradd": "INACTIVE=-1\n" }),
      shadow("7:365:7:30", { "/usr/sbin/useradd": "" }),
      shadow("7:365:7:31", { "/usr/sbin/useradd": "", "/etc/default/useradd": "INACTIVE=30\n" }),
      shadow("7:365:7:"),
    ],
    notApplicable: [EMPTY],
    error: [
      ...BROKEN_SHADOW,
      shadow("7:365:7:30", { "/usr/sbin/useradd": "", "/etc/default/useradd": "\0" }),
    ],
  },
  {
    rule: "5.4.1.5",
    pass: [
      { files: { [PASSWD]: USERS, [SHADOW]: "root:*:20454:0:99999:7:::\n" } },
      { files: { [PASSWD]: USERS, [SHADOW]: "root:*::0:99999:7:::\n" } },
    ],
    fail: [{ files: { [PASSWD]: USERS, [SHADOW]: "root:*:20455:0:99999:7:::\n" } }],
    notApplicable: [EMPTY, { files: { [PASSWD]: USERS } }],
    error: [
      ...BROKEN_SHADOW.map(({ files }) => ({ files: { [PASSWD]: USERS, ...files } })),
      { files: { [PASSWD]: USERS, [SHADOW]: "root:*:20000:0:99999:7:::\n" }, nowMs: 86_400_000 },
    ],
  },
  {
    rule: "5.4.2",
    pass: [
      passwd("op:x:1000:1000::/home/op:/bin/bash"),
      passwd("www:x:33:33::/var/www:/bin/false", { [SHADOW]: "www:!*:20000:0:99999:7:::\n" }),
      passwd("app:x:700:700::/:/bin/sh", defs("UID_MIN 500")),
    ],
    fail: [
      passwd("www:x:33:33::/var/www:/bin/sh"),
      passwd("www:x:33:33::/var/www:"),
      passwd("nobody:x:65534:65534::/:/bin/bash"),
      passwd("www:x:33:33::/var/www:/usr/sbin/nologin", {
        [SHADOW]: `www:${HASH}:20000:0:99999:7:::\n`,
      }),
      passwd("www::33:33::/var/www:/usr/sbin/nologin"),
    ],
    notApplicable: [EMPTY],
    error: [
      ...BROKEN_PASSWD,
      ...BROKEN_SHADOW.map(({ files }) => ({ files: { [PASSWD]: USERS, ...files } })),
      passwd("", { [DEFS]: { isRefused: true } }),
    ],
  },
  {
    rule: "5.4.3",
    pass: [passwd("")],
    fail: [{ files: { [PASSWD]: "root:x:0:100::/root:/bin/sh\n" } }],
    notApplicable: [EMPTY, { files: { [PASSWD]: "op:x:1000:1000::/home/op:/bin/sh\n" } }],
    error: BROKEN_PASSWD,
  },
  {
    rule: "5.4.4",
    pass: [
      shell({ [DROP_IN]: "umask 027\n", [DEFS]: "UMASK 027\n" }),
      shell({ [PROFILE]: "umask u=rwx,g=rx,o=\n" }),
      shell({ [BASHRC]: "if true; then umask 0077; fi\n" }),
      shell({ [DROP_IN]: 'old=$(umask)\numask 077\numask "$old"\n' }),
      shell({
        "/etc/pam.d/common-session": "session optional pam_umask.so\n",
        [DEFS]: "UMASK\t077\n",
      }),
      shell({ "/etc/pam.d/common-session": "session optional pam_umask.so umask=0027\n" }),
    ],
    fail: [
      shell({}),
      shell({ [PROFILE]: "# umask 027\n" }),
      shell({ [DROP_IN]: "umask 022\n" }),
      shell({ [DROP_IN]: "umask 027\n", [BASHRC]: "umask 002\n" }),
      shell({ [DROP_IN]: "umask 027\n", [DEFS]: "UMASK 022\n" }),
      shell({ [DROP_IN]: "umask u=rwx,g=rwx,o=rx\n" }),
      // Nothing takes the value.
      shell({ [DEFS]: "UMASK 027\n" }),
      shell({ "/etc/pam.d/common-session": "session optional pam_umask.so\n" }),
    ],
    notApplicable: [EMPTY],
    error: [
      shell({ [DROP_IN]: "umask 9z\n" }),
      shell({ [DROP_IN]: "\0" }),
      shell({ [DEFS]: { isRefused: true } }),
      shell({ "/etc/pam.d/common-session": "???\n" }),
    ],
  },
  {
    rule: "5.4.5",
    pass: [
      shell({ [DROP_IN]: "readonly TMOUT=900; export TMOUT\n" }),
      shell({ [PROFILE]: "export TMOUT=600\n", [BASHRC]: 'TMOUT="300"\n' }),
    ],
    fail: [
      shell({}),
      shell({ [DROP_IN]: "TMOUT=0\n" }),
      shell({ [DROP_IN]: "TMOUT=901\n" }),
      shell({ [DROP_IN]: "TMOUT=soon\n" }),
      shell({ [DROP_IN]: "#TMOUT=900\n" }),
      shell({ [DROP_IN]: "TMOUT=900\n", [BASHRC]: "TMOUT=3600\n" }),
      shell({ [DROP_IN]: "TMOUT=900\n", [BASHRC]: "unset TMOUT\n" }),
    ],
    notApplicable: [EMPTY],
    error: [shell({ [DROP_IN]: "\0" }), shell({ [PROFILE]: { isRefused: true } })],
  },
  {
    rule: "5.5",
    pass: [
      LOCKED,
      {
        files: {
          [SHADOW]: `root:${HASH}:20000:0:99999:7:::\n`,
          "/etc/securetty": "# local\nconsole\ntty1\nttyS0\nttyAMA0\nttymxc3\nhvc0\n",
          "/etc/pam.d/login": "auth requisite pam_securetty.so\n",
        },
      },
      {
        files: { [SHADOW]: `root:${HASH}:20000:0:99999:7:::\n`, "/etc/securetty": "/dev/console\n" },
      },
    ],
    fail: [
      { files: { [SHADOW]: `root:${HASH}:20000:0:99999:7:::\n` } },
      { files: { [SHADOW]: "root::20000:0:99999:7:::\n" } },
      {
        files: { [SHADOW]: `root:${HASH}:20000:0:99999:7:::\n`, "/etc/securetty": "tty1\npts/0\n" },
      },
      {
        files: {
          [SHADOW]: `root:${HASH}:20000:0:99999:7:::\n`,
          "/etc/securetty": "tty1\n",
          "/etc/pam.d/login": "auth required pam_unix.so\n",
        },
      },
    ],
    notApplicable: [EMPTY],
    error: [
      ...BROKEN_SHADOW,
      { files: { [SHADOW]: `root:${HASH}:20000:0:99999:7:::\n`, "/etc/securetty": "\0" } },
    ],
  },
  {
    rule: "5.6",
    pass: [
      { files: { [SU]: "auth sufficient pam_rootok.so\nauth required pam_wheel.so use_uid\n" } },
      { files: { [SU]: "auth required pam_wheel.so group=sugroup\n" } },
      { files: { [SU]: "auth [success=ignore default=die] pam_wheel.so use_uid\n" } },
      {
        files: {
          [SU]: "@include su-limits\n",
          "/etc/pam.d/su-limits": "auth requisite pam_wheel.so use_uid group=admin\n",
        },
      },
      {
        files: {
          "/usr/lib/pam.d/su": "auth include /etc/site.pam\n",
          "/etc/site.pam": "auth required pam_wheel.so use_uid\n",
        },
      },
    ],
    fail: [
      { files: { [SU]: "auth sufficient pam_rootok.so\n# auth required pam_wheel.so use_uid\n" } },
      { files: { [SU]: "auth sufficient pam_wheel.so trust use_uid\n" } },
      { files: { [SU]: "auth required pam_wheel.so deny group=nosu use_uid\n" } },
      { files: { [SU]: "account required pam_wheel.so use_uid\n" } },
      { files: { [SU]: "auth required pam_wheel.so\n" } },
    ],
    notApplicable: [EMPTY],
    error: [{ files: { [SU]: "garbage\n" } }, { files: { [SU]: { isRefused: true } } }],
  },
];
