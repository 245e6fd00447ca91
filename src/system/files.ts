import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { AgentError } from "../contract/errors.ts";
import { ok, type Result } from "../contract/result.ts";
import { createBoundedReader } from "./bounded-read.ts";
import { environment } from "./environment.ts";
import { systemRandom } from "./random.ts";
import { problemOf } from "./system-problem.ts";

/** Files of a write that has not ended: `.NAME.UUID.tmp` beside the file NAME. */
export function isTemporaryOf(candidate: string, fileName: string): boolean {
  return candidate.startsWith(`.${fileName}.`) && candidate.endsWith(".tmp");
}

/**
 * Replaces a file so that a reader, a crash or a power cut sees the old content or the new one, never a
 * part: temporary file in the same folder, fsync, rename, fsync of the folder. `mode` holds whatever
 * the umask is; the file is given to the group before it is in place. A link of that name is replaced, not followed. Text is written as UTF-8. The temporary
 * file is removed when anything fails. Errors: those of the system calls; a full disk is `too-large`.
 * Source: fsync(2), rename(2).
 */
export function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
  mode: number,
  groupId?: number,
): Result<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${systemRandom.uuid()}.tmp`);
  try {
    writeNewFile(temporary, typeof content === "string" ? Buffer.from(content) : content, {
      mode,
      groupId,
    });
    renameSync(temporary, path);
    syncFolder(folder);
    return ok(undefined);
  } catch (error) {
    // A full disk or a missing folder is a fact of the device; the caller decides what it costs.
    removeQuietly(temporary);
    return problemOf(error, path);
  }
}

/** All bytes of a regular file of at most `maxBytes`. Errors: as `BoundedReader.read`. */
export function readSmallFile(path: string, maxBytes: number): Result<Uint8Array> {
  const read = createBoundedReader().read(path, maxBytes);
  return read.ok ? ok(read.value.bytes) : read;
}

/** As `readSmallFile`, decoded as UTF-8; bad bytes become U+FFFD. */
export function readSmallText(path: string, maxBytes: number): Result<string> {
  const read = readSmallFile(path, maxBytes);
  return read.ok ? ok(new TextDecoder().decode(read.value)) : read;
}

const OPEN_FOLDER_REMEDY =
  "If it is the agent's own, close it with chmod 0700 (systemd: StateDirectoryMode=0700); " +
  "otherwise name another folder.";

/**
 * Makes sure that a folder exists, can be written, and is nobody else's to read: it is made with mode
 * 0700, and an empty one of our own is set to it. Throws AGENT_STATE_UNUSABLE when it cannot be made, is
 * no folder, belongs to another user, is open to others with something in it, or cannot be written.
 * Root may use a folder that belongs to the agent's user.
 */
export function ensurePrivateFolder(path: string): void {
  const { userId, isRoot } = environment();
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stats = statSync(path);
    if (!stats.isDirectory()) throw unusable(path, "is not a folder", "Remove it or name another.");
    const isOurs = stats.uid === userId;
    if (!isOurs && !isRoot) {
      const remedy = `Give it to the agent's user: chown -R ${userId} ${path}`;
      throw unusable(path, `belongs to user ${stats.uid}, the agent is user ${userId}`, remedy);
    }
    if ((stats.mode & 0o077) !== 0) {
      // Only an empty folder is closed unasked: a mistyped path may be /tmp, and the agent root.
      if (isOurs && readdirSync(path).length === 0) chmodSync(path, 0o700);
      else throw unusable(path, "is open to other users", OPEN_FOLDER_REMEDY);
    }
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const problem = problemOf(error, path);
    const detail = problem.ok ? "cannot be used" : problem.problem.detail;
    throw unusable(
      path,
      `cannot be made or written (${detail})`,
      `Create it for the agent's user (${userId}) with mode 0700, on a file system that is not ` +
        "read-only, or name another folder.",
      error,
    );
  }
}

function unusable(path: string, what: string, remedy: string, cause?: unknown): AgentError {
  return new AgentError("AGENT_STATE_UNUSABLE", `the folder ${path} ${what}`, { remedy, cause });
}

function writeNewFile(
  path: string,
  bytes: Uint8Array,
  { mode, groupId }: { readonly mode: number; readonly groupId: number | undefined },
): void {
  // O_EXCL does not follow a link that someone may have laid in the way.
  const descriptor = openSync(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    mode,
  );
  try {
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(descriptor, bytes, written, bytes.length - written);
    }
    if (groupId !== undefined) fchownSync(descriptor, -1, groupId);
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes a file that may not be there. */
export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or is gone already: that is what was wanted.
  }
}
