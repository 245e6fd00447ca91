import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

/** A folder of one test file, gone after its tests. */
export interface ScratchFolder {
  readonly path: string;
  /** Writes text, or an object as JSON, readable by the owner alone unless said otherwise; returns the path. */
  file(name: string, content: string | object, mode?: number): string;
}

export function scratchFolder(name: string): ScratchFolder {
  const path = mkdtempSync(join(tmpdir(), `gatewarden-${name}-`));
  after(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    file(name, content, mode = 0o600) {
      const file = join(path, name);
      writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
      chmodSync(file, mode);
      return file;
    },
  };
}
