import { lstatSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { fail, ok, type Result } from "../contract/result.ts";
import { errorName, problemOf } from "./system-problem.ts";

/** Links followed before a path is called endless. Source: path_resolution(7), MAXSYMLINKS. */
const MOST_LINKS = 40;

/** Absolute, and without a part that is empty or begins with a dot. */
const PLAIN = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/;

/** Turns a path as collectors write it into one of this machine. */
export type ResolvePath = (path: string, isLastFollowed: boolean) => Result<string>;

/**
 * Paths of the live system: as they are, made absolute, `..` taken out.
 */
export const resolveLive: ResolvePath = (path) => {
  // Thousands of plain paths below /proc in one snapshot.
  if (PLAIN.test(path)) return ok(path);
  if (path.includes("\0")) return fail("malformed", path, "a path with a NUL byte");
  return ok(posix.resolve("/", path));
};

/**
 * Paths below a captured root, as chroot(2) would see them: `..` stops at the root, and every link,
 * absolute or not, is followed below the root only. A captured root is untrusted data; it is expected
 * not to change while it is read. Errors: `malformed` for more than 40 links or a NUL byte; else those
 * of lstat(2), `not-found` aside: the last parts may be missing, and opening them will say so.
 */
export function resolveBelow(root: string): ResolvePath {
  return (path, isLastFollowed) => {
    if (path.includes("\0")) return fail("malformed", path, "a path with a NUL byte");
    const waiting = partsOf(path).reverse();
    const done: string[] = [];
    let links = 0;
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      if (part === "..") {
        done.pop();
        continue;
      }
      done.push(part);
      const here = posix.join(root, ...done);
      if (waiting.length === 0 && !isLastFollowed) return ok(here);
      const target = linkTarget(here, path);
      if (!target.ok) return target;
      if (target.value === undefined) continue;
      links += 1;
      if (links > MOST_LINKS) return fail("malformed", path, `more than ${MOST_LINKS} links`);
      if (target.value.startsWith("/")) done.length = 0;
      else done.pop();
      waiting.push(...partsOf(target.value).reverse());
    }
    return ok(posix.join(root, ...done));
  };
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Where a link points; undefined for everything that is no link or is not there. */
function linkTarget(path: string, subject: string): Result<string | undefined> {
  try {
    return ok(lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined);
  } catch (error) {
    // Missing parts are left to the call that opens the path.
    return errorName(error) === "ENOENT" ? ok(undefined) : problemOf(error, subject);
  }
}
