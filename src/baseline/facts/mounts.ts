import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { linesOf, withoutComments } from "./config-text.ts";
import { initSystem, isUnitWanted, unitFile, unitTexts } from "./units.ts";

/** A mount in force or one that the next start makes. */
export interface Mount {
  readonly source: string;
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
  /** The file that says so. */
  readonly origin: string;
}

/** Blanks are written as octal numbers. Source: fstab(5), getmntent(3). */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Lines of four fields and more; undefined for a line that has fewer. */
function parseMounts(origin: string, text: string): Fact<readonly Mount[]> {
  const mounts: Mount[] = [];
  for (const line of withoutComments(linesOf(origin, text))) {
    const [source = "", path, type, options = "defaults"] = line.text.split(/\s+/).map(unescaped);
    if (path === undefined || type === undefined) {
      return unreadableFact(`${origin}, line ${line.number}: no mount`);
    }
    mounts.push({ source, path, type, options: options.split(","), origin });
  }
  return valueFact(mounts);
}

function mountsOf(origin: string, text: Fact<string>): Fact<readonly Mount[]> {
  return text.state === "value" ? parseMounts(origin, text.value) : text;
}

/** Mounts in force, in the order in which they were made. Source: proc_pid_mounts(5). */
export const liveMounts = oncePerDevice((device): Fact<readonly Mount[]> => {
  const own = device.text("/proc/self/mounts");
  return own.state === "missing"
    ? mountsOf("/proc/mounts", device.text("/proc/mounts"))
    : mountsOf("/proc/self/mounts", own);
});

/** Lines of /etc/fstab, swap areas too. Missing: there is no such file. */
export const fstabMounts = oncePerDevice(
  (device): Fact<readonly Mount[]> =>
    mapFact(mountsOf("/etc/fstab", device.text("/etc/fstab")), (mounts) =>
      mounts.map((mount) => ({ ...mount, path: mount.path.replace(/(.)\/+$/, "$1") })),
    ),
);

/** The mount on a path now: a later one hides an earlier. */
export function liveMount(device: Device, path: string): Fact<Mount | undefined> {
  return mapFact(liveMounts(device), (mounts) =>
    [...mounts].reverse().find((mount) => mount.path === path),
  );
}

/** `tmp.mount` for `/tmp`. Source: systemd.unit(5), systemd-escape(1). */
function unitName(path: string): string {
  const escaped = path.slice(1).replaceAll("-", "\\x2d").replaceAll("/", "-");
  return `${escaped}.mount`;
}

/** The last value of a key over the texts of a unit, `%%` as a percent sign. */
function unitValue(texts: readonly string[], key: string): string {
  let value = "";
  for (const text of texts) {
    for (const line of text.split("\n")) {
      const [, name, found] = /^\s*(\w+)\s*=\s*(.*)$/.exec(line.slice(0, 4096)) ?? [];
      if (name === key && found !== undefined) value = found.trim().replaceAll("%%", "%");
    }
  }
  return value;
}

function unitMount(device: Device, path: string): Fact<Mount | undefined> {
  const name = unitName(path);
  const file = unitFile(device, name);
  if (file.state === "unreadable") return file;
  if (file.state === "missing" || file.value.isMasked) return valueFact(undefined);
  const automount = name.replace(/mount$/, "automount");
  const wanted = [isUnitWanted(device, name), isUnitWanted(device, automount)];
  for (const one of wanted) if (one.state === "unreadable") return one;
  if (!wanted.some((one) => one.state === "value" && one.value)) return valueFact(undefined);
  const texts = unitTexts(device, name);
  if (texts.state !== "value") return texts.state === "missing" ? valueFact(undefined) : texts;
  return valueFact({
    source: unitValue(texts.value, "What"),
    path,
    type: unitValue(texts.value, "Type"),
    options: unitValue(texts.value, "Options").split(","),
    origin: file.value.path,
  });
}

/**
 * Options with which the init system mounts /dev/shm untold. Source: systemd mount-setup.c
 * (mount_table), OpenRC init.d/devfs.
 */
const SHM_OPTIONS = {
  systemd: "nosuid,nodev",
  openrc: "nodev,nosuid,noexec",
  sysv: "nosuid,nodev",
};

function untoldMount(device: Device, path: string): Fact<Mount | undefined> {
  const init = initSystem(device);
  if (init.state === "unreadable") return init;
  if (init.state === "missing") return MISSING;
  if (path !== "/dev/shm") return valueFact(undefined);
  const options = SHM_OPTIONS[init.value].split(",");
  const origin = `${init.value}, without a line in /etc/fstab`;
  return valueFact({ source: "tmpfs", path, type: "tmpfs", options, origin });
}

/** Left alone at start, and not mounted on first use either. Source: fstab(5), systemd.mount(5). */
function isLeftAlone({ options }: Mount): boolean {
  return options.includes("noauto") && !options.includes("x-systemd.automount");
}

/**
 * What the next start mounts on a path: fstab wins over units, the last line of a path over others.
 * Missing: nothing here tells, for there is neither fstab nor a known init system.
 * Source: systemd-fstab-generator(8).
 */
export function persistentMount(device: Device, path: string): Fact<Mount | undefined> {
  const table = fstabMounts(device);
  if (table.state === "unreadable") return table;
  const lines = table.state === "value" ? table.value.filter((one) => one.path === path) : [];
  const entry = lines[lines.length - 1];
  if (entry !== undefined) return valueFact(isLeftAlone(entry) ? undefined : entry);
  const unit = unitMount(device, path);
  if (unit.state !== "value" || unit.value !== undefined) return unit;
  const untold = untoldMount(device, path);
  return untold.state === "missing" && table.state === "value" ? valueFact(undefined) : untold;
}

/** What options stand for. Source: mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  defaults: ["exec", "suid", "dev"],
  user: ["noexec", "nosuid", "nodev"],
  users: ["noexec", "nosuid", "nodev"],
  owner: ["nosuid", "nodev"],
  group: ["nosuid", "nodev"],
};

/** Whether an option such as `nodev` is in force: of an option and its opposite the last one is. */
export function hasOption(mount: Mount, option: string): boolean {
  const opposite = option.startsWith("no") ? option.slice(2) : `no${option}`;
  let has = false;
  for (const word of mount.options.flatMap((one) => [one, ...(IMPLIED[one] ?? [])])) {
    if (word === option) has = true;
    else if (word === opposite) has = false;
  }
  return has;
}
