import fs, { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_SETTINGS } from "../src/contract/settings.ts";
import { DEFAULT_FLUSH, openSpool } from "../src/pipeline/spool/spool.ts";
import { systemClock } from "../src/system/clock.ts";
import type { Benchmark } from "./benchmark.ts";
import { absolute, ratio } from "./figures.ts";

const EVENTS = 20_000;
/** The largest cache that the twin may ask for would take long; this is forty times the default. */
const LARGE_CACHE_BYTES = 100_000_000;
const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const JSON_TEXT = JSON.stringify({ Id: "x".repeat(36), Payload: "y".repeat(494) });
const ONE = [{ queue: "low", priority: "Low", name: "ProcessCreate", json: JSON_TEXT }] as const;

/** Speed and disk writes of the spool. */
export const spool: Benchmark = {
  name: "spool",
  question:
    "How fast is the spool, how much does it write, and how long does a full one take at start?",
  hasChecks: true,
  async run(_progress, { mode }) {
    const runs: Timings[] = [];
    for (let run = 0; run < (mode === "quick" ? 2 : 7); run += 1) runs.push(await timeSpool());
    const command = `openSpool with its default flush policy, ${EVENTS} events of ${JSON_TEXT.length} bytes`;
    const of = (pick: (run: Timings) => number): readonly number[] => runs.map(pick);
    const rate = (name: string, pick: (run: Timings) => number) =>
      absolute({
        ...{ name, unit: "per second", command, better: "higher" },
        values: of((run) => EVENTS / (pick(run) / 1_000)),
      });
    return [
      ratio({
        name: "append / a bare write(2) of the same bytes",
        command: `${command}; writeSync to one file`,
        better: "lower",
        of: of((run) => run.appendMs),
        to: of((run) => run.bareMs),
        isChecked: true,
      }),
      ratio({
        ...{ name: "bytes written / bytes of the events", command, better: "lower" },
        of: of((run) => run.writtenBytes / EVENTS),
        to: [JSON_TEXT.length],
        isChecked: true,
      }),
      rate("append, one event a call", (run) => run.appendMs),
      rate("peek and release", (run) => run.drainMs),
      rate("recover at start", (run) => run.recoverMs),
      absolute({
        ...{ name: "fsync calls per event, appending as fast as can be", unit: "count", command },
        values: of((run) => run.syncs / EVENTS),
      }),
      absolute({
        ...{
          name: "bytes written per event",
          unit: "bytes",
          values: of((run) => run.writtenBytes / EVENTS),
        },
        command: `${command}; wchar of /proc/self/io, append and release`,
      }),
      ...(await recoveries(mode === "quick" ? 2 : 5)),
    ];
  },
};

interface Timings {
  readonly appendMs: number;
  readonly bareMs: number;
  readonly drainMs: number;
  readonly recoverMs: number;
  readonly writtenBytes: number;
  readonly syncs: number;
}

function optionsOf(folder: string, maxCacheBytes: number) {
  return { folder, maxCacheBytes, clock: systemClock, log: quiet, flush: DEFAULT_FLUSH };
}

async function timeSpool(): Promise<Timings> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-spool-"));
  const options = optionsOf(folder, LARGE_CACHE_BYTES);
  const bareMs = timeBareWrites(folder);
  const counted = countSyncs();
  const before = writtenBytes();
  const writer = openSpool(options);
  const appendMs = timed(() => {
    for (let count = 0; count < EVENTS; count += 1) writer.append(ONE);
  });
  await writer.close();
  const syncs = counted.stop();
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
  return { appendMs, bareMs, drainMs, recoverMs, writtenBytes: after - before, syncs };
}

function timeBareWrites(folder: string): number {
  const line = `${JSON_TEXT}\n`;
  const descriptor = openSync(join(folder, "bare"), "w");
  const tookMs = timed(() => {
    for (let count = 0; count < EVENTS; count += 1) writeSync(descriptor, line);
  });
  closeSync(descriptor);
  return tookMs;
}

/** A spool that holds all it may, opened as after a power cut. */
async function recoveries(repetitions: number) {
  const sizes = [DEFAULT_SETTINGS.maxCacheBytes, LARGE_CACHE_BYTES];
  const figures = [];
  for (const bytes of sizes) {
    const folder = mkdtempSync(join(tmpdir(), "gatewarden-full-"));
    const options = optionsOf(folder, bytes);
    const writer = openSpool(options);
    for (let count = 0; count < bytes / JSON_TEXT.length; count += 1) writer.append(ONE);
    await writer.close();
    const values: number[] = [];
    for (let run = 0; run < repetitions; run += 1) {
      let opened = writer;
      values.push(
        timed(() => {
          opened = openSpool(options);
        }),
      );
      await opened.close();
    }
    rmSync(folder, { recursive: true, force: true });
    const megabytes = (bytes / 1e6).toFixed(2);
    const name = `recover a full spool of ${megabytes} MB`;
    figures.push(
      absolute({ name, unit: "ms", values, command: "openSpool of a folder left full" }),
    );
  }
  return figures;
}

/** Counts the calls of fsync(2) and fdatasync(2) that this process makes, until `stop`. */
function countSyncs(): { stop(): number } {
  const { fsyncSync, fsync, fdatasyncSync, fdatasync } = fs;
  let calls = 0;
  fs.fsyncSync = (descriptor) => {
    calls += 1;
    fsyncSync(descriptor);
  };
  fs.fdatasyncSync = (descriptor) => {
    calls += 1;
    fdatasyncSync(descriptor);
  };
  const counted = (original: typeof fsync) =>
    Object.assign(
      (descriptor: number, done: fs.NoParamCallback) => {
        calls += 1;
        original(descriptor, done);
      },
      { __promisify__: original.__promisify__ },
    );
  fs.fsync = counted(fsync);
  fs.fdatasync = counted(fdatasync);
  syncBuiltinESMExports();
  return {
    stop() {
      Object.assign(fs, { fsyncSync, fsync, fdatasyncSync, fdatasync });
      syncBuiltinESMExports();
      return calls;
    },
  };
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
