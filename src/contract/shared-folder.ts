import type { Result } from "./result.ts";

/**
 * A folder that several processes of one machine use at once. Names have no `/` and do not start with a dot.
 * Every change is on the disk when the call returns. Errors are those of the system calls; a full disk is
 * `too-large`.
 */
export interface SharedFolder {
  readonly path: string;
  /** Names in it, sorted; those of locks and unfinished writes left out. */
  list(): Result<readonly string[]>;
  /** The whole text, at most `maxBytes`. */
  read(name: string, maxBytes: number): Result<string>;
  /** The last `maxBytes` of a file of lines, whole lines only; a last line without its end is cut off the file. */
  readLastLines(name: string, maxBytes: number): Result<string>;
  /** Replaces the file in one step. */
  write(name: string, text: string): Result<void>;
  /** Makes the file with this text; `conflict` when there is one of that name, also against other processes. */
  create(name: string, text: string): Result<void>;
  /** Adds text to the end and returns the size, bytes; what was written in part is taken back. */
  append(name: string, text: string): Result<number>;
  /** Gives a file another name in the folder, in place of one that has it. */
  rename(from: string, to: string): Result<void>;
  /** Removes a file that may not be there. */
  remove(name: string): void;
  /**
   * Makes this process the only holder of a name, until the returned function is called or the process ends
   * in any way; `conflict` while another one, or this one, holds it.
   */
  lock(name: string): Result<() => void>;
}
