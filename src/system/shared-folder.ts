import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { AgentError, describeError } from "../contract/errors.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import type { SharedFolder } from "../contract/shared-folder.ts";
import { ensurePrivateFolder, readSmallText, removeQuietly, writeFileAtomically } from "./files.ts";
import { lockFolder } from "./folder-lock.ts";
import { systemRandom } from "./random.ts";
import { errorName, problemOf } from "./system-problem.ts";

const FILE_MODE = 0o600;
const NAME = /^[^./\0][^/\0]{0,200}$/;
/** Folder of the folders that stand for locks. */
const LOCKS = "locks";
const NEWLINE = 0x0a;

/** Opens the folder, made as `ensurePrivateFolder` makes it. Throws AGENT_STATE_UNUSABLE. */
export function openSharedFolder(path: string): SharedFolder {
  ensurePrivateFolder(path);
  const fileOf = (name: string): string => {
    if (!NAME.test(name)) throw new RangeError("no name of a file in a shared folder");
    return join(path, name);
  };
  return {
    path,
    list: () => attempt(path, () => namesIn(path)),
    read: (name, maxBytes) => readSmallText(fileOf(name), maxBytes),
    readLastLines: (name, maxBytes) => {
      const file = fileOf(name);
      return attempt(file, () => lastLines(file, maxBytes));
    },
    write: (name, text) => writeFileAtomically(fileOf(name), text, FILE_MODE),
    create: (name, text) => createExclusively(fileOf(name), text),
    append: (name, text) => {
      const file = fileOf(name);
      return attempt(file, () => appendWhole(file, Buffer.from(text)));
    },
    rename: (from, to) => {
      const [source, target] = [fileOf(from), fileOf(to)];
      return attempt(source, () => {
        renameSync(source, target);
        syncFolder(path);
      });
    },
    remove: (name) => removeQuietly(fileOf(name)),
    lock: (name) => {
      fileOf(name);
      return lockOf(join(path, LOCKS), name);
    },
  };
}

function attempt<T>(subject: string, work: () => T): Result<T> {
  try {
    return ok(work());
  } catch (error) {
    return problemOf(error, subject);
  }
}

function namesIn(path: string): readonly string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => entry.name)
    .sort();
}

/** A link to a finished file either takes the name or fails: there is no moment between. Source: link(2). */
function createExclusively(file: string, text: string): Result<void> {
  const hidden = join(dirname(file), `.${basename(file)}.${systemRandom.uuid()}.new`);
  const written = writeFileAtomically(hidden, text, FILE_MODE);
  if (!written.ok) return written;
  try {
    linkSync(hidden, file);
    syncFolder(dirname(file));
    return ok(undefined);
  } catch (error) {
    if (errorName(error) === "EEXIST") return fail("conflict", file, "is there already");
    return problemOf(error, file);
  } finally {
    removeQuietly(hidden);
  }
}

function appendWhole(file: string, bytes: Uint8Array): number {
  const descriptor = openSync(
    file,
    constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
    FILE_MODE,
  );
  const { size } = fstatSync(descriptor);
  try {
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(descriptor, bytes, written, bytes.length - written);
    }
    fsyncSync(descriptor);
    return size + bytes.length;
  } catch (error) {
    // A part of a line would hide the next one.
    ftruncateSync(descriptor, size);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function lastLines(file: string, maxBytes: number): string {
  const descriptor = openSync(file, constants.O_RDWR);
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(0, size - maxBytes);
    const bytes = Buffer.alloc(size - from);
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(descriptor, bytes, read, bytes.length - read, from + read);
      if (count === 0) break;
      read += count;
    }
    const end = bytes.lastIndexOf(NEWLINE, read) + 1;
    // Whoever wrote it was killed within the line: it was never delivered.
    if (end < read && (end > 0 || from === 0)) ftruncateSync(descriptor, from + end);
    const start = from === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    return bytes.toString("utf8", Math.min(start, end), end);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function lockOf(locks: string, name: string): Result<() => void> {
  try {
    ensurePrivateFolder(locks);
    return ok(lockFolder(join(locks, name)));
  } catch (error) {
    const isHeld = error instanceof AgentError && error.code === "AGENT_STATE_LOCKED";
    return fail(isHeld ? "conflict" : "not-permitted", name, describeError(error));
  }
}
