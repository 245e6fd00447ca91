/** A mount as the kernel lists it. Source: proc_pid_mountinfo(5). */
export interface MountEntry {
  /** `major:minor` of the file system. */
  readonly device: string;
  /** The part of the file system that is mounted: `/`, or a folder for bind mounts and subvolumes. */
  readonly root: string;
  readonly path: string;
  /** `ext4`, `fuse.sshfs`. */
  readonly type: string;
  readonly source: string;
  /** Options of the file system, such as `lowerdir=/rom`. */
  readonly superOptions: readonly string[];
}

/** Most mounts that are taken. */
const MOST_MOUNTS = 10_000;

/** Blanks, tabs, newlines and backslashes are written as octal numbers. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** Mounts in the order of the kernel; lines of another form are left out. */
export function parseMountinfo(text: string): readonly MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    if (entries.length >= MOST_MOUNTS) break;
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    const [, , device, root, path] = fields;
    const [type, source, options] = dash < 0 ? [] : fields.slice(dash + 1);
    if (device === undefined || root === undefined || path === undefined || type === undefined) {
      continue;
    }
    entries.push({
      device,
      root: unescaped(root),
      path: unescaped(path),
      type,
      source: unescaped(source ?? ""),
      superOptions: (options ?? "").split(",").map(unescaped),
    });
  }
  return entries;
}
