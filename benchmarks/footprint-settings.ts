/**
 * What settings of Node, V8 and malloc do to the idle agent: each variant is run beside a bare Node
 * process, connected over TLS to a local hub, several times.
 *
 * `node --import tsx benchmarks/footprint-settings.ts [transport] [repetitions] [settle seconds] NAME=FLAGS…`
 * where FLAGS holds `--flag`s and `VARIABLE:value`s, with blanks between them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalHub } from "../src/localhub/hub-contract.ts";
import { startLocalHub } from "../src/localhub/local-hub.ts";
import { systemClock } from "../src/system/clock.ts";
import { systemRandom } from "../src/system/random.ts";
import { ROOT, spread } from "./benchmark.ts";

interface Variant {
  readonly name: string;
  readonly flags: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

interface Memory {
  readonly rss: number;
  readonly pss: number;
  readonly privateBytes: number;
  readonly anonymous: number;
  readonly cpuMs: number;
}

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

function variantOf(text: string): Variant {
  const [name = "", rest = ""] = text.split(/=(.*)/s);
  const words = rest.split(" ").filter((word) => word !== "");
  const pairs = words.filter((word) => !word.startsWith("-")).map((word) => word.split(/:(.*)/s));
  return {
    name,
    flags: words.filter((word) => word.startsWith("-")),
    variables: Object.fromEntries(pairs.map(([key = "", value = ""]) => [key, value])),
  };
}

function memoryOf(child: ChildProcess): Memory {
  const text = readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8");
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) * 1_024;
  return {
    rss: bytes("Rss"),
    pss: bytes("Pss"),
    privateBytes: bytes("Private_Clean") + bytes("Private_Dirty"),
    anonymous: bytes("Anonymous"),
    cpuMs: (Number(stat[11]) + Number(stat[12])) * 10,
  };
}

async function measure(child: ChildProcess, settleMs: number): Promise<Memory> {
  await systemClock.sleep(settleMs);
  const memory = memoryOf(child);
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await ended;
  return memory;
}

function startAgent(
  hub: LocalHub,
  folder: string,
  transport: string,
  variant: Variant,
  id: string,
) {
  const file = join(folder, `${id}.connection`);
  writeFileSync(file, hub.connectionString({ deviceId: id, moduleId: "agent" }), { mode: 0o600 });
  const config = join(folder, `${id}.json`);
  const text = {
    transport,
    iothub: { connectionStringFile: file, caFile: hub.caFile },
    stateDirectory: join(folder, id),
    firstSnapshotDelaySeconds: 1,
    firstSnapshotJitterSeconds: 0,
  };
  writeFileSync(config, JSON.stringify(text));
  const script = process.env["GATEWARDEN_SCRIPT"] ?? `${ROOT}dist/gatewarden.js`;
  const args = [...variant.flags, script, "run", "--config", config];
  return spawn(process.execPath, args, {
    stdio: "ignore",
    env: { ...process.env, ...variant.variables },
  });
}

async function main(): Promise<void> {
  const [transport = "iothub", times = "3", settle = "12", ...texts] = process.argv.slice(2);
  const settleMs = Number(settle) * 1_000;
  const variants = texts.length === 0 ? [variantOf("default")] : texts.map(variantOf);
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-settings-"));
  const ids = Array.from({ length: Number(times) * variants.length }, (_, at) => `d${at}`);
  const hub = await startLocalHub({
    identities: ids.map((deviceId) => ({ deviceId, moduleId: "agent" })),
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: quiet,
  });
  const all = new Map<string, Memory[]>();
  for (let run = 0; run < Number(times); run += 1) {
    const started: (readonly [string, Promise<Memory>])[] = [];
    const bare = spawn(process.execPath, ["-e", "setInterval(()=>{},1e9)"]);
    started.push(["bare Node", measure(bare, settleMs)]);
    for (const [index, variant] of variants.entries()) {
      const id = ids[run * variants.length + index] ?? "";
      const child = startAgent(hub, folder, transport, variant, id);
      started.push([variant.name, measure(child, settleMs)]);
    }
    for (const [name, memory] of started) {
      all.set(name, [...(all.get(name) ?? []), await memory]);
    }
  }
  const bareRss = medianOf(all.get("bare Node") ?? [], "rss");
  for (const [name, memories] of all) {
    const mb = (key: keyof Memory): string => (medianOf(memories, key) / 1e6).toFixed(1);
    const ratio = (medianOf(memories, "rss") / bareRss).toFixed(3);
    process.stdout.write(
      `${name.padEnd(34)} RSS ${mb("rss")} (${ratio} ×) PSS ${mb("pss")} private ${mb("privateBytes")} anon ${mb("anonymous")} CPU ${medianOf(memories, "cpuMs")} ms\n`,
    );
  }
  await hub.stop();
  rmSync(folder, { recursive: true, force: true });
}

function medianOf(memories: readonly Memory[], key: keyof Memory): number {
  return spread(memories.map((memory) => memory[key])).median;
}

await main();
