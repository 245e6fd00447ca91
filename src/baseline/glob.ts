import type { Device } from "./device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "./fact.ts";

/** Most paths that one pattern yields. */
const MOST_PATHS = 10_000;

/** Whole names that a pattern with `*` and `?` stands for. Source: glob(7). */
export function namePattern(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*+/g, "[^/]*").replaceAll("?", "[^/]")}$`);
}

/** Names in a folder: a leading dot is matched by a dot only. */
function isNamed(part: string): (name: string) => boolean {
  const pattern = namePattern(part);
  return (name) => name.startsWith(".") === part.startsWith(".") && pattern.test(name);
}

/** True for a path with wildcards. */
export function isGlob(path: string): boolean {
  return /[*?]/.test(path);
}

/**
 * Existing paths that a pattern (`*`, `?`) matches, sorted. A path without wildcards yields itself when
 * it is there. Missing when nothing matches; unreadable when a folder on the way is.
 */
export function expandGlob(device: Device, pattern: string): Fact<readonly string[]> {
  let paths: readonly string[] = [""];
  const parts = pattern.split("/").filter((part) => part !== "");
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const next: string[] = [];
    for (const path of paths) {
      if (!isGlob(part)) {
        if (!isLast) {
          next.push(`${path}/${part}`);
          continue;
        }
        const facts = device.facts(`${path}/${part}`);
        if (facts.state === "unreadable") return facts;
        if (facts.state === "value") next.push(`${path}/${part}`);
        continue;
      }
      const names = device.folder(path === "" ? "/" : path);
      if (names.state === "unreadable") return names;
      if (names.state !== "value") continue;
      const matches = isNamed(part);
      for (const name of names.value) if (matches(name)) next.push(`${path}/${name}`);
    }
    if (next.length > MOST_PATHS)
      return unreadableFact(`${pattern}: more than ${MOST_PATHS} paths`);
    paths = next;
  }
  return paths.length === 0 ? MISSING : valueFact(paths);
}
