import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RemoteServer, startRemoteServer } from "../test/eventhubs/remote-server.ts";
import { fleetTraffic, TRAFFIC_GROUPS } from "../test/fleet/fleet-traffic.ts";
import { type Benchmark, type Figure, ROOT } from "./benchmark.ts";

const FLEETS = [1_000, 4_000, 16_000] as const;
const EVENTS_PER_DEVICE = 20;
const PARTITIONS = 8;
const TICKS_PER_SECOND = 100;
const APPENDED = 2_000;

/** The built command, reading an event hub on loopback to its end. */
export const analyze: Benchmark = {
  name: "analyze",
  question: "How much traffic of how large a fleet does one instance of the analyzer bear?",
  async run(progress) {
    const server = await startRemoteServer(
      FLEETS.map((devices) => ({
        name: `fleet${devices}`,
        partitions: PARTITIONS,
        consumerGroups: ["gatewarden"],
      })),
    );
    const runs: Run[] = [];
    try {
      for (const devices of FLEETS) {
        progress(`${devices} devices, ${devices * EVENTS_PER_DEVICE} events`);
        await fill(server, devices);
        runs.push(await measure(server, devices));
      }
    } finally {
      await server.stop();
    }
    return [...runs.flatMap(figuresOf), ...growth(runs)];
  },
};

interface Run {
  readonly devices: number;
  readonly events: number;
  readonly alerts: number;
  readonly readSeconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMegabytes: number;
  readonly peakHeapMegabytes: number;
}

async function fill(server: RemoteServer, devices: number): Promise<void> {
  // Tomorrow, so that the time of the machine judges nothing.
  const startMs = Math.ceil(Date.now() / 86_400_000 + 1) * 86_400_000;
  const logs = fleetTraffic({
    devices,
    partitions: PARTITIONS,
    events: devices * EVENTS_PER_DEVICE,
    startMs,
    endMs: startMs + 1_800_000,
  });
  for (const [partition, log] of logs.entries()) {
    for (let at = 0; at < log.length; at += APPENDED) {
      await server.append(`fleet${devices}`, partition, log.slice(at, at + APPENDED));
    }
  }
}

/** Runs the bundle and reads what the kernel and its own last statistics say of it. */
async function measure(server: RemoteServer, devices: number): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-analyze-"));
  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const hub = `fleet${devices}`;
  const config = file(
    "config.json",
    JSON.stringify({
      hub: "fleet-hub",
      endpoint: { connectionStringFile: file("secret", server.connectionString(hub)) },
      groupsFile: file("groups.json", JSON.stringify(TRAFFIC_GROUPS)),
      protocolProperty: "Protocol",
      stateFolder: join(folder, "state"),
      statisticsSeconds: 1,
      outputs: { jsonLines: { folder: join(folder, "alerts") } },
    }),
  );
  const child = spawn(
    process.execPath,
    [`${ROOT}dist/gatewarden.js`, "analyze", "-c", config, "--once"],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent" },
    },
  );
  let errors = "";
  let [cpuSeconds, peakRssMegabytes] = [0, 0];
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString("utf8");
  });
  const poll = setInterval(() => {
    const facts = processFacts(child.pid ?? 0);
    cpuSeconds = Math.max(cpuSeconds, facts?.cpuSeconds ?? 0);
    peakRssMegabytes = Math.max(peakRssMegabytes, facts?.peakRssMegabytes ?? 0);
  }, 100);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(poll);
  rmSync(folder, { recursive: true });
  if (code !== 0) throw new Error(`analyze ended with ${code}: ${errors.slice(-500)}`);
  const lines = errors
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Readonly<Record<string, number | string>>);
  const told = lines.filter((line) => line["read"] !== undefined);
  const last = told.at(-1) ?? {};
  const openedMs = Date.parse(
    String(lines.find((line) => line["msg"] === "partition opened")?.["time"]),
  );
  const stoppedMs = Date.parse(String(lines.find((line) => line["msg"] === "stopping")?.["time"]));
  return {
    devices,
    events: Number(last["read"]),
    alerts: Number(last["delivered"]),
    readSeconds: (stoppedMs - openedMs) / 1_000,
    cpuSeconds,
    peakRssMegabytes,
    peakHeapMegabytes: Math.max(...told.map((line) => Number(line["heapMegabytes"]))),
  };
}

/** Source: proc_pid_stat(5), proc_pid_status(5). */
function processFacts(
  processId: number,
): { readonly cpuSeconds: number; readonly peakRssMegabytes: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const status = readFileSync(`/proc/${processId}/status`, "utf8");
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      peakRssMegabytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_000,
    };
  } catch {
    // It has just ended.
    return undefined;
  }
}

function figuresOf(run: Run): readonly Figure[] {
  const what = `${run.devices} devices, ${run.events} events, ${run.alerts} alerts`;
  const how = `one run, ${PARTITIONS} partitions, JSON Lines with fsync, server on the same machine`;
  return [
    { what: `${what}: rate`, value: `${Math.round(run.events / run.readSeconds)} events/s`, how },
    {
      what: `${what}: CPU`,
      value: `${((run.cpuSeconds / run.events) * 1e6).toFixed(0)} µs/event`,
      how: "start of the process included",
    },
    { what: `${what}: peak RSS`, value: `${run.peakRssMegabytes.toFixed(0)} MB`, how: "VmHWM" },
    {
      what: `${what}: peak heap`,
      value: `${run.peakHeapMegabytes.toFixed(0)} MB`,
      how: "highest of the statistics, garbage included",
    },
  ];
}

/** What 1,000 more devices cost, between the fleets. */
function growth(runs: readonly Run[]): readonly Figure[] {
  return runs.slice(1).flatMap((run, at) => {
    const before = runs[at];
    if (before === undefined) return [];
    const thousands = (run.devices - before.devices) / 1_000;
    const what = `${before.devices} to ${run.devices} devices`;
    const perThousand = (more: number): string => `${(more / thousands).toFixed(1)} MB`;
    return [
      {
        what: `${what}: RSS per 1,000 devices`,
        value: perThousand(run.peakRssMegabytes - before.peakRssMegabytes),
        how: "difference of peaks",
      },
      {
        what: `${what}: heap per 1,000 devices`,
        value: perThousand(run.peakHeapMegabytes - before.peakHeapMegabytes),
        how: "difference of peaks",
      },
    ];
  });
}
