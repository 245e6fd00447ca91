import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** One line of a benchmark's table. */
export type Figure = Measurement | Note;

/** A fact beside the figures: a count, a reason why something was left out. */
export interface Note {
  readonly what: string;
  readonly value: string;
  readonly how: string;
}

/** A measured value with its spread. */
export interface Measurement {
  /** Says what was measured and under which conditions; unique in its benchmark. */
  readonly name: string;
  readonly unit: Unit;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly repetitions: number;
  /** What ran: a command line, or the name of a function of ours. */
  readonly command: string;
  /** A ratio compares two figures of the same run: it means something on another machine too. */
  readonly kind: "ratio" | "absolute";
  readonly better: "lower" | "higher";
  /** `npm run bench:check` measures it again: a ratio that a short run tells well enough. */
  readonly isChecked?: boolean;
  /** What the project promises of it: at most this where lower is better, else at least this. */
  readonly limit?: number;
  /** Place in the table of comparisons. */
  readonly cell?: { readonly row: string; readonly column: string };
  /** Place in a chart of the benchmark. */
  readonly point?: { readonly chart: string; readonly line: string; readonly x: number };
  /** Not measured in this run: where the figure is from. */
  readonly quotedFrom?: string;
}

/** What a figure counts. Values are kept in this unit; tables scale bytes and times for reading. */
export type Unit =
  | "ms"
  | "µs"
  | "s"
  | "bytes"
  | "×"
  | "%"
  | "per second"
  | "per hour"
  | "per day"
  | "bytes per day"
  | "bytes per hour"
  | "count"
  | "exponent";

/** A chart over the figures that name it in `point`. */
export interface ChartPlan {
  readonly id: string;
  readonly title: string;
  /** `curves` have two logarithmic axes; `bars` show one value for each line, in the order of figures. */
  readonly kind: "curves" | "bars";
  readonly xLabel: string;
  readonly yLabel: string;
}

/** How a run is made. */
export interface RunOptions {
  /**
   * `full`: what is recorded. `quick`: the same figures with fewer repetitions and smaller sizes.
   * `check`: only figures with `isChecked`, with repetitions between the two.
   */
  readonly mode: "full" | "quick" | "check";
  /** Of the accelerated load of the footprint benchmark; absent: what the mode says. */
  readonly loadMinutes?: number;
}

/** One question, answered with figures. */
export interface Benchmark {
  readonly name: string;
  readonly question: string;
  readonly charts?: readonly ChartPlan[];
  /** Gives figures with `isChecked`, and so takes part in `npm run bench:check`. */
  readonly hasChecks?: boolean;
  run(progress: (line: string) => void, options: RunOptions): Promise<readonly Figure[]>;
}

export function isMeasurement(figure: Figure): figure is Measurement {
  return "median" in figure;
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
