import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A folder of the test's own, mode 0700, removed when the test ends. */
export function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "gatewarden-test-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
