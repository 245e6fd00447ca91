import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fail, ok, type Result } from "../contract/result.ts";
import { problemOf } from "./system-problem.ts";

const CHUNK_BYTES = 262_144;

/**
 * Hands a regular file of any size on in pieces of text, decoded as UTF-8; a mark of byte order is left
 * out. Errors: `too-large` above `maxBytes`, `not-found`, `not-permitted`, and others of the system.
 */
export async function readTextInPieces(
  path: string,
  maxBytes: number,
  take: (text: string) => void,
): Promise<Result<undefined>> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return fail("unsupported", path, "not a regular file");
    if (facts.size > maxBytes) {
      return fail("too-large", path, `${facts.size} bytes; at most ${maxBytes}`);
    }
    const decoder = new TextDecoder();
    for await (const chunk of createReadStream(path, {
      highWaterMark: CHUNK_BYTES,
      end: maxBytes,
    })) {
      const bytes: Uint8Array = chunk;
      take(decoder.decode(bytes, { stream: true }));
    }
    take(decoder.decode());
    return ok(undefined);
  } catch (error) {
    return problemOf(error, path);
  }
}

/** Regular files of a folder whose names have one of the endings, sorted, at most `most`; not those below. */
export async function filesOfFolder(
  folder: string,
  endings: readonly string[],
  most: number,
): Promise<Result<readonly string[]>> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .filter((name) => endings.some((ending) => name.toLowerCase().endsWith(ending)))
      .sort();
    if (names.length > most) {
      return fail("too-large", folder, `${names.length} files; at most ${most}`);
    }
    return ok(names.map((name) => join(folder, name)));
  } catch (error) {
    return problemOf(error, folder);
  }
}
