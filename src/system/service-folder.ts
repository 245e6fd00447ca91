import { chmodSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { fail, ok, type Result } from "../contract/result.ts";
import { parseGroups } from "../parse/accounts.ts";
import { readSmallText } from "./files.ts";
import { problemOf } from "./system-problem.ts";

const MAX_GROUP_BYTES = 4_194_304;

/**
 * Makes a folder of the service's configuration, or takes the one that is there. A mode that is given
 * as `exact` is set on a folder that exists as well; a link is refused, since root would follow it.
 * Errors: those of the system calls; `unsupported` for what is no folder.
 */
export function ensureServiceFolder(
  path: string,
  mode: number,
  isExact: "exact" | "when-new",
): Result<void> {
  try {
    const made = mkdirSync(path, { recursive: true, mode });
    if (!lstatSync(path).isDirectory()) return fail("unsupported", path, "is not a folder");
    // The umask may have taken bits away.
    if (made !== undefined || isExact === "exact") chmodSync(path, mode);
    return ok(undefined);
  } catch (error) {
    return problemOf(error, path);
  }
}

/** Names in a folder, sorted; none when it does not exist. Errors: those of readdir(3). */
export function namesIn(path: string): Result<readonly string[]> {
  try {
    return ok(readdirSync(path).sort());
  } catch (error) {
    const problem = problemOf(error, path);
    return !problem.ok && problem.problem.code === "not-found" ? ok([]) : problem;
  }
}

/** Id of a local group by name; undefined when there is none. Source: group(5). */
export function groupIdOf(name: string, file = "/etc/group"): number | undefined {
  const text = readSmallText(file, MAX_GROUP_BYTES);
  if (!text.ok) return undefined;
  return parseGroups(text.value).entries.find((group) => group.name === name)?.groupId;
}
