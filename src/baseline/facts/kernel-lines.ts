import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, MISSING, mapFact, unreadableFact, valueFact } from "../fact.ts";
import { expandGlob } from "../glob.ts";
import { linesOf } from "./config-text.ts";

/** Arguments that a kernel is started with. */
export interface KernelLine {
  readonly words: readonly string[];
  readonly path: string;
  /** Counted from 1. */
  readonly number: number;
}

/** How a file of a boot loader writes arguments. */
interface LoaderFiles {
  readonly pattern: string;
  /** The first group holds the arguments. Absent: the whole file does. */
  readonly line?: RegExp;
}

/** A memory test is started like a kernel and takes none of its arguments. */
const GRUB_LINE = /^linux(?:16|efi)?\s+(?!\S*memtest)\S+\s*(.*)$/;

/**
 * Source: GRUB manual (linux), Boot Loader Specification (options), syslinux (APPEND), Raspberry Pi
 * documentation (cmdline.txt), kernel-install(8) (/etc/kernel/cmdline).
 */
const LOADERS: readonly LoaderFiles[] = [
  { pattern: "/boot/grub/grub.cfg", line: GRUB_LINE },
  { pattern: "/boot/grub2/grub.cfg", line: GRUB_LINE },
  { pattern: "/boot/loader/entries/*.conf", line: /^options\s+(.*)$/ },
  { pattern: "/boot/efi/loader/entries/*.conf", line: /^options\s+(.*)$/ },
  { pattern: "/efi/loader/entries/*.conf", line: /^options\s+(.*)$/ },
  { pattern: "/boot/extlinux/extlinux.conf", line: /^append\s+(.*)$/i },
  { pattern: "/boot/extlinux.conf", line: /^append\s+(.*)$/i },
  { pattern: "/boot/syslinux/syslinux.cfg", line: /^append\s+(.*)$/i },
  { pattern: "/boot/cmdline.txt" },
  { pattern: "/boot/firmware/cmdline.txt" },
  { pattern: "/etc/kernel/cmdline" },
];

/** Words of a kernel line; quotes keep blanks together. Source: kernel-parameters.rst, next_arg(). */
export function wordsOf(text: string): readonly string[] {
  return (text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).map((word) => word.replaceAll('"', ""));
}

/** Arguments of the running kernel. Missing on a root that does not run. */
export const runningKernelLine = oncePerDevice(
  (device): Fact<KernelLine> =>
    mapFact(device.text("/proc/cmdline"), (text) => ({
      words: wordsOf(text),
      path: "/proc/cmdline",
      number: 1,
    })),
);

function linesOfLoader(device: Device, loader: LoaderFiles): Fact<readonly KernelLine[]> {
  const paths = expandGlob(device, loader.pattern);
  if (paths.state !== "value") return paths;
  const found: KernelLine[] = [];
  for (const path of paths.value) {
    const text = device.text(path);
    if (text.state === "unreadable") return text;
    if (text.state === "missing") continue;
    for (const line of linesOf(path, text.value)) {
      const rest = loader.line === undefined ? line.text : loader.line.exec(line.text)?.[1];
      if (rest === undefined) continue;
      found.push({ words: wordsOf(rest), path, number: line.number });
    }
  }
  return valueFact(found);
}

/** Fedora keeps arguments of all entries in the environment of GRUB. Source: grub2 blscfg, kernelopts. */
function withVariables(device: Device, line: KernelLine): Fact<KernelLine> {
  if (!line.words.some((word) => word.startsWith("$"))) return valueFact(line);
  const words: string[] = [];
  for (const word of line.words) {
    if (!word.startsWith("$")) {
      words.push(word);
      continue;
    }
    for (const path of ["/boot/grub2/grubenv", "/boot/grub/grubenv"]) {
      const text = device.text(path);
      if (text.state === "unreadable") return text;
      if (text.state === "missing") continue;
      const prefix = `${word.replace(/[${}]/g, "")}=`;
      const set = text.value.split("\n").find((one) => one.startsWith(prefix));
      words.push(...wordsOf(set?.slice(prefix.length, 4096) ?? ""));
    }
  }
  return valueFact({ ...line, words });
}

/**
 * Arguments of every entry that a boot loader of this device may start. Missing: no file of a boot
 * loader is here; unreadable: one of them is, or one that is there starts nothing.
 */
export const bootKernelLines = oncePerDevice((device): Fact<readonly KernelLine[]> => {
  const all: KernelLine[] = [];
  let empty: string | undefined;
  for (const loader of LOADERS) {
    const lines = linesOfLoader(device, loader);
    if (lines.state === "unreadable") return lines;
    if (lines.state === "missing") continue;
    if (lines.value.length === 0) empty ??= loader.pattern;
    for (const line of lines.value) {
      const whole = withVariables(device, line);
      if (whole.state === "unreadable") return whole;
      if (whole.state === "value") all.push(whole.value);
    }
  }
  if (all.length > 0) return valueFact(all);
  return empty === undefined ? MISSING : unreadableFact(`${empty}: starts no kernel`);
});
