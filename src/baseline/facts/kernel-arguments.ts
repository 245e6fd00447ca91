import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { expandGlob } from "../glob.ts";
import { type ConfigLine, linesOf, withoutComments } from "./config-text.ts";
import { bootKernelLines, type KernelLine, runningKernelLine, wordsOf } from "./kernel-lines.ts";

const GRUB_DEFAULTS = ["/etc/default/grub", "/etc/default/grub.d/*.cfg"];

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
export function runningArguments(device: Device): Fact<readonly string[]> {
  return mapFact(runningKernelLine(device), ({ words }) => words);
}

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

/** What grub-mkconfig would write. The file is shell; assignments of plain text are understood. */
function grubDefaults(device: Device): Fact<readonly KernelLine[]> {
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
  return valueFact([{ path: origin, number: 1, words: wordsOf([...values.values()].join(" ")) }]);
}

/**
 * Arguments of each entry of the boot menu, or those that grub's defaults would give where no menu was
 * made. Missing: no boot configuration that is known.
 */
export const nextKernelLines = oncePerDevice((device): Fact<readonly KernelLine[]> => {
  const menu = bootKernelLines(device);
  return menu.state === "missing" ? grubDefaults(device) : menu;
});

/** The same without rescue entries: they are for someone at the console, who may type anyway. */
export const bootArguments = oncePerDevice(
  (device): Fact<readonly KernelLine[]> =>
    mapFact(nextKernelLines(device), (lines) =>
      lines.filter(({ words }) => !words.includes("single") && !words.includes("recovery")),
    ),
);
