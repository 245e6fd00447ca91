import type { Device } from "../device.ts";
import {
  fstabMounts,
  hasOption,
  liveMount,
  liveMounts,
  type Mount,
  persistentMount,
} from "../facts/mounts.ts";
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

/** An option of every removable medium that is mounted or that fstab names. */
export interface RemovableOptionCheck {
  readonly test: "removable-option";
  readonly option: string;
}

/** File systems of some kinds are mounted, and only on some folders; fails where none is mounted. */
export interface MountPlaceCheck {
  readonly test: "mount-place";
  readonly types: readonly string[];
  readonly paths: readonly string[];
}

type State = "live" | "persistent";

/** Mounted now, and at the next start; what nothing tells of is left out. */
function bothStates(
  path: string,
  device: Device,
  judge: (mount: Mount | undefined, state: State) => Outcome,
): Outcome {
  const live = liveMount(device, path);
  if (live.state === "unreadable") return because("error", live.reason);
  const later = persistentMount(device, path);
  if (later.state === "unreadable") return because("error", later.reason);
  const outcomes: Outcome[] = [];
  if (live.state === "value") outcomes.push(judge(live.value, "live"));
  if (later.state === "value") outcomes.push(judge(later.value, "persistent"));
  return outcomes.length === 0
    ? because("not-applicable", "nothing here tells what is mounted")
    : allOf(outcomes);
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

function judgeOption(mount: Mount, option: string, state: State): Outcome {
  const look = evidence(
    mount.origin,
    `${mount.path} with ${option}`,
    mount.options.join(","),
    state,
  );
  return decide(hasOption(mount, option), look);
}

/** Has the mount the option? */
export function judgeMountOption(check: MountOptionCheck, device: Device): Outcome {
  return bothStates(check.path, device, (mount, state) =>
    mount === undefined
      ? because("not-applicable", `${check.path} is no mount of its own`)
      : judgeOption(mount, check.option, state),
  );
}

/** Names that the disk of `/dev/sdb1`, `/dev/mmcblk0p1` or `/dev/sr0` may have, the device itself first. */
function disksOf(device: Device, source: string): readonly string[] {
  const target = device.link(source);
  const real = target.state === "value" ? target.value : source;
  const name = real.slice(real.lastIndexOf("/") + 1);
  return [name, name.replace(/p\d+$/, ""), name.replace(/\d+$/, "")];
}

/** Folders of the system itself, which may well lie on a stick that can be pulled out. */
const SYSTEM_PATHS = /^\/(?:boot|efi|usr|var|home|etc|overlay|rom)?(?:\/|$)/;

/** Source: Linux ABI/stable/sysfs-block (removable). */
function isRemovable(device: Device, { source, path }: Mount): boolean {
  if (!source.startsWith("/dev/") || path === "/" || SYSTEM_PATHS.test(path)) return false;
  return disksOf(device, source).some((name) => {
    const flag = device.text(`/sys/block/${name}/removable`);
    return flag.state === "value" && flag.value.trim() === "1";
  });
}

/** Lines of fstab for media that come and go, by their usual devices and folders. */
function isRemovableLine({ source, path }: Mount): boolean {
  return /^\/dev\/(?:sr|scd|fd|cdrom|dvd|floppy)\w*$/.test(source) || /^\/media\//.test(path);
}

/** Every removable medium that is mounted or may be by its line in fstab. */
export function judgeRemovableOption(check: RemovableOptionCheck, device: Device): Outcome {
  const live = liveMounts(device);
  if (live.state === "unreadable") return because("error", live.reason);
  const table = fstabMounts(device);
  if (table.state === "unreadable") return because("error", table.reason);
  const now = live.state === "value" ? live.value.filter((one) => isRemovable(device, one)) : [];
  const later = table.state === "value" ? table.value.filter(isRemovableLine) : [];
  if (now.length + later.length === 0) {
    return because("not-applicable", "no removable medium is mounted or named in /etc/fstab");
  }
  return allOf([
    ...now.map((mount) => judgeOption(mount, check.option, "live")),
    ...later.map((mount) => judgeOption(mount, check.option, "persistent")),
  ]);
}

/** Where file systems of some kinds are mounted, now and by fstab. */
export function judgeMountPlace(check: MountPlaceCheck, device: Device): Outcome {
  const { types, paths } = check;
  const expected = `${types.join(" or ")} only on ${paths.join(", ")}`;
  const states = [
    ["live", liveMounts(device)],
    ["persistent", fstabMounts(device)],
  ] as const;
  const outcomes: Outcome[] = [];
  for (const [state, mounts] of states) {
    if (mounts.state === "unreadable") return because("error", mounts.reason);
    if (mounts.state === "missing") continue;
    for (const mount of mounts.value.filter((one) => types.includes(one.type))) {
      const found = `${mount.type} on ${mount.path}`;
      outcomes.push(
        decide(paths.includes(mount.path), evidence(mount.origin, expected, found, state)),
      );
    }
  }
  if (states.every(([, mounts]) => mounts.state === "missing")) {
    return because("not-applicable", "nothing here tells what is mounted");
  }
  const nowhere = evidence("/proc/self/mounts, /etc/fstab", expected, "mounted nowhere");
  return outcomes.length === 0 ? decide(false, nowhere) : allOf(outcomes);
}
