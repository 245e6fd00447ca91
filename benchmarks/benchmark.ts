import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** One line of a benchmark's table. */
export interface Figure {
  readonly what: string;
  readonly value: string;
  /** Repetitions and spread, or how it was counted. */
  readonly how: string;
}

/** One question, answered with figures. */
export interface Benchmark {
  readonly name: string;
  readonly question: string;
  run(progress: (line: string) => void): Promise<readonly Figure[]>;
}

/** Where and with what a run was made. */
export function machineFacts(): readonly string[] {
  const commit = git(["rev-parse", "--short", "HEAD"]);
  return [
    `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    readFileSync("/proc/version", "utf8").split(" ").slice(0, 3).join(" "),
    `Node ${process.version}`,
    `commit ${commit}`,
  ];
}

function git(args: readonly string[]): string {
  try {
    return execFileSync("git", [...args], { cwd: ROOT, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

/** Median, lowest and highest of some runs. */
export function spread(values: readonly number[]): {
  readonly median: number;
  readonly low: number;
  readonly high: number;
} {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    low: sorted[0] ?? 0,
    high: sorted.at(-1) ?? 0,
  };
}

/** `12.3 MB`, where 1 MB is 1,000,000 bytes. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
