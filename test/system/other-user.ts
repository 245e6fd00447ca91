import { spawnSync } from "node:child_process";
import { chmodSync, chownSync } from "node:fs";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
/** The user and group that own nothing. */
const NOBODY = 65_534;

export interface OtherUserRun {
  /** Source file to import, relative to the repository. */
  readonly module: string;
  /** Statements with `module`, run while still root. */
  readonly before?: string;
  /** Function body with `module` and `folder`; returns an array of strings. */
  readonly body: string;
  /** Runs as root before; `chown` gives a file to the other user. */
  prepare(userId: number, chown: (path: string, userId: number) => void): void;
}

/**
 * Runs a few lines as an unprivileged user in a process of its own and returns what they return.
 * Undefined, with the test marked as skipped, when the tests do not run as root: then there is no other
 * user to become.
 */
export function asOtherUser(
  test: TestContext,
  folder: string,
  run: OtherUserRun,
): readonly string[] | undefined {
  if (process.getuid?.() !== 0) {
    test.skip("becoming another user needs root");
    return undefined;
  }
  chmodSync(folder, 0o755);
  run.prepare(NOBODY, (path, userId) => chownSync(path, userId, userId));
  // The module is loaded first: the checkout need not be readable for the other user.
  const script = `
    const module = await import(${JSON.stringify(`${REPOSITORY}${run.module}`)});
    const folder = ${JSON.stringify(folder)};
    ${run.before ?? ""}
    process.setgroups([]);
    process.setgid(${NOBODY});
    process.setuid(${NOBODY});
    const result = (() => {${run.body}})();
    process.stdout.write("result:" + JSON.stringify(result));
  `;
  const child = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", script],
    { cwd: REPOSITORY, encoding: "utf8", timeout: 30_000 },
  );
  const [, result] = child.stdout.split("result:");
  if (result === undefined) throw new Error(`the other user's process failed: ${child.stderr}`);
  return JSON.parse(result) as readonly string[];
}
