import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built bundle, and the Node that runs it: `GATEWARDEN_NODE` names another one. */
export const BUNDLE = fileURLToPath(new URL("../../dist/gatewarden.js", import.meta.url));
export const NODE = process.env["GATEWARDEN_NODE"] ?? process.execPath;

export interface RunningBundle {
  readonly child: ChildProcess;
  /** Everything written so far. */
  readonly output: () => string;
  readonly errors: () => string;
  readonly exit: Promise<number | null>;
}

/** Starts the bundle with these arguments and a clean environment. */
export function startBundle(
  args: readonly string[],
  options: { readonly bundle?: string; readonly cwd?: string } = {},
): RunningBundle {
  const child = spawn(NODE, [options.bundle ?? BUNDLE, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent" },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString("utf8");
  });
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, output: () => output, errors: () => errors, exit };
}

/** Runs the bundle to its end. */
export async function runBundle(
  args: readonly string[],
  options: { readonly bundle?: string; readonly cwd?: string } = {},
): Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }> {
  const running = startBundle(args, options);
  const code = await running.exit;
  return { code, output: running.output(), errors: running.errors() };
}

/** Polls until the condition holds. Rejects with `what` when it does not within the limit. */
export async function until(
  condition: () => boolean,
  what: string,
  limitMs = 60_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Copies the files that were built and run on a gateway, and returns where the program is. */
export function copyBundle(folder: string, name = "gatewarden.js"): string {
  for (const part of readdirSync(dirname(BUNDLE))) {
    if (/^gatewarden-.*\.js$/.test(part))
      copyFileSync(join(dirname(BUNDLE), part), join(folder, part));
  }
  copyFileSync(BUNDLE, join(folder, name));
  return join(folder, name);
}
