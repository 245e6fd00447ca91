import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { type Benchmark, type Figure, megabytes, ROOT, spread } from "./benchmark.ts";
import type { PostureReport, RuleKind } from "./posture-driver.ts";

/**
 * Connections, processes and listening sockets, and firewall rules. The last is what a device must bear;
 * the others show the growth.
 */
const SIZES = [
  [2_500, 1_250],
  [5_000, 2_500],
  [10_000, 5_000],
] as const;
/** As the service runs. */
const LIMITS = ["--max-old-space-size=64", "--max-semi-space-size=1"];
const KINDS: readonly RuleKind[] = ["ports", "sources", "mixed"];

/** Recommendations and custom alerts over more of everything than any gateway has. */
export const posture: Benchmark = {
  name: "posture",
  question: "What does it cost to judge all verdicts?",
  async run(progress) {
    const folder = mkdtempSync(join(tmpdir(), "gatewarden-bench-posture-"));
    try {
      const driver = join(folder, "driver.cjs");
      await build({
        entryPoints: [`${ROOT}benchmarks/posture-driver.ts`],
        outfile: driver,
        bundle: true,
        platform: "node",
        format: "cjs",
        logLevel: "error",
      });
      const figures: Figure[] = [];
      for (const kind of KINDS) {
        for (const [size, rules] of SIZES) {
          progress(`${size} of each, ${rules} rules by ${kind}`);
          figures.push(
            ...figuresOf(
              `${size} of each, ${rules} rules by ${kind}`,
              run(driver, size, rules, kind),
            ),
          );
        }
      }
      return figures;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function run(driver: string, size: number, rules: number, kind: RuleKind): PostureReport {
  const args = [...LIMITS, "--expose-gc", driver, String(size), String(rules), kind];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the driver ended with ${String(status)}: ${stderr}`);
  return JSON.parse(stdout);
}

function figuresOf(what: string, report: PostureReport): readonly Figure[] {
  const [first, ...others] = report.evaluations;
  if (first === undefined) throw new Error("no evaluation");
  const wall = spread(others.map(({ wallMs }) => wallMs));
  const cpu = spread(others.map(({ cpuMs }) => cpuMs));
  const whole = report.isWhole
    ? "nothing left out"
    : "the bound on rules was met: some sockets unknown";
  const parts = Object.entries(first.partsMs)
    .filter(([, ms]) => ms >= 1)
    .map(([name, ms]) => `${name} ${ms.toFixed(0)}`);
  return [
    {
      what: `${what}: all verdicts`,
      value: `${wall.median.toFixed(0)} ms`,
      how:
        `median of ${others.length} (${wall.low.toFixed(0)}-${wall.high.toFixed(0)}), CPU ${cpu.median.toFixed(0)} ms; ` +
        `first ${first.wallMs.toFixed(0)} ms: ${parts.join(", ")}; ` +
        `${report.unhealthy} unhealthy, ${report.alerts} alerts, ${whole}`,
    },
    {
      what: `${what}: memory`,
      value: `${megabytes(report.rssPeakBytes)} RSS at most`,
      how:
        `${megabytes(report.rssBeforeBytes)} with the input alone; after ${report.evaluations.length} evaluations the heap ` +
        `holds ${megabytes(Math.max(report.heapKeptBytes, 0))} more, kept state ${report.stateBytes} bytes`,
    },
  ];
}
