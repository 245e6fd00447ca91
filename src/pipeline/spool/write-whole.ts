import {
  close,
  closeSync,
  fsync,
  fsyncSync,
  open,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

const PRIVATE_FILE = 0o600;

/**
 * Writes all bytes, at `position` or, without one, where the file stands. A disk that is nearly full
 * takes a part without an error, so one write is not enough. Throws what write(2) throws.
 */
export function writeWhole(descriptor: number, bytes: Buffer, position?: number): void {
  let written = 0;
  while (written < bytes.length) {
    const at = position === undefined ? null : position + written;
    written += writeSync(descriptor, bytes, written, bytes.length - written, at);
  }
}

/**
 * Puts a file with these bytes in the place of another, whole or not at all, over a power cut too.
 * Returns its descriptor, open for append. Throws what the file system throws; then nothing changed.
 */
export function replaceWhole(path: string, bytes: Buffer): number {
  const temporary = `${path}.new`;
  let descriptor: number | undefined;
  try {
    removeIfThere(temporary);
    descriptor = openSync(temporary, "a", PRIVATE_FILE);
    writeWhole(descriptor, bytes);
    fsyncSync(descriptor);
    renameSync(temporary, path);
    return descriptor;
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    removeIfThere(temporary);
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // There is none; one that cannot be removed fails the open that follows.
  }
}

/** Forces the names in the folder of a file to the disk. Source: fsync(2), on new directory entries. */
export function syncFolderOf(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    open(dirname(path), "r", (openError, descriptor) => {
      if (openError !== null) {
        reject(openError);
        return;
      }
      fsync(descriptor, (error) => {
        close(descriptor, () => (error === null ? resolve() : reject(error)));
      });
    });
  });
}
