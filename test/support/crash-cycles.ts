import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { LocalHub } from "../../src/localhub/hub-contract.ts";
import { startLocalHub } from "../../src/localhub/local-hub.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { RecordingLog } from "./recording-log.ts";

export interface CrashReport {
  readonly cycles: number;
  /** Ids whose submit had returned. */
  readonly promised: number;
  /** Promised ids that never reached the hub. */
  readonly missing: readonly number[];
  readonly messages: number;
  readonly duplicates: number;
  /** Events that arrived twice with one Id and different content. */
  readonly conflicting: number;
}

/**
 * Starts the pipeline driver, kills it with SIGKILL at a random moment, starts it again on the same
 * folder, and so on; at last lets it flush. The hub lives in this process and counts what arrives.
 */
export async function runCrashCycles(cycles: number): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-crash-"));
  const hub = await startLocalHub({
    stateDirectory: join(folder, "hub"),
    clock: systemClock,
    random: systemRandom,
    log: new RecordingLog(),
  });
  try {
    const arrivals = watchArrivals(hub);
    const driver = await bundleDriver(folder);
    const connectionStringFile = join(folder, "connection-string");
    writeFileSync(connectionStringFile, hub.connectionString(), { mode: 0o600 });
    const base = [driver, folder, connectionStringFile, hub.caFile];
    const promised: number[] = [];
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const next = (promised.at(-1) ?? 0) + 1_000;
      promised.push(...(await runUntilKilled([...base, String(next)])));
    }
    await runToEnd([...base, "0", "flush"]);
    const missing = promised.filter((id) => !arrivals.ids.has(id));
    return {
      cycles,
      promised: promised.length,
      missing,
      messages: arrivals.messages(),
      duplicates: arrivals.duplicates(),
      conflicting: arrivals.conflicting(),
    };
  } finally {
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function watchArrivals(hub: LocalHub) {
  const ids = new Set<number>();
  const byEventId = new Map<string, string>();
  let messages = 0;
  let duplicates = 0;
  let conflicting = 0;
  hub.observe({
    onMessage: (message) => {
      messages += 1;
      const envelope: { Events: { Id: string; Payload: { Executable: string }[] }[] } = JSON.parse(
        Buffer.from(message.body).toString("utf8"),
      );
      for (const event of envelope.Events) {
        const text = JSON.stringify(event);
        const before = byEventId.get(event.Id);
        if (before !== undefined) duplicates += 1;
        if (before !== undefined && before !== text) conflicting += 1;
        byEventId.set(event.Id, text);
        for (const item of event.Payload) ids.add(Number(item.Executable.split("-").at(-1)));
      }
    },
  });
  return {
    ids,
    messages: () => messages,
    duplicates: () => duplicates,
    conflicting: () => conflicting,
  };
}

async function bundleDriver(folder: string): Promise<string> {
  const outfile = join(folder, "driver.cjs");
  await build({
    entryPoints: [fileURLToPath(new URL("pipeline-driver.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["azure-iot-device", "azure-iot-device-mqtt", "koffi"],
    logLevel: "error",
  });
  return outfile;
}

/** Ids printed before the kill, which comes 20 to 800 ms after the first one. */
async function runUntilKilled(args: readonly string[]): Promise<readonly number[]> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  let isArmed = false;
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    if (isArmed) return;
    isArmed = true;
    setTimeout(() => child.kill("SIGKILL"), 20 + Math.random() * 780);
  });
  await ended(child);
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole.split("\n").filter(Boolean).map(Number);
}

async function runToEnd(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const code = await ended(child);
  if (code !== 0) throw new Error(`the last run ended with code ${String(code)}`);
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
}
