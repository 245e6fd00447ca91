/** TCP wrappers, and modules of protocols that few need. */
import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";

const LIBRARY: RootFiles = { "/usr/lib/x86_64-linux-gnu/libwrap.so.0": "" };

function dpkg(...names: readonly string[]): RootFiles {
  const stanzas = names.map(
    (name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1.0-1\n`,
  );
  return { "/var/lib/dpkg/status": stanzas.join("\n") };
}

function withLibrary(path: string, text: string): CaseDevice {
  return { files: { ...LIBRARY, [path]: text } };
}

function modes(rule: string, path: string): RuleCases {
  return {
    rule,
    pass: [{ files: { [path]: "ALL: ALL\n" } }, { files: { [path]: { mode: 0o600 } } }],
    fail: [
      { files: { [path]: { mode: 0o664 } } },
      { files: { [path]: { userId: 1000 } } },
      { files: { [path]: { groupId: 50 } } },
    ],
    notApplicable: [{ files: {} }],
  };
}

function blocked(rule: string, module: string): RuleCases {
  const release = "6.1.0-18-amd64";
  const modules = `/lib/modules/${release}`;
  const base: RootFiles = {
    "/proc/sys/kernel/osrelease": `${release}\n`,
    "/proc/modules": "xt_tcpudp 20480 2 - Live 0x0000000000000000\n",
    [`${modules}/modules.dep`]: `kernel/net/${module}/${module}.ko.xz: kernel/lib/libcrc32c.ko.xz\n`,
    [`${modules}/modules.builtin`]: "kernel/fs/ext4/ext4.ko\n",
  };
  const refused = { [`/etc/modprobe.d/${module}.conf`]: `install ${module} /bin/false\n` };
  return {
    rule,
    pass: [
      { files: { ...base, ...refused } },
      { files: { ...base, "/etc/modprobe.d/a.conf": `install ${module} /usr/bin/true # no\n` } },
      { files: { ...base, [`${modules}/modules.dep`]: "kernel/fs/fat/fat.ko:\n" } },
      { files: { ...base, ...refused, "/proc/modules": `${module} 1 0 - Live 0x0\n` }, isLive: false },
    ],
    fail: [
      { files: base },
      { files: { ...base, "/etc/modprobe.d/a.conf": `blacklist ${module}\n` } },
      { files: { ...base, "/etc/modprobe.d/a.conf": `#install ${module} /bin/false\n` } },
      { files: { ...base, ...refused, "/proc/modules": `${module} 1 0 - Live 0x0\n` } },
      {
        files: {
          ...base,
          ...refused,
          [`${modules}/modules.builtin`]: `kernel/net/${module}/${module}.ko\n`,
        },
      },
      { files: base, isLive: false },
    ],
    notApplicable: [{ files: { "/etc/hostname": "gw\n" } }],
    error: [
      { files: { ...base, "/etc/modprobe.d/a.conf": "\0\0" } },
      { files: { ...base, ...refused, "/proc/modules": { isRefused: true } } },
    ],
  };
}

const HOSTS_ALLOW = "/etc/hosts.allow";
const HOSTS_DENY = "/etc/hosts.deny";

export const SECTION_3_3_CASES: readonly RuleCases[] = [
  {
    rule: "3.3.1",
    pass: [
      { files: dpkg("adduser", "libwrap0") },
      { files: { "/lib/apk/db/installed": "P:tcp-wrappers\nV:7.6-r23\n\n" } },
    ],
    fail: [{ files: dpkg("adduser") }],
    notApplicable: [{ files: {} }],
    error: [
      { files: { "/var/lib/dpkg/status": "%!garbage\n" } },
      { files: { "/var/lib/rpm/rpmdb.sqlite": "" } },
    ],
  },
  {
    rule: "3.3.2",
    pass: [
      withLibrary(HOSTS_ALLOW, "# comment\nsshd: 192.0.2.0/255.255.255.0\n"),
      withLibrary(HOSTS_ALLOW, "ALL: LOCAL\n"),
    ],
    fail: [withLibrary(HOSTS_ALLOW, "# ALL: LOCAL\n"), withLibrary("/etc/motd", "")],
    notApplicable: [{ files: { [HOSTS_ALLOW]: "sshd: ALL\n" } }],
    error: [withLibrary(HOSTS_ALLOW, "\0\0")],
  },
  {
    rule: "3.3.3",
    pass: [withLibrary(HOSTS_DENY, "ALL: ALL\n"), withLibrary(HOSTS_DENY, "x: y\nall : all\n")],
    fail: [
      withLibrary(HOSTS_DENY, "#ALL: ALL\n"),
      withLibrary(HOSTS_DENY, "ALL: ALL EXCEPT 192.0.2.1\n"),
      withLibrary("/etc/motd", ""),
    ],
    notApplicable: [{ files: { [HOSTS_DENY]: "ALL: ALL\n" } }],
    error: [withLibrary(HOSTS_DENY, "\0")],
  },
  modes("3.3.4", HOSTS_ALLOW),
  modes("3.3.5", HOSTS_DENY),
  blocked("3.4.1", "dccp"),
  blocked("3.4.2", "sctp"),
  blocked("3.4.3", "rds"),
  blocked("3.4.4", "tipc"),
];
