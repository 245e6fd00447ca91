import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalHub } from "../src/localhub/local-hub.ts";
import { systemClock } from "../src/system/clock.ts";
import { systemRandom } from "../src/system/random.ts";
import { type Benchmark, type Figure, megabytes, ROOT, spread } from "./benchmark.ts";

/** The start is over, and what it left behind has been given back. */
const SETTLE_MS = 30_000;
const WATCH_MS = 60_000;
const REPETITIONS = 3;
const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Memory and CPU of the idle agent, with the settings of its unit, against a bare Node process. */
export const footprint: Benchmark = {
  name: "footprint",
  question: "What does the idle agent cost, connected over TLS, beside a bare Node process?",
  async run(progress) {
    const bare = await repeat(() => measure(spawn(process.execPath, ["-e", IDLE])));
    const figures: Figure[] = [row("bare Node", bare, bare)];
    for (const transport of ["iothub", "iothub-sdk"]) {
      progress(`${transport}: ${(REPETITIONS * (SETTLE_MS + WATCH_MS)) / 1_000} s`);
      figures.push(...rowsOf(transport, await repeat(() => measureAgent(transport)), bare));
    }
    return figures;
  },
};

const IDLE = "setInterval(()=>{},1e9)";

/** Options of Node and variables as the unit sets them. */
function unitSettings(): {
  readonly flags: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
} {
  const unit = readFileSync(`${ROOT}systemd/gatewarden.service`, "utf8");
  const words = (key: string): readonly string[] =>
    new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1]?.split(" ") ?? [];
  const start = words("ExecStart");
  const pairs = words("Environment").map((pair) => pair.split("="));
  return {
    flags: start.slice(
      1,
      start.findIndex((word) => word.endsWith(".js")),
    ),
    variables: Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value])),
  };
}

async function repeat(run: () => Promise<Sample>): Promise<Sample> {
  const samples: Sample[] = [];
  for (let at = 0; at < REPETITIONS; at += 1) samples.push(await run());
  const median = (pick: (sample: Sample) => number): number => spread(samples.map(pick)).median;
  return {
    rss: median((sample) => sample.rss),
    pss: median((sample) => sample.pss),
    privateBytes: median((sample) => sample.privateBytes),
    cpuPerMinute: median((sample) => sample.cpuPerMinute),
    wakeUpsPerSecond: median((sample) => sample.wakeUpsPerSecond),
  };
}

interface Sample {
  readonly rss: number;
  readonly pss: number;
  /** Pages that no other process has. */
  readonly privateBytes: number;
  /** CPU seconds per minute while idle. */
  readonly cpuPerMinute: number;
  readonly wakeUpsPerSecond: number;
}

function row(name: string, sample: Sample, bare: Sample): Figure {
  const ratio = (sample.rss / bare.rss).toFixed(2);
  const value = `${megabytes(sample.rss)} (${ratio} ×)`;
  const how = `PSS ${megabytes(sample.pss)}, private ${megabytes(sample.privateBytes)}; ratio to bare Node; median of ${REPETITIONS}`;
  return { what: `${name}: RSS`, value, how };
}

function rowsOf(name: string, sample: Sample, bare: Sample): readonly Figure[] {
  const how = `idle, over ${WATCH_MS / 1_000} s after the first snapshot; all threads; median of ${REPETITIONS}`;
  return [
    row(name, sample, bare),
    { what: `${name}: CPU per minute`, value: `${sample.cpuPerMinute.toFixed(3)} s`, how },
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
    const { flags, variables } = unitSettings();
    const script = [`${ROOT}dist/gatewarden.js`, "run", "--config", join(folder, "config.json")];
    const env = { ...process.env, ...variables };
    return await measure(spawn(process.execPath, [...flags, ...script], { stdio: "ignore", env }));
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets the process settle, watches it idle, ends it. */
async function measure(child: ChildProcess): Promise<Sample> {
  await systemClock.sleep(SETTLE_MS);
  const before = activityOf(child);
  await systemClock.sleep(WATCH_MS);
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
    privateBytes: (kilobytes("Private_Clean") + kilobytes("Private_Dirty")) * 1_024,
    cpuPerMinute: ((after.cpuSeconds - before.cpuSeconds) * 60_000) / WATCH_MS,
    wakeUpsPerSecond: ((after.switches - before.switches) * 1_000) / WATCH_MS,
  };
}

/** Of all threads; the scheduler counts nanoseconds. Source: proc_pid_schedstat, proc_pid_status(5). */
function activityOf(child: ChildProcess): {
  readonly cpuSeconds: number;
  readonly switches: number;
} {
  let cpuSeconds = 0;
  let switches = 0;
  for (const thread of readdirSync(`/proc/${child.pid}/task`)) {
    const folder = `/proc/${child.pid}/task/${thread}`;
    cpuSeconds += Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1e9;
    const status = readFileSync(`${folder}/status`, "utf8");
    switches += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return { cpuSeconds, switches };
}
