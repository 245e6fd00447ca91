import { closeSync, constants, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fail, ok, type Result } from "../contract/result.ts";
import { errorName } from "./system-problem.ts";

/** Where journald writes: until the device is off, and for good. Source: systemd-journald.service(8), FILES. */
export const JOURNAL_FOLDERS: readonly string[] = ["/run/log/journal", "/var/log/journal"];

/**
 * Whether the journal can be read: libsystemd opens it without an error where it may read none of it.
 * Files are looked for in the folders and in the folders of machines in them. No file at all is well:
 * the first one will be noticed. Errors: `not-found` without any of the folders; `not-permitted`.
 */
export function checkJournalAccess(folders: readonly string[]): Result<void> {
  let found = 0;
  let isRefused = false;
  const files: string[] = [];
  for (const folder of folders) {
    const names = namesIn(folder);
    if (names === "absent") continue;
    found += 1;
    for (const machine of ["", ...(names === "refused" ? [] : names.folders)]) {
      const listed = machine === "" ? names : namesIn(join(folder, machine));
      if (listed === "refused") isRefused = true;
      else if (listed !== "absent") {
        files.push(...listed.files.map((file) => join(folder, machine, file)));
      }
    }
  }
  if (found === 0) return fail("not-found", "journal", `none of ${folders.join(", ")} is there`);
  // A user may read the file of its own: that says nothing of the system's.
  const ofSystem = files.filter((file) => /\/system[^/]*$/.test(file));
  const telling = ofSystem.length > 0 ? ofSystem : files;
  if (telling.some(canOpen)) return ok(undefined);
  if (telling.length === 0 && !isRefused) return ok(undefined);
  const needed = "needs the group systemd-journal or CAP_DAC_READ_SEARCH";
  return fail("not-permitted", "journal", needed);
}

interface Names {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

function namesIn(folder: string): Names | "absent" | "refused" {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return {
      folders: entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name),
      files: entries.map((entry) => entry.name).filter((name) => name.endsWith(".journal")),
    };
  } catch (error) {
    // Whatever else is wrong with the folder, it cannot be read.
    return ["ENOENT", "ENOTDIR"].includes(errorName(error)) ? "absent" : "refused";
  }
}

function canOpen(file: string): boolean {
  try {
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    // Refused, or rotated away since it was listed.
    return false;
  }
}
