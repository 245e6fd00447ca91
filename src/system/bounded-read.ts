import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { fail, ok, type Result } from "../contract/result.ts";
import { problemOf } from "./system-problem.ts";

/** One read(2); also the space that most kernel files fit into. */
const CHUNK_BYTES = 65_536;

/**
 * O_NONBLOCK: opening a pipe or a device that nobody serves must not stop the agent. O_NOCTTY: nothing
 * read may become our terminal.
 */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface BoundedFile {
  readonly bytes: Uint8Array;
  /** Facts of the very file that was read, not of whatever has the name now. */
  readonly stats: Stats;
}

/** Reads regular files, kernel files among them, whose size says nothing. */
export interface BoundedReader {
  /**
   * The whole file. Errors: `too-large` above `maxBytes`; `unsupported` for what is no regular file;
   * `not-found`, `not-permitted` and the other codes of a system error.
   */
  read(path: string, maxBytes: number, subject?: string): Result<BoundedFile>;
  /** A part of a regular file. Errors: as `read`. */
  readFrom(path: string, offset: number, maxBytes: number, subject?: string): Result<BoundedFile>;
  /** What one read(2) gives of the beginning, at most 64 KiB: all of a short file, or of a kernel file. */
  readStart(path: string, maxBytes: number, subject?: string): Result<Uint8Array>;
}

/** A reader with one buffer of its own, so that reading hundreds of small files makes little garbage. */
export function createBoundedReader(): BoundedReader {
  const scratch = Buffer.allocUnsafeSlow(CHUNK_BYTES);

  function readAll(descriptor: number, maxBytes: number): Uint8Array | undefined {
    const chunks: Buffer[] = [];
    let filled = 0;
    let totalBytes = 0;
    for (;;) {
      if (filled === scratch.length) {
        chunks.push(Buffer.from(scratch));
        filled = 0;
      }
      const wanted = Math.min(scratch.length - filled, maxBytes - totalBytes + 1);
      const count = readSync(descriptor, scratch, filled, wanted, null);
      if (count === 0) break;
      filled += count;
      totalBytes += count;
      if (totalBytes > maxBytes) return undefined;
    }
    const last = scratch.subarray(0, filled);
    return chunks.length === 0 ? Uint8Array.from(last) : Buffer.concat([...chunks, last]);
  }

  function readDescriptor(
    descriptor: number,
    maxBytes: number,
    subject: string,
  ): Result<BoundedFile> {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return fail("unsupported", subject, "not a regular file");
    // The size that stat gives is not asked: procfs says 0 and sysfs says one page.
    const bytes = readAll(descriptor, maxBytes);
    if (bytes === undefined) return fail("too-large", subject, `more than ${maxBytes} bytes`);
    return ok({ bytes, stats });
  }

  function open<T>(
    path: string,
    subject: string,
    use: (descriptor: number) => Result<T>,
  ): Result<T> {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, OPEN_FLAGS);
      return use(descriptor);
    } catch (error) {
      // Missing and forbidden files are ordinary facts of a device, not exceptions.
      return problemOf(error, subject);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  return {
    read: (path, maxBytes, subject = path) =>
      open(path, subject, (descriptor) => readDescriptor(descriptor, maxBytes, subject)),
    readFrom: (path, offset, maxBytes, subject = path) =>
      open(path, subject, (descriptor) => {
        const stats = fstatSync(descriptor);
        if (!stats.isFile()) return fail("unsupported", subject, "not a regular file");
        const bytes = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(0, stats.size - offset)));
        const count = readSync(descriptor, bytes, 0, bytes.length, offset);
        return ok({ bytes: bytes.subarray(0, count), stats });
      }),
    readStart: (path, maxBytes, subject = path) =>
      open(path, subject, (descriptor) => {
        const count = readSync(descriptor, scratch, 0, Math.min(maxBytes, CHUNK_BYTES), null);
        return ok(Uint8Array.from(scratch.subarray(0, count)));
      }),
  };
}
