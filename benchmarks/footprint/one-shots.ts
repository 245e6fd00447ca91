/** Programs that people run now and then instead of an agent. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import type { Measurement } from "../benchmark.ts";
import { absolute } from "../figures.ts";
import { peerPath } from "./peers.ts";

const COMMANDS = [["ss", "-lntup"], ["lsof", "-nP", "-i"], ["ps", "-ef"], ["last"]];

/** Time, CPU and memory of one call of each, on the machine as it is. */
export function oneShots(repetitions: number): readonly Measurement[] {
  return COMMANDS.flatMap((command) => {
    const [file = "", ...args] = command;
    const text = command.join(" ");
    const run = (): boolean => spawnSync(file, args, { stdio: "ignore" }).error === undefined;
    if (!run()) return [];
    const cpuBeforeMs = childCpuMs();
    const walls = Array.from({ length: repetitions }, () => {
      const startedMs = systemClock.monotonicMs();
      run();
      return systemClock.monotonicMs() - startedMs;
    });
    const cpuMs = (childCpuMs() - cpuBeforeMs) / repetitions;
    return [
      absolute({ name: `one call of ${text}: time`, unit: "ms", values: walls, command: text }),
      absolute({ name: `one call of ${text}: CPU`, unit: "ms", values: [cpuMs], command: text }),
      ...peakOf(command, text),
    ];
  });
}

/** Source: time(1) of GNU, %M in kilobytes. */
function peakOf(command: readonly string[], text: string): readonly Measurement[] {
  const time = peerPath("/usr/bin/time");
  if (time === undefined) return [];
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-time-"));
  const report = join(folder, "report");
  spawnSync(time, ["-f", "%M", "-o", report, ...command], { stdio: "ignore" });
  const lines = readFileSync(report, "utf8").trim().split("\n");
  rmSync(folder, { recursive: true, force: true });
  const values = [Number(lines.at(-1)) * 1_024];
  return [
    absolute({ name: `one call of ${text}: peak RSS`, unit: "bytes", values, command: text }),
  ];
}

function childCpuMs(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
