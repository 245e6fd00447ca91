import { type Device, oncePerDevice } from "../device.ts";
import { type Fact, unreadableFact, valueFact } from "../fact.ts";
import { dropInFiles, linesOf, withoutComments } from "./config-text.ts";
import { initSystem } from "./units.ts";

/** A line that sets a kernel parameter at the start. */
export interface SysctlLine {
  /** With dots; a dot inside a part (`eth0.10`) is a slash. May have `*`. */
  readonly key: string;
  /** Undefined: a line `-key` alone, which keeps patterns away from the key. */
  readonly value: string | undefined;
  readonly path: string;
}

/** The value that the next start gives a parameter. */
export interface PersistedSysctl {
  readonly value: string;
  readonly path: string;
}

/** Folders of drop-in files, the strongest first. Source: sysctl.d(5), FILES. */
const FOLDERS = [
  "/etc/sysctl.d",
  "/run/sysctl.d",
  "/usr/local/lib/sysctl.d",
  "/usr/lib/sysctl.d",
  "/lib/sysctl.d",
];

/** Dots and slashes separate alike; the first separator of a key decides. Source: sysctl.d(5). */
function normalKey(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  if (first !== "/") return key;
  return key.replace(/[./]/g, (mark) => (mark === "/" ? "." : "/"));
}

/**
 * systemd reads /etc/sysctl.conf only where a link such as 99-sysctl.conf leads to it, which is read in
 * its place among the drop-in files; everything else reads it last. Source: sysctl.d(5), sysctl(8).
 */
function filesOf(device: Device): Fact<readonly string[]> {
  const dropIns = dropInFiles(device, FOLDERS, ".conf");
  if (dropIns.state !== "value") return dropIns;
  const init = initSystem(device);
  const isSystemd = init.state === "value" && init.value === "systemd";
  return valueFact(isSystemd ? dropIns.value : [...dropIns.value, "/etc/sysctl.conf"]);
}

/** Lines of all files in the order in which they are applied. */
export const sysctlLines = oncePerDevice((device): Fact<readonly SysctlLine[]> => {
  const files = filesOf(device);
  if (files.state !== "value") return files;
  const lines: SysctlLine[] = [];
  for (const path of files.value) {
    const text = device.text(path);
    if (text.state === "unreadable") return unreadableFact(text.reason);
    if (text.state === "missing") continue;
    for (const { text: line, number } of withoutComments(linesOf(path, text.value), "#;")) {
      const [, mark, key = "", value] = /^(-?)\s*([^\s=]+)\s*(?:=\s*(.*))?$/.exec(line) ?? [];
      if (key === "" || (value === undefined && mark !== "-"))
        return unreadableFact(`${path}, line ${number}: not of the form key = value`);
      lines.push({ key: normalKey(key), value: value?.trim(), path });
    }
  }
  return valueFact(lines);
});

/** Whether a key with `*` means another key. Source: sysctl.d(5), glob(7). */
export function isKeyMatch(pattern: string, key: string): boolean {
  if (!pattern.includes("*")) return pattern === key;
  const body = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, "[^.]*");
  return new RegExp(`^${body}$`).test(key);
}

/** What the next start sets a parameter to; an exact key wins over patterns. Undefined: nothing. */
export function persistedSysctl(device: Device, key: string): Fact<PersistedSysctl | undefined> {
  const lines = sysctlLines(device);
  if (lines.state !== "value") return lines;
  const hits = lines.value.filter((line) => isKeyMatch(line.key, key));
  const exact = hits.filter((line) => line.key === key);
  const set = (exact.length > 0 ? exact : hits).filter((line) => line.value !== undefined);
  const last = set[set.length - 1];
  return valueFact(last?.value === undefined ? undefined : { value: last.value, path: last.path });
}
