import type { Device } from "../../device.ts";
import { dropInFiles, linesOf, withoutComments } from "../../facts/config-text.ts";
import { liveMounts } from "../../facts/mounts.ts";
import { expandGlob } from "../../glob.ts";
import {
  type CommandOutput,
  complained,
  needsRunningDevice,
  notKnown,
  partlyPrinted,
  printedLines,
  unreadable,
} from "./output.ts";

/** sysctl with keys. Source: sysctl(8). */
export function sysctlCommand(args: readonly string[], device: Device): CommandOutput {
  const isShort = args[0] === "-n";
  const keys = isShort ? args.slice(1) : args;
  if (keys.length === 0 || keys.some((key) => !/^[\w./-]+$/.test(key) || key.startsWith("-")))
    return notKnown(`sysctl ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("sysctl");
  const errors: string[] = [];
  const lines: string[] = [];
  for (const key of keys) {
    const path = `/proc/sys/${key.replaceAll(".", "/")}`;
    const text = device.text(path);
    if (text.state === "unreadable") return unreadable(text.reason);
    if (text.state === "missing")
      errors.push(`sysctl: cannot stat ${path}: No such file or directory`);
    else
      for (const line of text.value.replace(/\n$/, "").split("\n"))
        lines.push(isShort ? line : `${key} = ${line}`);
  }
  return printedLines(lines, errors);
}

/** lsmod. Source: lsmod(8). */
export function lsmodCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.length > 0) return notKnown("lsmod with arguments is not known here");
  if (!device.isLive) return needsRunningDevice("lsmod");
  const text = device.text("/proc/modules");
  if (text.state === "unreadable") return unreadable(text.reason);
  if (text.state === "missing")
    return complained("Error: could not get list of modules: No such file or directory");
  const lines = text.value.split("\n").flatMap((line) => {
    const [name, size = "", count = "", by = ""] = line.split(" ");
    if (name === undefined || name === "") return [];
    const users = by === "-" ? "" : by.replace(/,$/, "");
    return [`${name.padEnd(23)} ${size.padStart(7)}  ${count} ${users}`.trimEnd()];
  });
  return printedLines(["Module                  Size  Used by", ...lines]);
}

const MODPROBE_FOLDERS = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/local/lib/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
];

interface ModprobeLines {
  readonly installs: ReadonlyMap<string, string>;
  readonly aliases: ReadonlyMap<string, string>;
}

function modprobeLines(device: Device): ModprobeLines | string {
  const files = dropInFiles(device, MODPROBE_FOLDERS, ".conf");
  if (files.state !== "value") return files.state === "unreadable" ? files.reason : "";
  const installs = new Map<string, string>();
  const aliases = new Map<string, string>();
  for (const path of files.value) {
    const text = device.text(path);
    if (text.state === "unreadable") return text.reason;
    const lines = withoutComments(linesOf(path, text.state === "value" ? text.value : ""));
    for (const line of lines) {
      const [, word, module = "", rest = ""] =
        /^(install|alias)\s+(\S+)\s+(.*)$/.exec(line.text) ?? [];
      if (word === "install") installs.set(module.replaceAll("-", "_"), rest);
      if (word === "alias") aliases.set(module.replaceAll("-", "_"), rest);
    }
  }
  return { installs, aliases };
}

function moduleFile(text: string, module: string): readonly string[] | undefined {
  for (const line of text.split("\n")) {
    const [, path = "", needs = ""] =
      /^(\S+\.ko(?:\.\w+)?):?\s*(.*)$/.exec(line.slice(0, 16_384)) ?? [];
    const stem = path.slice(path.lastIndexOf("/") + 1).replace(/\.ko(?:\.\w+)?$/, "");
    if (stem.replaceAll("-", "_") === module)
      return [
        ...needs
          .split(/\s+/)
          .filter((one) => one !== "")
          .reverse(),
        path,
      ];
  }
  return undefined;
}

/** modprobe -n -v: what would be loaded or run instead. Source: modprobe(8), modprobe.d(5). */
export function modprobeCommand(args: readonly string[], device: Device): CommandOutput {
  const flags = args.filter((word) => word.startsWith("-"));
  const [name, ...more] = args.filter((word) => !word.startsWith("-"));
  const isDry =
    flags.every((flag) => /^(?:-n|-v|-nv|-vn|--dry-run|--verbose)$/.test(flag)) &&
    /n/.test(flags.join("")) &&
    /v/.test(flags.join(""));
  if (!isDry || name === undefined || more.length > 0)
    return notKnown(`modprobe ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("modprobe");
  const config = modprobeLines(device);
  if (typeof config === "string") return unreadable(config);
  const module = name.replaceAll("-", "_");
  const install = config.installs.get(module);
  if (install !== undefined) return printedLines([`install ${install.trim()} `]);
  const release = device.text("/proc/sys/kernel/osrelease");
  if (release.state !== "value") return unreadable("the release of the kernel is not known");
  const folder = `/lib/modules/${release.value.trim()}`;
  const loaded = device.text("/proc/modules");
  if (
    loaded.state === "value" &&
    new RegExp(`^${module.replace(/\W/g, "")} `, "m").test(loaded.value)
  )
    return printedLines([]);
  const files = device.text(`${folder}/modules.dep`);
  if (files.state === "unreadable") return unreadable(files.reason);
  const found = files.state === "value" ? moduleFile(files.value, module) : undefined;
  if (found !== undefined) return printedLines(found.map((path) => `insmod ${folder}/${path} `));
  const builtIn = device.text(`${folder}/modules.builtin`);
  if (builtIn.state === "unreadable") return unreadable(builtIn.reason);
  if (builtIn.state === "value" && moduleFile(builtIn.value, module) !== undefined)
    return partlyPrinted([`builtin ${name}`], ["install", "insmod", "not found"]);
  if (config.aliases.has(module)) return notKnown(`modprobe ${name}: an alias`);
  return complained(`modprobe: FATAL: Module ${name} not found in directory ${folder}`);
}

/** findmnt of one path. Source: findmnt(8). */
export function findmntCommand(args: readonly string[], device: Device): CommandOutput {
  const flags = args.filter((word) => word.startsWith("-")).join(" ");
  const [path, ...more] = args.filter((word) => !word.startsWith("-"));
  if (
    !/^(?:-kn|-nk|-k -n|-n -k|-n|-k|--kernel|)$/.test(flags) ||
    path === undefined ||
    more.length > 0
  )
    return notKnown(`findmnt ${args.join(" ")}: a form that is not known here`);
  if (!device.isLive) return needsRunningDevice("findmnt");
  const mounts = liveMounts(device);
  if (mounts.state !== "value") return unreadable("the table of mounts cannot be read");
  const found = mounts.value.filter((mount) => mount.path === path.replace(/(.)\/+$/, "$1"));
  if (found.length === 0) return printedLines([]);
  const lines = found.map(
    ({ source, type, options }) => `${path} ${source} ${type} ${options.join(",")}`,
  );
  return printedLines(flags.includes("n") ? lines : ["TARGET SOURCE FSTYPE OPTIONS", ...lines]);
}

/** mount without arguments. Source: mount(8). */
export function mountCommand(args: readonly string[], device: Device): CommandOutput {
  if (args.length > 0) return notKnown("mount with arguments is not known here");
  if (!device.isLive) return needsRunningDevice("mount");
  const mounts = liveMounts(device);
  if (mounts.state !== "value") return unreadable("the table of mounts cannot be read");
  return printedLines(
    mounts.value.map(
      ({ source, path, type, options }) =>
        `${source} on ${path} type ${type} (${options.join(",")})`,
    ),
  );
}

/** Paths that a shell puts in the place of a pattern; the pattern itself where nothing matches. */
export function shellPaths(pattern: string, device: Device): readonly string[] | string {
  const paths = expandGlob(device, pattern);
  if (paths.state === "unreadable") return paths.reason;
  return paths.state === "value" ? paths.value : [pattern];
}
