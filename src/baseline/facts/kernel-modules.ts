import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { dropInFiles, linesOf, withoutComments } from "./config-text.ts";

/** A line of the configuration of modprobe. */
export interface ModprobeLine {
  readonly command: string;
  /** With `_` for `-`; `*` and `?` stand for any characters. */
  readonly module: string;
  readonly rest: string;
  readonly path: string;
}

/** Modules by where they are, with `_` for `-`. */
export interface KernelModules {
  readonly builtIn: ReadonlySet<string>;
  readonly onDisk: ReadonlySet<string>;
}

/** Folders of modprobe, the strongest first. Source: modprobe.d(5). */
const FOLDERS = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/local/lib/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
];

/** `-` and `_` are the same in names of modules. Source: modprobe(8). */
export function normalModule(name: string): string {
  return name.replaceAll("-", "_");
}

/** All lines of modprobe.d in the order in which modprobe reads them. */
export const modprobeLines = oncePerDevice((device): Fact<readonly ModprobeLine[]> => {
  const files = dropInFiles(device, FOLDERS, ".conf");
  if (files.state !== "value") return files;
  const lines: ModprobeLine[] = [];
  for (const path of files.value) {
    const text = device.text(path);
    if (text.state === "unreadable") return unreadableFact(text.reason);
    if (text.state === "missing") continue;
    const joined = text.value.replace(/\\\r?\n/g, " ");
    for (const line of withoutComments(linesOf(path, joined))) {
      const [command = "", module = "", ...rest] = line.text.split(/\s+/);
      lines.push({ command, module: normalModule(module), rest: rest.join(" "), path });
    }
  }
  return valueFact(lines);
});

/** Whether modprobe reads its configuration here: a kernel that comes from elsewhere obeys it too. */
export const hasModprobe = oncePerDevice((device): Fact<boolean> => {
  for (const folder of FOLDERS) {
    const facts = device.facts(folder);
    if (facts.state === "unreadable") return facts;
    if (facts.state === "value") return valueFact(true);
  }
  return valueFact(false);
});

/** Modules that the running kernel has loaded. Missing: it loads none, or does not run. */
export const loadedModules = oncePerDevice(
  (device): Fact<ReadonlySet<string>> =>
    mapFact(
      device.text("/proc/modules"),
      (text) => new Set(text.split("\n").map((line) => normalModule(line.split(" ")[0] ?? ""))),
    ),
);

/** Kinds of file systems that the running kernel mounts. Source: proc_filesystems(5). */
export const knownFilesystems = oncePerDevice(
  (device): Fact<ReadonlySet<string>> =>
    mapFact(
      device.text("/proc/filesystems"),
      (text) => new Set(text.split("\n").map((line) => line.split("\t").pop()?.trim() ?? "")),
    ),
);

/** `cramfs` for `kernel/fs/cramfs/cramfs.ko.xz: kernel/lib/zlib.ko`. */
function moduleOf(line: string): string | undefined {
  const end = line.indexOf(":");
  const path = (end < 0 ? line : line.slice(0, end)).trim();
  const name = path.slice(path.lastIndexOf("/") + 1);
  const stop = name.indexOf(".ko");
  return stop > 0 ? normalModule(name.slice(0, stop)) : undefined;
}

/** Adds the modules of a list; tells whether there is such a list. */
function addListed(device: Device, path: string, into: Set<string>): Fact<boolean> {
  const text = device.text(path);
  if (text.state === "unreadable") return text;
  if (text.state === "missing") return valueFact(false);
  for (const line of text.value.split("\n")) {
    const name = moduleOf(line);
    if (name !== undefined) into.add(name);
    else if (line.trim() !== "") return unreadableFact(`${path}: a line that names no module`);
  }
  return valueFact(true);
}

/** Systems without depmod keep all modules in one folder. Source: OpenWrt ubox, kmodloader.c. */
function addFlat(device: Device, folder: string, into: Set<string>): void {
  const names = device.folder(folder);
  for (const name of names.state === "value" ? names.value : []) {
    const module = moduleOf(name);
    if (module !== undefined) into.add(module);
  }
}

/**
 * Modules of all kernels that are installed, for any of them may be the next to start. Missing: no
 * folder of modules is here. Source: depmod(8), modules.dep(5), kbuild.rst (modules.builtin).
 */
export const installedModules = oncePerDevice((device): Fact<KernelModules> => {
  const releases = device.folder("/lib/modules");
  if (releases.state !== "value") return releases;
  const builtIn = new Set<string>();
  const onDisk = new Set<string>();
  for (const release of releases.value) {
    const folder = `/lib/modules/${release}`;
    const isListed = addListed(device, `${folder}/modules.dep`, onDisk);
    const isBuiltInListed = addListed(device, `${folder}/modules.builtin`, builtIn);
    if (isListed.state === "unreadable") return isListed;
    if (isBuiltInListed.state === "unreadable") return isBuiltInListed;
    if (isListed.state === "value" && !isListed.value) addFlat(device, folder, onDisk);
  }
  return releases.value.length === 0 ? MISSING : valueFact({ builtIn, onDisk });
});
