import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { expandGlob } from "../glob.ts";
import { type ConfigLine, linesOf, withoutComments } from "./config-text.ts";

/** Arguments that one boot entry hands to the kernel. */
export interface BootEntry {
  readonly path: string;
  readonly words: readonly string[];
}

/** Generated menus, each with the patterns of its lines. Source: grub-mkconfig(8), extlinux, BLS. */
const MENUS: readonly { readonly files: string; readonly line: RegExp }[] = [
  { files: "/boot/grub/grub.cfg", line: /^linux(?:16|efi)?\s+\S+(.*)$/ },
  { files: "/boot/grub2/grub.cfg", line: /^linux(?:16|efi)?\s+\S+(.*)$/ },
  { files: "/boot/loader/entries/*.conf", line: /^options\s+(.*)$/ },
  { files: "/boot/efi/loader/entries/*.conf", line: /^options\s+(.*)$/ },
  { files: "/boot/extlinux/extlinux.conf", line: /^append\s+(.*)$/i },
  { files: "/boot/firmware/cmdline.txt", line: /^(.*)$/ },
  { files: "/boot/cmdline.txt", line: /^(.*)$/ },
];
const GRUB_DEFAULTS = ["/etc/default/grub", "/etc/default/grub.d/*.cfg"];

function wordsOf(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Value of the last `name=value`, or `""` for `name` alone; undefined where it is not given. */
export function lastArgument(words: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (const word of words) {
    if (word === name) value = "";
    else if (word.startsWith(`${name}=`)) value = word.slice(name.length + 1);
  }
  return value;
}

/** Arguments of the running kernel. Missing: the root does not run. */
export const runningArguments = oncePerDevice(
  (device): Fact<readonly string[]> => mapFact(device.text("/proc/cmdline"), wordsOf),
);

function filesOf(
  device: Device,
  pattern: string,
): Fact<readonly { readonly path: string; readonly lines: readonly ConfigLine[] }[]> {
  const paths = expandGlob(device, pattern);
  if (paths.state !== "value") return paths;
  const files: { path: string; lines: readonly ConfigLine[] }[] = [];
  for (const path of paths.value) {
    const text = device.text(path);
    if (text.state === "unreadable") return unreadableFact(text.reason);
    if (text.state === "value") {
      files.push({ path, lines: withoutComments(linesOf(path, text.value)) });
    }
  }
  return files.length === 0 ? MISSING : valueFact(files);
}

/** Entries of Boot Loader Specification name a variable of grub's environment. */
function grubVariable(device: Device): string {
  for (const path of ["/boot/grub2/grubenv", "/boot/grub/grubenv"]) {
    const text = device.text(path);
    const value = text.state === "value" ? /^kernelopts=(.*)$/m.exec(text.value)?.[1] : undefined;
    if (value !== undefined) return value;
  }
  return "";
}

function menuEntries(device: Device): Fact<readonly BootEntry[]> {
  const entries: BootEntry[] = [];
  for (const menu of MENUS) {
    const files = filesOf(device, menu.files);
    if (files.state === "unreadable") return files;
    for (const { path, lines } of files.state === "value" ? files.value : []) {
      for (const { text } of lines) {
        const found = menu.line.exec(text)?.[1];
        if (found === undefined) continue;
        const words = wordsOf(found.replace("$kernelopts", () => grubVariable(device)));
        // Rescue entries are for someone at the console, who may type arguments anyway.
        if (!words.includes("single") && !words.includes("recovery")) entries.push({ path, words });
      }
    }
  }
  return entries.length === 0 ? MISSING : valueFact(entries);
}

/** What grub-mkconfig would write. The file is shell; assignments of plain text are understood. */
function grubDefaults(device: Device): Fact<readonly BootEntry[]> {
  const values = new Map<string, string>();
  let origin: string | undefined;
  for (const pattern of GRUB_DEFAULTS) {
    const files = filesOf(device, pattern);
    if (files.state === "unreadable") return files;
    for (const { path, lines } of files.state === "value" ? files.value : []) {
      for (const { text } of lines) {
        const match = /^(?:export\s+)?(GRUB_CMDLINE_LINUX(?:_DEFAULT)?)(\+?)=(.*)$/.exec(text);
        if (match === null) continue;
        const [, name = "", plus, raw = ""] = match;
        const before = values.get(name) ?? "";
        const value = (/^(["'])(.*?)\1/.exec(raw)?.[2] ?? raw.replace(/\s+#.*$/, "")).replace(
          new RegExp(`\\$\\{?${name}\\}?`),
          () => before,
        );
        values.set(name, plus === "+" ? `${before} ${value}` : value);
      }
      origin ??= path;
    }
  }
  if (origin === undefined) return MISSING;
  return valueFact([{ path: origin, words: wordsOf([...values.values()].join(" ")) }]);
}

/**
 * Arguments of each entry of the boot menu but the rescue ones, or those that grub's defaults would give
 * where no menu was made. Missing: no boot configuration that is known.
 */
export const bootArguments = oncePerDevice((device): Fact<readonly BootEntry[]> => {
  const menu = menuEntries(device);
  return menu.state === "missing" ? grubDefaults(device) : menu;
});
