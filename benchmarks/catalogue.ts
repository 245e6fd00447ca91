import { analyze } from "./analyze.ts";
import { baseline } from "./baseline.ts";
import type { Benchmark } from "./benchmark.ts";
import { collectors } from "./collectors.ts";
import { firewall } from "./firewall.ts";
import { footprint } from "./footprint.ts";
import { listeningPorts } from "./listening-ports.ts";
import { liveEvents } from "./live-events.ts";
import { memory } from "./memory.ts";
import { packing } from "./packing.ts";
import { posture } from "./posture.ts";
import { spool } from "./spool.ts";
import { streams } from "./streams.ts";

/** Every benchmark, in the order of the results page. */
export const BENCHMARKS: readonly Benchmark[] = [
  footprint,
  collectors,
  listeningPorts,
  firewall,
  streams,
  packing,
  memory,
  spool,
  baseline,
  posture,
  analyze,
  liveEvents,
];
