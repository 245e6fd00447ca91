import type { RootEntry, RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const PASSWD = "/etc/passwd";
const SHADOW = "/etc/shadow";
const GROUP = "/etc/group";
const EMPTY: CaseDevice = { files: { "/etc/hostname": "gateway" } };
const USERS =
  "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\nop:x:1000:1000::/home/op:/bin/bash\n";
const GROUPS = "root:x:0:\ndaemon:x:1:\nshadow:x:42:\nop:x:1000:\n";
const AGES = "root:!:20000:0:99999:7:::\nop:$y$j9T$c29tZQ$aGFzaA:20000:0:99999:7:::\n";

/** Tables of a small device, with these lines more. */
function tables(more: { passwd?: string; group?: string; shadow?: string } = {}): CaseDevice {
  const { passwd = "", group = "", shadow = "" } = more;
  return {
    files: { [PASSWD]: USERS + passwd, [GROUP]: GROUPS + group, [SHADOW]: AGES + shadow },
  };
}

function broken(path: string, garbage: string): readonly CaseDevice[] {
  const { files } = tables();
  return [
    { files: { ...files, [path]: garbage } },
    { files: { ...files, [path]: "\0\0\0" } },
    { files: { ...files, [path]: { isRefused: true } } },
  ];
}

const BROKEN_PASSWD = [
  ...broken(PASSWD, "root:x:?:0::/root:/bin/sh\n"),
  { files: { ...tables().files, [PASSWD]: "# nobody\n" } },
];
const BROKEN_GROUP = broken(GROUP, "root:x:-:\n");
const BROKEN_SHADOW = broken(SHADOW, "root\n");
const UNREADABLE = (path: string): readonly CaseDevice[] => broken(path, "\0");

const HOME = "/home/op";

interface Home {
  readonly home?: RootEntry;
  readonly inside?: RootFiles;
  readonly users?: string;
}

/** The home of `op`, and of root. */
function home({ home: folder, inside = {}, users = USERS }: Home): CaseDevice {
  const own: RootEntry = folder ?? { kind: "folder", mode: 0o750, userId: 1000, groupId: 1000 };
  const files = Object.fromEntries(
    Object.entries(inside).map(([name, entry]) => [name.startsWith("/") ? name : `${HOME}/${name}`, entry]),
  );
  return {
    files: { [PASSWD]: users, "/root": { kind: "folder", mode: 0o700 }, [HOME]: own, ...files },
  };
}

const NO_SHELLS = home({ users: "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/srv:/bin/false\n" });
const REFUSED = home({ home: { kind: "folder", mode: 0o750, userId: 1000, isRefused: true } });
const FOLDER = { kind: "folder", mode: 0o755 } as const;
const SUPATH = "/etc/login.defs";
const DIRS = { "/usr/sbin": FOLDER, "/usr/bin": FOLDER, "/sbin": { link: "usr/sbin" } } as const;

function path(files: RootFiles): CaseDevice {
  return { files: { ...DIRS, "/bin": { link: "usr/bin" }, ...files } };
}

function without(rule: string, names: readonly string[]): RuleCases {
  const [first = ""] = names;
  return {
    rule,
    pass: [
      home({ inside: { ".profile": "" } }),
      { files: { [PASSWD]: USERS } },
      // Not a home of one who can log in.
      home({ inside: { [`/usr/sbin/${first}`]: "" } }),
    ],
    fail: [
      ...names.map((name) => home({ inside: { [name]: { mode: 0o600 } } })),
      home({ inside: { [`/root/${first}`]: "" } }),
      home({ inside: { [first]: { link: "/nowhere" } } }),
    ],
    notApplicable: [EMPTY, { files: { [PASSWD]: "www:x:33:33::/srv:/bin/false\n" } }],
    error: [...BROKEN_PASSWD.slice(0, 3)],
  };
}

function plusCases(rule: string, table: string, line: string): RuleCases {
  const { files } = tables();
  const text = String(files[table]);
  return {
    rule,
    pass: [tables()],
    fail: [
      { files: { ...files, [table]: `${text}+${line}\n` } },
      { files: { ...files, [table]: `+\n${text}` } },
    ],
    notApplicable: [EMPTY],
    error: UNREADABLE(table),
  };
}

function tableCases(
  rule: string,
  fail: readonly CaseDevice[],
  error: readonly CaseDevice[],
): RuleCases {
  return { rule, pass: [tables()], fail, notApplicable: [EMPTY], error };
}

const PROFILE = `if [ "$(id -u)" -eq 0 ]; then
  PATH="/usr/sbin:/usr/bin"
else
  PATH="/usr/games:."
fi
export PATH
`;

export const SECTION_6_2: readonly RuleCases[] = [
  tableCases(
    "6.2.1",
    [
      tables({ shadow: "guest::20000:0:99999:7:::\n" }),
      tables({ passwd: "guest::1001:1000::/home/guest:/bin/sh\n" }),
      { files: { [PASSWD]: "root::0:0::/root:/bin/ash\n" } },
    ],
    [...BROKEN_PASSWD, ...BROKEN_SHADOW],
  ),
  plusCases("6.2.2", PASSWD, "::::::"),
  plusCases("6.2.3", SHADOW, "::::::::"),
  plusCases("6.2.4", GROUP, ":::"),
  tableCases(
    "6.2.5",
    [tables({ passwd: "toor:x:0:0::/root:/bin/sh\n" }), tables({ passwd: "toor:x:0000:5::/:/bin/false\n" })],
    BROKEN_PASSWD,
  ),
  {
    rule: "6.2.6",
    pass: [
      path({}),
      path({ [SUPATH]: "ENV_SUPATH\tPATH=/usr/sbin:/usr/bin:/sbin:/bin\n" }),
      path({ "/etc/profile": PROFILE }),
      path({ "/root/.profile": 'PATH="$HOME/bin:$PATH"\n', "/root/bin": FOLDER }),
      path({ "/etc/environment": 'PATH="/usr/sbin:/usr/bin"\n' }),
      path({ "/root/.bashrc": 'PATH="/usr/bin${PATH:+:$PATH}"\nPATH+=:/usr/sbin\n' }),
      path({ "/root/.bashrc": `PATH="\${PATH:+$PATH:}/usr/bin:\${PATH:-/x}"\n` }),
    ],
    fail: [
      path({ [SUPATH]: "ENV_SUPATH PATH=/usr/sbin:/usr/local/sbin\n" }),
      path({ "/etc/environment": "PATH=/usr/bin:.\n" }),
      path({ "/root/.bashrc": "export PATH=$PATH:\n" }),
      path({ "/root/.bashrc": "PATH+=/tools\nPATH+=:\n" }),
      path({ "/root/.bashrc": 'PATH="${PATH:+$PATH:}/opt/none"\n' }),
      path({ "/root/.bashrc": "export PATH=bin:$PATH\n" }),
      path({ "/etc/profile": PROFILE.replace("/usr/sbin:", "/opt/tools:"), "/opt/tools": { ...FOLDER, mode: 0o775 } }),
      path({ "/etc/environment": "PATH=/opt/tools\n", "/opt/tools": { ...FOLDER, userId: 1000 } }),
      path({ "/etc/environment": "PATH=/opt/tools\n", "/opt/tools": { mode: 0o755 } }),
      path({ "/etc/environment": "PATH=/opt/tools\n", "/opt/tools": { ...FOLDER, mode: 0o1777 } }),
    ],
    notApplicable: [],
    alwaysApplies: "root has a PATH on every device, if only that of login",
    error: [
      path({ "/etc/profile": "\0" }),
      path({ [SUPATH]: { isRefused: true } }),
      path({ "/etc/environment": "\0" }),
    ],
  },
  {
    rule: "6.2.7",
    pass: [home({})],
    fail: [
      { files: { [PASSWD]: USERS } },
      home({ home: { text: "a file", userId: 1000 } }),
      home({ users: `${USERS}two:x:1001:1001::/home/two:/bin/sh\n` }),
      home({ users: `${USERS}two:x:1001:1001:::/bin/sh\n` }),
    ],
    notApplicable: [EMPTY, NO_SHELLS],
    error: BROKEN_PASSWD.slice(0, 3),
  },
  {
    rule: "6.2.8",
    pass: [home({}), home({ home: { kind: "folder", mode: 0o2700, userId: 1000 } })],
    fail: [
      home({ home: { kind: "folder", mode: 0o755, userId: 1000 } }),
      home({ home: { kind: "folder", mode: 0o770, userId: 1000 } }),
    ],
    notApplicable: [EMPTY, NO_SHELLS, { files: { [PASSWD]: USERS } }],
    error: BROKEN_PASSWD.slice(0, 3),
  },
  {
    rule: "6.2.9",
    pass: [home({})],
    fail: [
      home({ home: { kind: "folder", mode: 0o750 } }),
      home({ home: { kind: "folder", mode: 0o750, userId: 1001 } }),
    ],
    notApplicable: [EMPTY, NO_SHELLS, { files: { [PASSWD]: USERS } }],
    error: BROKEN_PASSWD.slice(0, 3),
  },
  {
    rule: "6.2.10",
    pass: [
      home({ inside: { ".profile": { mode: 0o644, userId: 1000 }, notes: { mode: 0o666 } } }),
      home({ inside: { ".profile": "", ".link": { link: "/tmp/x" }, "/tmp/x": { mode: 0o666 } } }),
    ],
    fail: [
      home({ inside: { ".bashrc": { mode: 0o664 } } }),
      home({ inside: { ".bashrc": { mode: 0o602 } } }),
      home({ inside: { "/root/.profile": { mode: 0o666 } } }),
    ],
    notApplicable: [EMPTY, home({}), home({ inside: { notes: { mode: 0o666 } } })],
    error: [...BROKEN_PASSWD.slice(0, 3), REFUSED],
  },
  without("6.2.11", [".forward"]),
  without("6.2.12", [".netrc"]),
  {
    rule: "6.2.13",
    pass: [home({ inside: { ".netrc": { mode: 0o600 } } })],
    fail: [
      home({ inside: { ".netrc": { mode: 0o640 } } }),
      home({ inside: { "/root/.netrc": { mode: 0o604 } } }),
    ],
    notApplicable: [EMPTY, home({})],
    error: BROKEN_PASSWD.slice(0, 3),
  },
  without("6.2.14", [".rhosts", ".shosts"]),
  tableCases(
    "6.2.15",
    [tables({ passwd: "lost:x:1001:1001::/home/lost:/bin/sh\n" })],
    [...BROKEN_PASSWD, ...BROKEN_GROUP],
  ),
  tableCases(
    "6.2.16",
    [tables({ passwd: "two:x:1000:1000::/home/two:/bin/sh\n" })],
    BROKEN_PASSWD,
  ),
  tableCases("6.2.17", [tables({ group: "two:x:1000:\n" })], BROKEN_GROUP),
  tableCases(
    "6.2.18",
    [tables({ passwd: "op:x:1001:1000::/home/op:/bin/sh\n" })],
    BROKEN_PASSWD,
  ),
  tableCases("6.2.19", [tables({ group: "op:x:1001:\n" })], BROKEN_GROUP),
  {
    rule: "6.2.20",
    pass: [tables()],
    fail: [
      { files: { ...tables().files, [GROUP]: GROUPS.replace("shadow:x:42:", "shadow:x:42:op") } },
      tables({ passwd: "spy:x:1001:42::/home/spy:/bin/sh\n" }),
    ],
    notApplicable: [EMPTY, { files: { [PASSWD]: USERS, [GROUP]: "root:x:0:\n" } }],
    error: [...BROKEN_PASSWD, ...BROKEN_GROUP],
  },
];
