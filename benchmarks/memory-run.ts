import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { startLocalHub } from "../src/localhub/local-hub.ts";
import { systemClock } from "../src/system/clock.ts";
import { systemRandom } from "../src/system/random.ts";
import { ROOT } from "./benchmark.ts";

/** Memory of the pipeline's process after that many events, garbage collected. */
export interface MemorySample {
  readonly events: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly dropped: number;
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

export interface MemoryRun {
  readonly samples: readonly MemorySample[];
  /** Events that arrived at the hub. */
  readonly arrived: number;
}

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** With `node` in front of the script, drives `count` events through spool, packing and TLS MQTT in a child; the hub runs here. */
export async function runMemory(
  count: number,
  onSample: (sample: MemorySample) => void,
  node: readonly string[] = [process.execPath],
): Promise<MemoryRun> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-memory-"));
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: quiet,
  });
  let arrived = 0;
  hub.observe({
    onMessage: ({ body }) => {
      const envelope: { Events: unknown[] } = JSON.parse(Buffer.from(body).toString("utf8"));
      arrived += envelope.Events.length;
    },
  });
  try {
    const driver = join(folder, "driver.cjs");
    await build({
      entryPoints: [`${ROOT}benchmarks/memory-driver.ts`],
      outfile: driver,
      bundle: true,
      platform: "node",
      format: "cjs",
      external: ["azure-iot-device", "azure-iot-device-mqtt", "koffi"],
      logLevel: "error",
    });
    const connectionString = join(folder, "connection-string");
    writeFileSync(connectionString, hub.connectionString(), { mode: 0o600 });
    const args = ["--expose-gc", driver, folder, connectionString, hub.caFile, String(count)];
    const samples = await collect([...node, ...args], onSample);
    return { samples, arrived };
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function collect(
  command: readonly string[],
  onSample: (sample: MemorySample) => void,
): Promise<readonly MemorySample[]> {
  return new Promise((resolve, reject) => {
    const samples: MemorySample[] = [];
    const [file = "", ...args] = command;
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const sample: MemorySample = JSON.parse(line);
        samples.push(sample);
        onSample(sample);
      }
    });
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(samples) : reject(new Error(`the pipeline ended with ${String(code)}`)),
    );
  });
}
