import type { Device } from "./device.ts";
import { type Fact, MISSING, unreadableFact, valueFact } from "./fact.ts";

/** Most paths that one pattern yields. */
const MOST_PATHS = 10_000;

/** A regular expression for one part of a path with `*` and `?`. Source: glob(7). */
function partPattern(part: string): RegExp {
  const escaped = part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const body = escaped.replace(/\*+/g, "[^/]*").replaceAll("?", "[^/]");
  // A leading dot is matched by a dot only.
  return new RegExp(`^${part.startsWith(".") ? "" : "(?!\\.)"}${body}$`);
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
      const matcher = partPattern(part);
      for (const name of names.value) if (matcher.test(name)) next.push(`${path}/${name}`);
    }
    if (next.length > MOST_PATHS)
      return unreadableFact(`${pattern}: more than ${MOST_PATHS} paths`);
    paths = next;
  }
  return paths.length === 0 ? MISSING : valueFact(paths);
}
