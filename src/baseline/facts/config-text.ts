import type { Device } from "../device.ts";
import { type Fact, MISSING, valueFact } from "../fact.ts";
import { expandGlob, isGlob } from "../glob.ts";

/** A line of a configuration file, without the blanks around it. */
export interface ConfigLine {
  readonly path: string;
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
}

/** Longest line that is looked at, UTF-16 units. */
const MAX_LINE = 4096;

/** Lines of a text that are not blank, trimmed and cut. */
export function linesOf(path: string, text: string): readonly ConfigLine[] {
  return text.split("\n").flatMap((raw, index) => {
    const line = raw.slice(0, MAX_LINE).trim();
    return line === "" ? [] : [{ path, number: index + 1, text: line }];
  });
}

/** The same without lines that are comments from their first character on. */
export function withoutComments(lines: readonly ConfigLine[], marks = "#"): readonly ConfigLine[] {
  return lines.filter(({ text }) => !marks.includes(text.charAt(0)));
}

function isFolder(device: Device, path: string): boolean {
  const facts = device.facts(path);
  return facts.state === "value" && facts.value.kind === "folder";
}

/**
 * Lines of all files that the patterns name, in the order of the patterns; folders that a wildcard
 * matches are left out. Missing when no file is
 * there; unreadable when one of them is.
 */
export function linesOfFiles(
  device: Device,
  patterns: readonly string[],
): Fact<readonly ConfigLine[]> {
  const all: ConfigLine[] = [];
  let isAnyThere = false;
  for (const pattern of patterns) {
    const paths = expandGlob(device, pattern);
    if (paths.state === "unreadable") return paths;
    for (const path of paths.state === "value" ? paths.value : []) {
      if (isGlob(pattern) && isFolder(device, path)) continue;
      const text = device.text(path);
      if (text.state === "unreadable") return text;
      if (text.state === "missing") continue;
      isAnyThere = true;
      for (const line of linesOf(path, text.value)) all.push(line);
    }
  }
  return isAnyThere ? valueFact(all) : MISSING;
}

/**
 * Names of drop-in files by the rule that systemd, sysctl and modprobe share: of files with the same
 * name the first folder wins, and all names are sorted together. Source: sysctl.d(5), modprobe.d(5).
 */
export function dropInFiles(
  device: Device,
  folders: readonly string[],
  suffix: string,
): Fact<readonly string[]> {
  const byName = new Map<string, string>();
  for (const folder of folders) {
    const names = device.folder(folder);
    if (names.state === "unreadable") return names;
    for (const name of names.state === "value" ? names.value : []) {
      if (name.endsWith(suffix) && !byName.has(name)) byName.set(name, `${folder}/${name}`);
    }
  }
  const names = [...byName.keys()].sort();
  return valueFact(names.map((name) => byName.get(name) ?? ""));
}
