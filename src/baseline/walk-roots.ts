import { posix } from "node:path";
import type { Probe } from "../contract/probe.ts";
import { ok, type Result } from "../contract/result.ts";
import { type MountEntry, parseMountinfo } from "../parse/mountinfo.ts";

/** Where a walk begins, and which folders it does not enter. */
export interface WalkRoots {
  /** Mount points of local file systems, each file system once; `/` first. */
  readonly starts: readonly string[];
  /** Folders that are other mounts, or that an overlay shows elsewhere. */
  readonly barriers: ReadonlySet<string>;
}

/** File systems of the kernel without files of anybody. Source: /proc/filesystems, nodev. */
const PSEUDO = new Set([
  ...["autofs", "binderfs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "cpuset"],
  ...["debugfs", "devpts", "efivarfs", "fusectl", "hugetlbfs", "ipathfs", "mqueue", "nfsd"],
  ...["nsfs", "openpromfs", "proc", "pstore", "resctrl", "rpc_pipefs", "securityfs"],
  ...["selinuxfs", "smackfs", "sysfs", "tracefs", "xenfs"],
]);

/** File systems of other machines: slow, and not this device's to judge. */
const REMOTE = new Set([
  ...["9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre"],
  ...["ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs", "virtiofs"],
]);

/** Read from /proc only on a live device. */
const MAX_MOUNTINFO_BYTES = 4_194_304;
/** Folders of the kernel in a root that is not the running one. */
const OFFLINE_BARRIERS = ["/proc", "/sys", "/dev"];

/**
 * Where to walk. A live device is asked for its mounts; of a root that does not run only its own device
 * is walked. Errors: those of reading /proc/self/mountinfo.
 */
export function walkRoots(probe: Probe): Result<WalkRoots> {
  if (!probe.isLive) return ok({ starts: ["/"], barriers: new Set(OFFLINE_BARRIERS) });
  const text = probe.readText("/proc/self/mountinfo", MAX_MOUNTINFO_BYTES);
  if (!text.ok) return text;
  return ok(rootsOf(parseMountinfo(text.value), (path) => overlayFolder(probe, path)));
}

/** The same from a mount table. `resolve` follows the links that Docker names layers by. */
export function rootsOf(
  mounts: readonly MountEntry[],
  resolve: (path: string) => string,
): WalkRoots {
  // A later mount on the same path hides the earlier one.
  const visible = [...new Map(mounts.map((mount) => [mount.path, mount])).values()];
  const layers = visible
    .filter(({ type }) => type === "overlay")
    .flatMap((mount) => layersOf(mount).map(resolve));
  const barriers = new Set([...visible.map((mount) => mount.path), ...layers]);
  const chosen: MountEntry[] = [];
  const byRoot = [...visible].sort((a, b) => a.root.length - b.root.length || order(a, b));
  for (const mount of byRoot) {
    if (!isWalked(mount) || layers.some((layer) => isBelow(mount.path, layer))) continue;
    const isSeen = chosen.some(
      (other) => other.device === mount.device && isBelow(mount.root, other.root),
    );
    if (!isSeen) chosen.push(mount);
  }
  return { starts: chosen.sort(order).map(({ path }) => path), barriers };
}

function order(a: MountEntry, b: MountEntry): number {
  if (a.path === b.path) return 0;
  return a.path < b.path ? -1 : 1;
}

/** Local file systems with files; an overlay counts where it is the root of the device. */
function isWalked({ type, path }: MountEntry): boolean {
  if (type === "overlay") return path === "/";
  // A file system in a user's program may hang, and root may not be let in.
  if (type === "fuse" || type.startsWith("fuse.")) return false;
  return !PSEUDO.has(type) && !REMOTE.has(type);
}

/** True for the folder itself and what is in it. */
function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** Folders that an overlay is made of. Source: Linux, filesystems/overlayfs. */
function layersOf({ superOptions }: MountEntry): readonly string[] {
  return superOptions.flatMap((option) => {
    const match = /^(lowerdir|upperdir|workdir)\+?=(.*)$/.exec(option);
    const folders = match?.[1] === "lowerdir" ? (match[2] ?? "").split(":") : [match?.[2] ?? ""];
    return folders.filter((folder) => folder.startsWith("/") && folder !== "/");
  });
}

function overlayFolder(probe: Probe, path: string): string {
  const link = probe.readLink(path);
  return link.ok ? posix.resolve(posix.dirname(path), link.value) : path;
}
