import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_FLUSH, openSpool } from "../src/pipeline/spool/spool.ts";
import { systemClock } from "../src/system/clock.ts";
import { type Benchmark, spread } from "./benchmark.ts";

const EVENTS = 20_000;
const REPETITIONS = 5;
const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Speed and disk writes of the spool. */
export const spool: Benchmark = {
  name: "spool",
  question: "How fast is the spool, and how much does it write?",
  async run() {
    const runs: Timings[] = [];
    for (let run = 0; run < REPETITIONS; run += 1) runs.push(await timeSpool());
    const rate = (pick: (run: Timings) => number): string => {
      const { median, low, high } = spread(runs.map((run) => EVENTS / (pick(run) / 1_000)));
      return `${round(median)} (${round(low)} to ${round(high)})`;
    };
    const [first] = runs;
    const how = `median (range) of ${REPETITIONS} runs of ${EVENTS} events`;
    return [
      { what: "append, one event a call, events/s", value: rate((run) => run.appendMs), how },
      { what: "peek and release, events/s", value: rate((run) => run.drainMs), how },
      { what: "recover at start, events/s", value: rate((run) => run.recoverMs), how },
      {
        what: "bytes written per event of 550 bytes",
        value: String(Math.round((first?.writtenBytes ?? 0) / EVENTS)),
        how: "write(2) calls of the process, append and release, from /proc/self/io",
      },
    ];
  },
};

interface Timings {
  readonly appendMs: number;
  readonly drainMs: number;
  readonly recoverMs: number;
  readonly writtenBytes: number;
}

async function timeSpool(): Promise<Timings> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-spool-"));
  const options = {
    folder,
    maxCacheBytes: 100_000_000,
    clock: systemClock,
    log: quiet,
    flush: DEFAULT_FLUSH,
  };
  const json = JSON.stringify({ Id: "x".repeat(36), Payload: "y".repeat(494) });
  const before = writtenBytes();
  const writer = openSpool(options);
  const appendMs = timed(() => {
    for (let count = 0; count < EVENTS; count += 1) {
      writer.append([{ queue: "low", priority: "Low", name: "ProcessCreate", json }]);
    }
  });
  await writer.close();
  let reopened = writer;
  const recoverMs = timed(() => {
    reopened = openSpool(options);
  });
  const drainMs = timed(() => {
    for (;;) {
      const events = reopened.peek("low", 200_000);
      const last = events.at(-1);
      if (last === undefined) break;
      reopened.release("low", last.sequence);
    }
  });
  await reopened.close();
  const after = writtenBytes();
  rmSync(folder, { recursive: true, force: true });
  return { appendMs, drainMs, recoverMs, writtenBytes: after - before };
}

function timed(work: () => void): number {
  const startedMs = systemClock.monotonicMs();
  work();
  return systemClock.monotonicMs() - startedMs;
}

/** Bytes this process handed to write(2). Source: proc_pid_io(5), wchar. */
function writtenBytes(): number {
  return Number(/wchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1] ?? 0);
}

function round(value: number): string {
  return value >= 1_000 ? `${Math.round(value / 1_000)}k` : String(Math.round(value));
}
