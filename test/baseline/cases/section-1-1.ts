import type { WalkReport } from "../../../src/baseline/walk-report.ts";
import type { RootFiles } from "../memory-root.ts";
import type { CaseDevice, RuleCases } from "../rule-case.ts";
import { contained, FOLDER, live, NOTHING, offline, offService, REFUSED, SYSTEMD } from "./devices.ts";

const RELEASE = "/lib/modules/6.1.0-28-amd64";

/** A kernel with some other module, and with this one. */
function kernel(name: string): RootFiles {
  return {
    [`${RELEASE}/modules.dep`]: `kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko\nkernel/fs/${name}/${name}.ko.xz:\n`,
    [`${RELEASE}/modules.builtin`]: "kernel/fs/proc/proc.ko\n",
    "/proc/modules": "ext4 1000 1 - Live 0x0000000000000000\n",
    "/proc/filesystems": "nodev\tproc\n\text4\n",
  };
}

const WITHOUT: RootFiles = {
  "/proc/modules": "ext4 1000 1 - Live 0x0\n",
  "/proc/filesystems": "nodev\tproc\n\text4\n",
  [`${RELEASE}/modules.dep`]: "kernel/fs/ext4/ext4.ko:\n",
};

function moduleCases(rule: string, module: string, filesystem?: string): RuleCases {
  const normal = module.replaceAll("-", "_");
  const dep = kernel(module);
  const refused = { [`/etc/modprobe.d/${module}.conf`]: `install ${module} /bin/false\n` };
  const more: CaseDevice[] =
    filesystem === undefined
      ? []
      : [live({ ...WITHOUT, "/proc/filesystems": `nodev\tproc\n\t${filesystem}\n` })];
  return {
    rule,
    pass: [
      live({ ...dep, ...refused }),
      offline({ ...dep, ...refused }),
      offline(refused),
      // The module is not among those of this kernel, nor of any other that is installed.
      live(WITHOUT),
      // All of the kernel is in one piece.
      live({ "/proc/filesystems": "nodev\tproc\n", [`${RELEASE}/modules.dep`]: "" }),
      live({ ...dep, "/usr/lib/modprobe.d/all.conf": `install ${normal} \\\n  /usr/bin/true` }),
      // What is loaded on the machine that looks at an image is not the image's.
      offline({ ...dep, ...refused, "/proc/modules": `${normal} 1 0 - Live 0x0\n` }),
    ],
    fail: [
      live(dep),
      offline(dep),
      // An image that gets its kernel later.
      offline({ "/etc/modprobe.d/other.conf": "blacklist pcspkr\n" }),
      live({ ...dep, "/etc/modprobe.d/x.conf": `blacklist ${module}\n` }),
      live({ ...dep, ...refused, "/proc/modules": `${normal} 1 0 - Live 0x0\n` }),
      live({ ...dep, ...refused, [`/sys/module/${normal}`]: FOLDER }),
      live({ ...WITHOUT, [`${RELEASE}/modules.builtin`]: `kernel/fs/${module}.ko\n` }),
      live({ ...WITHOUT, [`/lib/modules/6.12.0/${module}.ko`]: "" }),
      // Of two install lines the first counts.
      live({ ...dep, ...refused, "/etc/modprobe.d/a.conf": `install ${module} /sbin/insmod it\n` }),
      ...more,
    ],
    notApplicable: [contained(live(dep)), NOTHING],
    error: [
      live({ ...dep, [`/etc/modprobe.d/${module}.conf`]: REFUSED }),
      live({ ...dep, ...refused, "/proc/modules": REFUSED }),
      live({ ...WITHOUT, [`${RELEASE}/modules.dep`]: "garbage \u0001\u0002\n" }),
    ],
  };
}

function mounts(...lines: readonly string[]): string {
  return ["/dev/sda1 / ext4 rw,relatime 0 0", ...lines, ""].join("\n");
}

function table(...lines: readonly string[]): RootFiles {
  return { ...SYSTEMD, "/etc/fstab": mounts(...lines) };
}

function running(...lines: readonly string[]): RootFiles {
  return { "/proc/self/mounts": mounts(...lines) };
}

function mountCases(rule: string, path: string): RuleCases {
  const line = `/dev/sda5 ${path} ext4 defaults 0 2`;
  const unit = `${path.slice(1).replaceAll("/", "-")}.mount`;
  const unitText = `[Mount]\nWhat=/dev/sda5\nWhere=${path}\nType=ext4\n`;
  return {
    rule,
    pass: [
      live({ ...table(line), ...running(line) }),
      offline(table(line)),
      offline({
        [`/usr/lib/systemd/system/${unit}`]: unitText,
        [`/usr/lib/systemd/system/local-fs.target.wants/${unit}`]: { link: `../${unit}` },
      }),
      // Neither fstab nor a known init system: what runs is all there is to know.
      live(running(`tmpfs ${path} tmpfs rw 0 0`)),
    ],
    fail: [
      live({ ...table(), ...running() }),
      live({ ...table(line), ...running() }),
      live({ ...table(), ...running(line) }),
      live({ ...table(`/dev/sda5 ${path} ext4 noauto 0 2`), ...running(line) }),
      offline({ ...SYSTEMD, [`/usr/lib/systemd/system/${unit}`]: unitText }),
      offline({
        [`/usr/lib/systemd/system/${unit}`]: unitText,
        [`/usr/lib/systemd/system/local-fs.target.wants/${unit}`]: { link: `../${unit}` },
        [`/etc/systemd/system/${unit}`]: { link: "/dev/null" },
      }),
    ],
    notApplicable: [contained(live({ ...table(), ...running() })), NOTHING],
    error: [
      live({ ...SYSTEMD, "/etc/fstab": "one\n", ...running() }),
      live({ ...table(), "/proc/self/mounts": REFUSED }),
    ],
  };
}

function optionCases(rule: string, path: string, option: string): RuleCases {
  const opposite = option.slice(2);
  const line = (options: string) => `tmpfs ${path} tmpfs ${options} 0 0`;
  const unit = path === "/dev/shm" ? "dev-shm.mount" : `${path.slice(1).replaceAll("/", "-")}.mount`;
  const asUnit = (options: string): RootFiles => ({
    [`/usr/lib/systemd/system/${unit}`]: `[Mount]\nWhat=tmpfs\nType=tmpfs\nOptions=${options}\n`,
    [`/usr/lib/systemd/system/local-fs.target.wants/${unit}`]: { link: `../${unit}` },
  });
  const good = line(`rw,${option}`);
  return {
    rule,
    pass: [
      live({ ...table(good), ...running(good) }),
      offline(table(good)),
      offline(table(line("user,noauto,x-systemd.automount"))),
      offline({
        ...asUnit("mode=1777"),
        [`/etc/systemd/system/${unit}.d/strict.conf`]: `[Mount]\nOptions=mode=1777,${option}\n`,
      }),
    ],
    fail: [
      live({ ...table(good), ...running(line("rw")) }),
      live({ ...table(line("defaults")), ...running(good) }),
      offline(table(line(`${option},${opposite}`))),
      offline(asUnit(`mode=1777,size=50%%,${opposite}`)),
    ],
    notApplicable: [
      contained(live(running(line("rw")))),
      path === "/dev/shm" ? NOTHING : live({ ...table(), ...running() }),
    ],
    error: [live({ ...table(good), "/proc/self/mounts": "garbage\n" })],
  };
}

/** Systemd mounts /dev/shm with some options untold. */
function sharedMemoryCases(rule: string, option: string): RuleCases {
  const cases = optionCases(rule, "/dev/shm", option);
  const untold = live({ ...SYSTEMD, ...running("tmpfs /dev/shm tmpfs rw,nosuid,nodev,noexec 0 0") });
  return option === "noexec"
    ? { ...cases, fail: [...cases.fail, untold] }
    : { ...cases, pass: [...cases.pass, untold] };
}

function removableCases(rule: string, option: string): RuleCases {
  const stick = (options: string): RootFiles => ({
    ...running(`/dev/sdb1 /mnt/stick vfat ${options} 0 0`),
    "/sys/block/sdb/removable": "1\n",
    "/sys/block/sda/removable": "0\n",
  });
  const disc = (options: string): RootFiles => ({
    ...running(`/dev/sr0 /mnt/disc iso9660 ${options} 0 0`),
    "/sys/block/sr0/removable": "1\n",
  });
  return {
    rule,
    pass: [
      live(stick(`rw,${option}`)),
      live(disc(`ro,${option}`)),
      offline({ "/etc/fstab": "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n" }),
    ],
    fail: [
      live(stick("rw")),
      live(disc("ro")),
      offline({ "/etc/fstab": "/dev/sr0 /media/cdrom0 udf,iso9660 noauto 0 0\n" }),
    ],
    notApplicable: [
      contained(live(stick("rw"))),
      live({ ...running(), "/sys/block/sda/removable": "0\n" }),
      // The whole system lies on a stick.
      live({ ...running(), "/sys/block/sda/removable": "1\n" }),
    ],
    error: [live({ ...stick(`rw,${option}`), "/etc/fstab": REFUSED })],
  };
}

const EMPTY = { total: 0, paths: [] };

function walked(changes: Partial<WalkReport>): CaseDevice {
  const value: WalkReport = {
    entries: 10_000,
    isCut: false,
    finishedAtMs: 0,
    openFolders: EMPTY,
    openFiles: EMPTY,
    unknownUsers: EMPTY,
    unknownGroups: EMPTY,
    setuid: EMPTY,
    setgid: EMPTY,
    ...changes,
  };
  return { files: {}, extras: { walk: { state: "value", value } } };
}

const ESP = "/dev/sda2 /boot/efi vfat umask=0077 0 1";

function vfatCases(): RuleCases {
  const cases = moduleCases("1.1.1.8", "vfat", "vfat");
  return {
    ...cases,
    pass: [
      ...cases.pass,
      live({
        ...kernel("vfat"),
        "/proc/modules": "vfat 1 1 - Live 0x0\n",
        "/etc/fstab": mounts(ESP),
        ...running(ESP),
      }),
    ],
    fail: [
      ...cases.fail,
      live({
        ...kernel("vfat"),
        "/etc/fstab": mounts(ESP),
        ...running(ESP, "/dev/sdb1 /mnt vfat rw 0 0"),
      }),
    ],
  };
}

export const SECTION_1_1_CASES: readonly RuleCases[] = [
  moduleCases("1.1.1.1", "cramfs", "cramfs"),
  moduleCases("1.1.1.2", "freevxfs", "vxfs"),
  moduleCases("1.1.1.3", "jffs2", "jffs2"),
  moduleCases("1.1.1.4", "hfs", "hfs"),
  moduleCases("1.1.1.5", "hfsplus", "hfsplus"),
  moduleCases("1.1.1.6", "squashfs", "squashfs"),
  moduleCases("1.1.1.7", "udf", "udf"),
  vfatCases(),
  mountCases("1.1.2", "/tmp"),
  optionCases("1.1.3", "/tmp", "nodev"),
  optionCases("1.1.4", "/tmp", "nosuid"),
  optionCases("1.1.5", "/tmp", "noexec"),
  mountCases("1.1.6", "/var"),
  mountCases("1.1.7", "/var/tmp"),
  optionCases("1.1.8", "/var/tmp", "nodev"),
  optionCases("1.1.9", "/var/tmp", "nosuid"),
  optionCases("1.1.10", "/var/tmp", "noexec"),
  mountCases("1.1.11", "/var/log"),
  mountCases("1.1.12", "/var/log/audit"),
  mountCases("1.1.13", "/home"),
  optionCases("1.1.14", "/home", "nodev"),
  sharedMemoryCases("1.1.15", "nodev"),
  sharedMemoryCases("1.1.16", "nosuid"),
  sharedMemoryCases("1.1.17", "noexec"),
  removableCases("1.1.18", "nodev"),
  removableCases("1.1.19", "nosuid"),
  removableCases("1.1.20", "noexec"),
  {
    rule: "1.1.21",
    pass: [walked({})],
    fail: [walked({ openFolders: { total: 1, paths: ["/srv/drop"] } })],
    notApplicable: [NOTHING],
    error: [
      walked({ isCut: true }),
      { files: {}, extras: { walk: { state: "unreadable", reason: "stopped" } } },
    ],
  },
  offService("1.1.22", "autofs.service"),
  moduleCases("1.1.23", "usb-storage"),
];
