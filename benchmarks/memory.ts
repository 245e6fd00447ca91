import { type Benchmark, megabytes } from "./benchmark.ts";
import { runMemory } from "./memory-run.ts";

const EVENTS = 100_000;

/** Memory over 100,000 events through the whole pipeline. */
export const memory: Benchmark = {
  name: "memory",
  question: `Does memory stay flat over ${EVENTS} events through spool, packing and TLS MQTT?`,
  async run(progress) {
    const { samples, arrived } = await runMemory(EVENTS, (sample) =>
      progress(
        `${sample.events} events: ${megabytes(sample.rss)} RSS, ${megabytes(sample.heapUsed)} heap`,
      ),
    );
    const early = samples.find((sample) => sample.events >= 20_000);
    const late = samples.at(-1);
    if (early === undefined || late === undefined) throw new Error("no samples");
    const slope = (late.heapUsed - early.heapUsed) / ((late.events - early.events) / 10_000);
    const dropped = samples.reduce((sum, sample) => sum + sample.dropped, 0);
    return [
      {
        what: "events arrived, dropped",
        value: `${arrived}, ${dropped}`,
        how: "counted at the hub",
      },
      {
        what: "RSS after 20,000 / 100,000",
        value: `${megabytes(early.rss)} / ${megabytes(late.rss)}`,
        how: "one run, after gc",
      },
      {
        what: "heap after 20,000 / 100,000",
        value: `${megabytes(early.heapUsed)} / ${megabytes(late.heapUsed)}`,
        how: "one run, after gc",
      },
      {
        what: "heap growth per 10,000 events",
        value: `${Math.round(slope / 1_000)} kB`,
        how: "from 20,000 on",
      },
      {
        what: "events per second",
        value: String(Math.round(late.events / (late.elapsedMs / 1_000))),
        how: "one run, end to end",
      },
      {
        what: "CPU per event",
        value: `${((late.cpuMs * 1_000) / late.events).toFixed(0)} µs`,
        how: "one run, start included",
      },
    ];
  },
};
