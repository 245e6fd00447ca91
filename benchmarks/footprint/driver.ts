/** Measures one subject in the namespaces that it was started in: prints a FootprintReply. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/system/clock.ts";
import { prepareGateway, startStandardLoad } from "../standard-load.ts";
import { endChild, heapOf, openAgentStand } from "./agent-stand.ts";
import {
  type FootprintReply,
  type FootprintRequest,
  type MemoryPoint,
  type Program,
  SCRAPE_SECONDS,
  type Traffic,
  type TransportName,
  type Window,
} from "./contract.ts";
import { type Activity, activityOf, memoryOf } from "./meter.ts";

const PARTS = 5;
const CURVE_STEP_MS = 5_000;
const NO_TRAFFIC: Traffic = { sentBytes: 0, receivedBytes: 0, messages: 0, units: 0, events: 0 };
const SETTINGS_AT_SPEED = {
  highPriorityMessageFrequency: 7 * 60,
  lowPriorityMessageFrequency: 5 * 3_600,
  snapshotFrequency: 13 * 3_600,
};

interface Watched {
  readonly child: ChildProcess;
  readonly traffic: () => Traffic;
  readonly heap: () => Promise<number | undefined>;
}

async function watchWindow(watched: Watched, seconds: number): Promise<Window> {
  const pid = watched.child.pid ?? 0;
  const partSeconds = seconds / PARTS;
  const parts: Activity[] = [];
  const trafficBefore = watched.traffic();
  const startedMs = systemClock.monotonicMs();
  let before = activityOf(pid);
  for (let part = 1; part <= PARTS; part += 1) {
    await systemClock.sleep(startedMs + part * partSeconds * 1_000 - systemClock.monotonicMs());
    const after = activityOf(pid);
    parts.push(difference(after, before));
    before = after;
  }
  const memory = memoryOf(pid);
  const heapBytes = await watched.heap();
  const traffic = trafficSince(watched.traffic(), trafficBefore);
  const window = { seconds, parts, partSeconds, memory, traffic };
  return heapBytes === undefined ? window : { ...window, heapBytes };
}

function difference(after: Activity, before: Activity): Activity {
  return {
    cpuMs: after.cpuMs - before.cpuMs,
    wakeUps: after.wakeUps - before.wakeUps,
    diskBytes: after.diskBytes - before.diskBytes,
  };
}

function trafficSince(after: Traffic, before: Traffic): Traffic {
  return {
    sentBytes: after.sentBytes - before.sentBytes,
    receivedBytes: after.receivedBytes - before.receivedBytes,
    messages: after.messages - before.messages,
    units: after.units - before.units,
    events: after.events - before.events,
  };
}

async function accelerated(
  watched: Watched,
  request: FootprintRequest,
): Promise<FootprintReply["accelerated"]> {
  const load = await startStandardLoad(request.speed);
  const curve: MemoryPoint[] = [];
  const startedMs = systemClock.monotonicMs();
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      const seconds = (systemClock.monotonicMs() - startedMs) / 1_000;
      curve.push({ seconds, rss: memoryOf(watched.child.pid ?? 0).rss });
      await systemClock.sleep(CURVE_STEP_MS);
    }
  })();
  const window = await watchWindow(watched, request.acceleratedSeconds);
  isOver = true;
  await sampling;
  await load.stop();
  return { ...window, curve, ...load.done };
}

async function measureProgram(
  { command, variables, scrapeUrl }: Program,
  request: FootprintRequest,
): Promise<FootprintReply> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: "ignore", env: { ...process.env, ...variables } });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const scrape = (): void => {
    if (scrapeUrl !== undefined) get(scrapeUrl, (answer) => answer.resume()).on("error", () => {});
  };
  const scraping = setInterval(scrape, SCRAPE_SECONDS * 1_000);
  try {
    await systemClock.sleep(request.settleSeconds * 1_000);
    const watched = { child, traffic: () => NO_TRAFFIC, heap: async () => undefined };
    const idle = await watchWindow(watched, request.idleSeconds);
    if (request.loadSeconds === 0) return { starts: [], idle };
    const load = await startStandardLoad(1);
    const underLoad = await watchWindow(watched, request.loadSeconds);
    await load.stop();
    return { starts: [], idle, load: underLoad };
  } finally {
    clearInterval(scraping);
    await endChild(child);
  }
}

async function measureAgent(
  transport: TransportName,
  folder: string,
  request: FootprintRequest,
): Promise<FootprintReply> {
  const stand = await openAgentStand(transport, folder);
  const startsMade: FootprintReply["starts"][number][] = [];
  let agent: ChildProcess | undefined;
  const restart = async (settings: Readonly<Record<string, string>>): Promise<Watched> => {
    if (agent !== undefined) await endChild(agent);
    const { child, connectedMs, firstEventMs } = await stand.start(settings);
    agent = child;
    startsMade.push({ connectedMs, firstEventMs });
    return { child, traffic: stand.traffic, heap: () => heapOf(child, folder) };
  };
  try {
    for (let start = 1; start < request.starts; start += 1) await restart({});
    const watched = await restart({});
    const starts = [...startsMade];
    await systemClock.sleep(request.settleSeconds * 1_000);
    const idle = await watchWindow(watched, request.idleSeconds);
    if (request.loadSeconds === 0) return { starts, idle };
    const load = await startStandardLoad(1);
    const underLoad = await watchWindow(watched, request.loadSeconds);
    await load.stop();
    if (request.acceleratedSeconds === 0) return { starts, idle, load: underLoad };
    const fast = await accelerated(await restart(settingsAt(request.speed)), request);
    return fast === undefined
      ? { starts, idle, load: underLoad }
      : { starts, idle, load: underLoad, accelerated: fast };
  } finally {
    if (agent !== undefined) await endChild(agent);
    await stand.close();
  }
}

/** The default intervals, as many times shorter. */
function settingsAt(speed: number): Readonly<Record<string, string>> {
  const entries = Object.entries(SETTINGS_AT_SPEED).map(([name, seconds]) => [
    name,
    `PT${Math.max(1, Math.round(seconds / speed))}S`,
  ]);
  return Object.fromEntries(entries);
}

async function main(): Promise<FootprintReply> {
  const request: FootprintRequest = JSON.parse(process.argv[2] ?? "{}");
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-footprint-"));
  try {
    execFileSync("ip", ["link", "set", "lo", "up"]);
    prepareGateway(folder);
    const { subject } = request;
    return subject.kind === "agent"
      ? await measureAgent(subject.transport, folder, request)
      : await measureProgram(subject.program, request);
  } finally {
    for (const name of ["passwd", "group", "shadow"]) execFileSync("umount", [`/etc/${name}`]);
    rmSync(folder, { recursive: true, force: true });
  }
}

main().then(
  (reply) => process.stdout.write(JSON.stringify(reply), () => process.exit(0)),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
