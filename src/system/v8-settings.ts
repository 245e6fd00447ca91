import { setFlagsFromString } from "node:v8";

/**
 * What keeps the memory of a process small that mostly waits, at a price in speed that was measured
 * (docs/benchmarks/log.md). Only what was not compiled yet is affected, so call it first.
 */
const FLAGS = ["--no-opt", "--no-sparkplug", "--semi-space-growth-factor=1"] as const;

/** Sets V8 up for an agent: see `FLAGS`. Node's own options and those of the unit stay in force. */
export function holdMemoryLow(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
