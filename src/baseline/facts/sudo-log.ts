import type { Device } from "../device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "../fact.ts";
import { linesOf } from "./config-text.ts";

const MAIN = "/etc/sudoers";
const MAX_DEPTH = 128;

/** Source: sudoers(5), includes: names with a dot or a tilde at the end are left out. */
function filesOfFolder(device: Device, folder: string): Fact<readonly string[]> {
  const names = device.folder(folder);
  if (names.state === "unreadable") return names;
  const good = (names.state === "value" ? names.value : []).filter((name) => !/\.|~$/.test(name));
  return valueFact([...good].sort().map((name) => `${folder}/${name}`));
}

function read(device: Device, path: string, depth: number, found: string[]): string | undefined {
  if (depth > MAX_DEPTH) return `${path}: more than ${MAX_DEPTH} nested includes`;
  const text = device.text(path);
  if (text.state === "unreadable") return text.reason;
  if (text.state === "missing") return undefined;
  for (const { text: line } of linesOf(path, text.value.replace(/\\\r?\n/g, " "))) {
    const [, kind, raw = ""] = /^[@#](include(?:dir)?)\s+"?([^"]+?)"?$/.exec(line) ?? [];
    if (kind !== undefined) {
      const target = raw.startsWith("/") ? raw : `/etc/${raw}`;
      const files = kind === "include" ? valueFact([target]) : filesOfFolder(device, target);
      if (files.state === "unreadable") return files.reason;
      for (const file of files.state === "value" ? files.value : []) {
        const failure = read(device, file, depth + 1, found);
        if (failure !== undefined) return failure;
      }
    }
    const log = /^Defaults\s.*?\blogfile\s*=\s*"?([^",\s]+)/.exec(line)?.[1];
    if (log !== undefined) found.push(log);
  }
  return undefined;
}

/** The file that sudo logs to by itself; undefined where none is set. Missing: no sudo here. */
export function sudoLog(device: Device): Fact<string | undefined> {
  if (device.facts(MAIN).state === "missing") return MISSING;
  const found: string[] = [];
  const failure = read(device, MAIN, 0, found);
  return failure === undefined ? valueFact(found[found.length - 1]) : unreadableFact(failure);
}
