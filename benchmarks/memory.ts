import { type Benchmark, megabytes } from "./benchmark.ts";
import { absolute, ratio } from "./figures.ts";
import { type MemorySample, runMemory } from "./memory-run.ts";
import { agentNode } from "./support/unit-settings.ts";

const EVENTS = 100_000;
const EARLY = 20_000;
const COMMAND = "benchmarks/memory-driver.ts, built, its memory after a forced collection";

/** Memory over 100,000 events through the whole pipeline. */
export const memory: Benchmark = {
  name: "memory",
  question: `Does memory stay flat over ${EVENTS} events through spool, packing and TLS MQTT, and how fast is that?`,
  hasChecks: true,
  async run(progress, { mode }) {
    const runs: { readonly early: MemorySample; readonly late: MemorySample }[] = [];
    let [arrived, dropped] = [0, 0];
    for (let run = 0; run < (mode === "full" ? 5 : 1); run += 1) {
      const result = await runMemory(
        EVENTS,
        ({ events, rss, heapUsed }) =>
          progress(`${events} events: ${megabytes(rss)} RSS, ${megabytes(heapUsed)} heap`),
        agentNode(),
      );
      const early = result.samples.find((sample) => sample.events >= EARLY);
      const late = result.samples.at(-1);
      if (early === undefined || late === undefined) throw new Error("no samples");
      runs.push({ early, late });
      arrived += result.arrived;
      dropped += result.samples.reduce((sum, sample) => sum + sample.dropped, 0);
    }
    const shared = { command: COMMAND } as const;
    const of = (pick: (run: (typeof runs)[number]) => number): readonly number[] => runs.map(pick);
    return [
      ratio({
        ...{ ...shared, name: "heap after 100,000 events / after 20,000", better: "lower" },
        of: of(({ late }) => late.heapUsed),
        to: of(({ early }) => early.heapUsed),
        limit: 1.1,
        isChecked: true,
      }),
      ratio({
        ...{ ...shared, name: "RSS after 100,000 events / after 20,000", better: "lower" },
        of: of(({ late }) => late.rss),
        to: of(({ early }) => early.rss),
        limit: 1.1,
        isChecked: true,
      }),
      absolute({
        ...{ ...shared, name: "RSS after 100,000 events", unit: "bytes" },
        values: of(({ late }) => late.rss),
      }),
      absolute({
        ...{ ...shared, name: "heap after 100,000 events", unit: "bytes" },
        values: of(({ late }) => late.heapUsed),
      }),
      absolute({
        ...{ ...shared, name: "events from end to end", unit: "per second", better: "higher" },
        values: of(({ late }) => late.events / (late.elapsedMs / 1_000)),
      }),
      absolute({
        ...{ ...shared, name: "CPU per event, start included", unit: "µs" },
        values: of(({ late }) => (late.cpuMs * 1_000) / late.events),
      }),
      {
        what: "events arrived, dropped",
        value: `${arrived}, ${dropped}`,
        how: "counted at the hub",
      },
    ];
  },
};
