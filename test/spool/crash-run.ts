import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export interface SpoolCrashReport {
  readonly appended: number;
  readonly released: number;
  /** Ids that `append` returned for, that were not being released, and that do not wait. */
  readonly missing: readonly number[];
  /** Ids that wait more than once. */
  readonly doubled: readonly number[];
}

/** Kills the driver at random moments, reopening the same folder each time, then lists what waits. */
export async function runSpoolCrashes(cycles: number): Promise<SpoolCrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-spool-crash-"));
  try {
    const driver = join(folder, "driver.cjs");
    await build({
      entryPoints: [fileURLToPath(new URL("crash-driver.ts", import.meta.url))],
      outfile: driver,
      bundle: true,
      platform: "node",
      format: "cjs",
      logLevel: "error",
    });
    const spool = join(folder, "spool");
    const appended = new Set<number>();
    const released = new Set<number>();
    let first = 1;
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const lines = await runUntilKilled([driver, spool, String(first)]);
      for (const [letter, id] of lines) (letter === "a" ? appended : released).add(id);
      // Far enough that ids appended but not yet printed are not given again.
      first = Math.max(first, ...lines.map(([, id]) => id)) + 1_000;
    }
    const waiting = (await runToEnd([driver, spool, "0", "list"])).map(([, id]) => id);
    const present = new Set(waiting);
    const unseen = new Set(waiting);
    return {
      appended: appended.size,
      released: released.size,
      missing: [...appended].filter((id) => !present.has(id) && !released.has(id)),
      doubled: waiting.filter((id) => !unseen.delete(id)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Line = readonly [letter: string, id: number];

/** What the driver printed until the kill, which comes 5 to 150 ms after its first line. */
async function runUntilKilled(args: readonly string[]): Promise<readonly Line[]> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let isArmed = false;
  const text = textOf(child, () => {
    if (isArmed) return;
    isArmed = true;
    setTimeout(() => child.kill("SIGKILL"), 5 + Math.random() * 145);
  });
  await ended(child);
  assert.equal(child.signalCode, "SIGKILL", "the driver ended by itself");
  return linesOf(text());
}

async function runToEnd(args: readonly string[]): Promise<readonly Line[]> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const text = textOf(child, () => {});
  await ended(child);
  assert.equal(child.exitCode, 0, "the driver failed to list what waits");
  return linesOf(text());
}

function textOf(child: ChildProcess, onData: () => void): () => string {
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    onData();
  });
  return () => Buffer.concat(chunks).toString("latin1");
}

/** Whole lines only: the kill may have cut the last one. */
function linesOf(text: string): readonly Line[] {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => [line.slice(0, 1), Number(line.slice(2))] as const);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}
