import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalHub } from "../src/localhub/local-hub.ts";
import { systemClock } from "../src/system/clock.ts";
import { systemRandom } from "../src/system/random.ts";
import { type Benchmark, type Figure, megabytes, ROOT } from "./benchmark.ts";

const SETTLE_MS = 20_000;
const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Memory and CPU of the idle, connected agent against a bare Node process. */
export const footprint: Benchmark = {
  name: "footprint",
  question: "What does the idle agent cost, connected over TLS, beside a bare Node process?",
  async run(progress) {
    const bare = await measure(spawn(process.execPath, ["-e", "setInterval(()=>{},1e9)"]));
    const figures: Figure[] = [row("bare Node", bare, bare)];
    for (const transport of ["iothub", "iothub-sdk"]) {
      progress(`${transport}: ${(2 * SETTLE_MS) / 1_000} s`);
      figures.push(...rowsOf(transport, await measureAgent(transport), bare));
    }
    return figures;
  },
};

interface Sample {
  readonly rss: number;
  readonly pss: number;
  /** CPU seconds per minute while idle. */
  readonly cpuPerMinute: number;
  readonly wakeUpsPerSecond: number;
}

function row(name: string, sample: Sample, bare: Sample): Figure {
  const ratio = (sample.rss / bare.rss).toFixed(2);
  const value = `${megabytes(sample.rss)} (${ratio} ×)`;
  return { what: `${name}: RSS`, value, how: `PSS ${megabytes(sample.pss)}; ratio to bare Node` };
}

function rowsOf(name: string, sample: Sample, bare: Sample): readonly Figure[] {
  const how = `idle, over ${SETTLE_MS / 1_000} s after the first snapshot`;
  return [
    row(name, sample, bare),
    { what: `${name}: CPU per minute`, value: `${sample.cpuPerMinute.toFixed(2)} s`, how },
    { what: `${name}: wake-ups per second`, value: sample.wakeUpsPerSecond.toFixed(1), how },
  ];
}

async function measureAgent(transport: string): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-footprint-"));
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: quiet,
  });
  try {
    const connectionStringFile = join(folder, "connection-string");
    writeFileSync(connectionStringFile, hub.connectionString(), { mode: 0o600 });
    const config = {
      transport,
      iothub: { connectionStringFile, caFile: hub.caFile },
      stateDirectory: join(folder, "state"),
      firstSnapshotDelaySeconds: 1,
      firstSnapshotJitterSeconds: 0,
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const args = [`${ROOT}dist/gatewarden.js`, "run", "--config", join(folder, "config.json")];
    return await measure(spawn(process.execPath, args, { stdio: "ignore" }));
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets the process settle, watches it idle, ends it. */
async function measure(child: ChildProcess): Promise<Sample> {
  await systemClock.sleep(SETTLE_MS / 2);
  const before = activityOf(child);
  await systemClock.sleep(SETTLE_MS);
  const after = activityOf(child);
  const text = readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8");
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await ended;
  return {
    rss: kilobytes("Rss") * 1_024,
    pss: kilobytes("Pss") * 1_024,
    cpuPerMinute: ((after.cpuSeconds - before.cpuSeconds) * 60_000) / SETTLE_MS,
    wakeUpsPerSecond: ((after.switches - before.switches) * 1_000) / SETTLE_MS,
  };
}

function activityOf(child: ChildProcess): {
  readonly cpuSeconds: number;
  readonly switches: number;
} {
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return {
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100,
    switches: Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0),
  };
}
