/**
 * Times snapshots of a collector in this process, and programs and packages that tell the same:
 *
 *   driver.cjs REQUEST    prints a DriverReply; REQUEST is a DriverRequest as JSON
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import si from "systeminformation";
import { firewall } from "../../collectors/firewall/index.ts";
import { listeningPorts } from "../../collectors/listening-ports/index.ts";
import { snapshotContext } from "../../src/cli/snapshot-context.ts";
import type { Collector, CollectorContext } from "../../src/contract/collector.ts";
import type { Probe } from "../../src/contract/probe.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createProbe } from "../../src/system/probe.ts";
import type { DriverReply, DriverRequest, Timing } from "./driver-contract.ts";

const COLLECTORS: Readonly<Record<string, Collector>> = { listeningPorts, firewall };
const PACKAGES: Readonly<Record<string, () => Promise<unknown>>> = {
  "systeminformation.networkConnections()": () => si.networkConnections(),
  "systeminformation.processes()": () => si.processes(),
};
/** systeminformation answers from its last result when it is asked again sooner. */
const PACKAGE_REST_MS = 600;
const WARM_UP_CALLS = 10;

async function main(): Promise<DriverReply> {
  const request: DriverRequest = JSON.parse(process.argv[2] ?? "{}");
  const collector = COLLECTORS[request.collector];
  if (collector === undefined) throw new Error(`no collector ${request.collector}`);
  const probe = createProbe({ root: "/" });
  // The agent makes these once, not at each snapshot.
  const context = snapshotContext({
    probe,
    settings: settingsOf(collector, request.settings),
    signal: new AbortController().signal,
  });
  let items = 0;
  const look = async (through: Probe): Promise<void> => {
    items = await collect(collector, { ...context, probe: through });
  };
  const [first = NONE] = await timed(1, () => look(probe));
  // More before the figures count: compilers and caches have their fill.
  if (request.repetitions > 0) await timed(WARM_UP_CALLS, () => look(probe));
  const warm: Timing[] = [];
  const empty: Timing[] = [];
  const peers = request.peers.map(startPeer).filter((peer) => peer.isHere);
  // In turns, so that other work on the machine meets all of them alike.
  for (let round = 0; round < request.repetitions; round += 1) {
    warm.push(...(await timed(1, () => look(probe))));
    empty.push(...(await timed(1, () => look(createProbe({ root: "/" })))));
    for (const peer of peers) await peer.run();
  }
  return {
    items,
    first,
    warm,
    empty,
    peers: Object.fromEntries(peers.map((peer) => peer.result())),
  };
}

const NONE: Timing = { ms: 0, cpuMs: 0 };

function settingsOf(collector: Collector, changes: object): unknown {
  const defaults = collector.settings.defaults();
  return typeof defaults === "object" ? { ...defaults, ...changes } : defaults;
}

async function collect(collector: Collector, context: CollectorContext<unknown>): Promise<number> {
  if (collector.mode !== "snapshot") return 0;
  const snapshot = await collector.collect(context);
  return snapshot.events.reduce((sum, event) => sum + event.payload.length, 0);
}

async function timed(times: number, work: () => Promise<unknown>): Promise<readonly Timing[]> {
  const timings: Timing[] = [];
  for (let run = 0; run < times; run += 1) {
    const childrenMs = childCpuMs();
    const before = process.cpuUsage();
    const startedMs = systemClock.monotonicMs();
    await work();
    const ms = systemClock.monotonicMs() - startedMs;
    const { user, system } = process.cpuUsage(before);
    timings.push({ ms, cpuMs: (user + system) / 1_000 + childCpuMs() - childrenMs });
  }
  return timings;
}

interface Peer {
  readonly isHere: boolean;
  run(): Promise<void>;
  result(): readonly [string, readonly Timing[]];
}

/** A program, or a function of a package, which is timed like a warm snapshot. */
function startPeer(command: readonly string[]): Peer {
  const [file = "", ...args] = command;
  const name = command.join(" ");
  const inside = PACKAGES[file];
  const timings: Timing[] = [];
  if (inside !== undefined) return startPackage(name, inside);
  const start = (): boolean => spawnSync(file, args, { stdio: "ignore" }).error === undefined;
  return {
    isHere: start(),
    async run() {
      const cpuBeforeMs = childCpuMs();
      const startedMs = systemClock.monotonicMs();
      start();
      const ms = systemClock.monotonicMs() - startedMs;
      timings.push({ ms, cpuMs: childCpuMs() - cpuBeforeMs });
    },
    // The kernel tells the time of ended children in hundredths of a second: only their mean is known.
    result: () => [name, timings.map(({ ms }) => ({ ms, cpuMs: meanCpuMs(timings) }))],
  };
}

/** A package may throw out of reach, as where it makes a command line too long: it then has no figures. */
function startPackage(name: string, inside: () => Promise<unknown>): Peer {
  const timings: Timing[] = [];
  let hasFailed = false;
  return {
    isHere: true,
    async run() {
      if (hasFailed) return;
      await systemClock.sleep(PACKAGE_REST_MS);
      let fail = (_error: unknown): void => undefined;
      const failure = new Promise<never>((_resolve, reject) => {
        fail = reject;
      });
      process.once("uncaughtException", fail);
      try {
        timings.push(...(await timed(1, () => Promise.race([inside(), failure]))));
      } catch {
        hasFailed = true;
        timings.length = 0;
      } finally {
        process.off("uncaughtException", fail);
      }
    },
    result: () => [name, timings],
  };
}

function meanCpuMs(timings: readonly Timing[]): number {
  return timings.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / timings.length;
}

/** CPU time of ended children, in steps of 10 ms. Source: proc_pid_stat(5), cutime and cstime. */
function childCpuMs(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

main().then(
  (reply) => process.stdout.write(JSON.stringify(reply), () => process.exit(0)),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
