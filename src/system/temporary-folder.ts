import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new private folder (mode 0700) for files of this process only. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with everything in it; a failure is ignored, the system cleans up in the end. */
  remove(): void;
}

/** Makes the folder below the system's temporary folder. Throws what mkdtemp(3) throws. */
export function createTemporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
