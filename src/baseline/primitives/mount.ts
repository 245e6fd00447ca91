import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { linesOf, withoutComments } from "../facts/config-text.ts";
import { allOf, because, decide, evidence, type Outcome } from "../outcome.ts";

/** A folder that must be a mount of its own. */
export interface MountCheck {
  readonly test: "mount";
  readonly path: string;
}

/** An option of a mount; without the mount it does not apply. */
export interface MountOptionCheck {
  readonly test: "mount-option";
  readonly path: string;
  readonly option: string;
}

/** An option of every mounted removable medium. */
export interface RemovableOptionCheck {
  readonly test: "removable-option";
  readonly option: string;
}

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

function parseMounts(origin: string, text: string): readonly Mount[] {
  return withoutComments(linesOf(origin, text)).flatMap((line) => {
    const [source, path, type = "", options = ""] = line.text.split(/\s+/).map(unescaped);
    if (source === undefined || path === undefined) return [];
    return [{ source, path, type, options: options.split(","), origin }];
  });
}

/** Mounts in force. A later one on the same path hides the earlier. Source: proc_pid_mounts(5). */
export const liveMounts = oncePerDevice((device): Fact<readonly Mount[]> => {
  const path = "/proc/self/mounts";
  const text = device.text(path);
  return mapFact(text.state === "missing" ? device.text("/proc/mounts") : text, (content) =>
    parseMounts(path, content),
  );
});

const UNIT_FOLDERS = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

/** `tmp.mount` for `/tmp`. Source: systemd.unit(5), systemd-escape(1). */
function unitName(path: string): string {
  const escaped = path.slice(1).replaceAll("-", "\\x2d").replaceAll("/", "-");
  return `${escaped}.mount`;
}

function unitMount(device: Device, path: string): Fact<Mount | undefined> {
  const name = unitName(path);
  for (const folder of UNIT_FOLDERS) {
    const file = `${folder}/${name}`;
    if (device.link(file).state === "value") {
      const target = device.link(file);
      if (target.state === "value" && target.value === "/dev/null") return valueFact(undefined);
    }
    const text = device.text(file);
    if (text.state === "unreadable") return unreadableFact(text.reason);
    if (text.state === "missing") continue;
    if (!isStarted(device, name)) return valueFact(undefined);
    const value = (key: string): string =>
      new RegExp(`^${key}\\s*=\\s*(.*)$`, "m").exec(text.value)?.[1]?.trim() ?? "";
    const options = value("Options").split(",");
    return valueFact({ source: value("What"), path, type: value("Type"), options, origin: file });
  }
  return valueFact(undefined);
}

function isStarted(device: Device, name: string): boolean {
  return UNIT_FOLDERS.some((folder) =>
    ["local-fs.target.wants", "local-fs.target.requires", "basic.target.wants"].some(
      (wants) => device.linkFacts(`${folder}/${wants}/${name}`).state === "value",
    ),
  );
}

/** What the next start mounts: fstab wins over units. Source: systemd-fstab-generator(8). */
export function persistentMount(device: Device, path: string): Fact<Mount | undefined> {
  const text = device.text("/etc/fstab");
  if (text.state === "unreadable") return text;
  const table = text.state === "value" ? parseMounts("/etc/fstab", text.value) : [];
  const entry = table.find((mount) => mount.path.replace(/(.)\/+$/, "$1") === path);
  return entry === undefined ? unitMount(device, path) : valueFact(entry);
}

function liveMount(device: Device, path: string): Fact<Mount | undefined> {
  return mapFact(liveMounts(device), (mounts) =>
    [...mounts].reverse().find((mount) => mount.path === path),
  );
}

/** Mounted now, and at the next start. Systemd mounts some folders without being told. */
const BUILT_IN_MOUNTS = new Set(["/dev/shm"]);

function bothStates(
  path: string,
  device: Device,
  judge: (mount: Mount | undefined, state: "live" | "persistent") => Outcome,
): Outcome {
  const live = liveMount(device, path);
  const later = persistentMount(device, path);
  if (live.state === "unreadable") return because("error", live.reason);
  if (later.state !== "value")
    return because("error", later.state === "unreadable" ? later.reason : "");
  const outcomes: Outcome[] = [];
  if (live.state === "value") outcomes.push(judge(live.value, "live"));
  outcomes.push(judge(later.value, "persistent"));
  return allOf(outcomes);
}

/** Is the folder a mount of its own? */
export function judgeMount(check: MountCheck, device: Device): Outcome {
  return bothStates(check.path, device, (mount, state) => {
    const source = state === "live" ? "/proc/self/mounts" : "/etc/fstab and mount units";
    const found = mount === undefined ? "no mount" : `${mount.type} ${mount.source}`;
    const place = mount?.origin ?? source;
    return decide(mount !== undefined, evidence(place, `${check.path} is a mount`, found, state));
  });
}

/** Has the mount the option? */
export function judgeMountOption(check: MountOptionCheck, device: Device): Outcome {
  const { path, option } = check;
  return bothStates(path, device, (mount, state) => {
    if (mount === undefined) {
      const isExpected = state === "persistent" && BUILT_IN_MOUNTS.has(path);
      const live = isExpected ? liveMount(device, path) : undefined;
      if (live?.state === "value" && live.value !== undefined) {
        return decide(false, evidence("/etc/fstab", `${path} with ${option}`, "no line", state));
      }
      return because("not-applicable", `${path} is no mount of its own`);
    }
    const isGood = mount.options.includes(option);
    return decide(
      isGood,
      evidence(mount.origin, `${path} with ${option}`, mount.options.join(","), state),
    );
  });
}

/** `/dev/sdb1` is a partition of `sdb`; `mmcblk0p1` of `mmcblk0`. */
function diskOf(source: string): string {
  const name = source.replace(/^\/dev\//, "");
  return /^(?:mmcblk|nvme)/.test(name) ? name.replace(/p\d+$/, "") : name.replace(/\d+$/, "");
}

/** Every mount of a disk that the kernel calls removable. Source: Linux ABI, sysfs-block. */
export function judgeRemovableOption(check: RemovableOptionCheck, device: Device): Outcome {
  const mounts = liveMounts(device);
  if (mounts.state === "unreadable") return because("error", mounts.reason);
  const removable = (mounts.state === "value" ? mounts.value : []).filter((mount) => {
    if (!mount.source.startsWith("/dev/")) return false;
    const flag = device.text(`/sys/block/${diskOf(mount.source)}/removable`);
    return flag.state === "value" && flag.value.trim() === "1";
  });
  if (removable.length === 0) return because("not-applicable", "no removable medium is mounted");
  return allOf(
    removable.map((mount) => {
      const isGood = mount.options.includes(check.option);
      const expected = `${mount.path} with ${check.option}`;
      return decide(isGood, evidence(mount.origin, expected, mount.options.join(","), "live"));
    }),
  );
}
