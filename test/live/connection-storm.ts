/** Short connections between two network namespaces, and what the collector of one of them says. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { linesOf } from "./child-lines.ts";

export interface StormOptions {
  /** Connections of each direction. */
  readonly count: number;
  /** Rules that track connections are in force on the gateway. */
  readonly isTracked: boolean;
  /** Programs that watch on the gateway as well; they are ended with SIGINT. */
  readonly beside?: readonly (readonly string[])[];
}

/** What a watching program did. */
export interface Beside {
  readonly command: readonly string[];
  readonly cpuMs: number;
  /** Lines that it wrote. */
  readonly lines: number;
}

export interface Seen {
  readonly RemoteAddress: string;
  readonly RemotePort: string;
  readonly LocalAddress: string;
  readonly LocalPort: string;
  readonly Direction: "In" | "Out";
  readonly ProcessId: number;
  readonly ExtraDetails: Readonly<Record<string, string>>;
}

export interface Storm {
  /** What was done, as the gateway sees it, by direction. */
  readonly done: { readonly In: readonly string[]; readonly Out: readonly string[] };
  readonly processIds: { readonly In: number; readonly Out: number };
  readonly seen: readonly Seen[];
  readonly losses: Readonly<Record<string, number>>;
  /** From the first connection to the last. */
  readonly tookMs: number;
  /** Of the collector's process during the storm, writing a line for each connection included. */
  readonly workerCpuMs: number;
  readonly beside: readonly Beside[];
}

const GATEWAY = { v4: "10.99.0.1", v6: "fd99::1" };
const PEER = { v4: "10.99.0.2", v6: "fd99::2" };

export function skipReason(): string | false {
  if (process.getuid?.() !== 0) return "only root makes network namespaces";
  if (spawnSync("ip", ["netns", "list"]).status !== 0) return "ip netns does not work here";
  if (spawnSync("nft", ["--version"]).status !== 0) return "nft is not installed";
  return false;
}

function start(namespace: string, script: string, ...args: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const node = [process.execPath, "--import", "tsx", path];
  const child = spawn("ip", ["netns", "exec", namespace, ...node, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdout?.setEncoding("utf8");
  return child;
}

async function closed(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdin?.end();
  await ended;
}

function connectTwo(gateway: string, peer: string, isTracked: boolean): void {
  const sh = (namespace: string, command: string): void => {
    execFileSync("ip", ["netns", "exec", namespace, "sh", "-c", command]);
  };
  for (const name of [gateway, peer]) execFileSync("ip", ["netns", "add", name]);
  execFileSync("ip", [
    ...["link", "add", "eth0", "netns", gateway, "type", "veth"],
    ...["peer", "name", "eth0", "netns", peer],
  ]);
  for (const [name, { v4, v6 }] of [
    [gateway, GATEWAY],
    [peer, PEER],
  ] as const) {
    sh(name, `ip addr add ${v4}/24 dev eth0 && ip addr add ${v6}/64 dev eth0 nodad`);
    sh(name, "ip link set lo up && ip link set eth0 up");
    sh(name, "echo 15000 64000 > /proc/sys/net/ipv4/ip_local_port_range");
  }
  if (isTracked) {
    sh(
      gateway,
      "nft add table inet t && nft add chain inet t i '{ type filter hook input priority 0; }'",
    );
    sh(gateway, "nft add rule inet t i ct state invalid drop");
  }
}

/** Runs one storm in namespaces of its own, which are gone afterwards. */
export async function runStorm(options: StormOptions): Promise<Storm> {
  const { count, isTracked } = options;
  const gateway = `gwstorm${process.pid}`;
  const peer = `gwpeer${process.pid}`;
  connectTwo(gateway, peer, isTracked);
  const children: ChildProcess[] = [];
  const run = (...args: Parameters<typeof start>): ChildProcess => {
    const child = start(...args);
    children.push(child);
    return child;
  };
  try {
    const ownServer = run(gateway, "tcp-peer.ts", "serve", "8080");
    const farServer = run(peer, "tcp-peer.ts", "serve", "9090");
    const served = JSON.parse(await linesOf(ownServer).next());
    await linesOf(farServer).next();
    const worker = run(gateway, "watch-worker.ts", "connections");
    const said = linesOf(worker);
    await said.next();
    const watchers = (options.beside ?? []).map((command) => watchBeside(gateway, command));
    children.push(...watchers.map(({ child }) => child));
    if (watchers.length > 0) await new Promise((resolve) => setTimeout(resolve, 1_000));
    const cpuBeforeMs = cpuMsOf(worker);
    const startedMs = performance.now();
    const ownClient = run(
      gateway,
      "tcp-peer.ts",
      "connect",
      "9090",
      String(count),
      PEER.v4,
      PEER.v6,
    );
    const farClient = run(
      peer,
      "tcp-peer.ts",
      "connect",
      "8080",
      String(count),
      GATEWAY.v4,
      GATEWAY.v6,
    );
    const [out, into] = await Promise.all(
      [ownClient, farClient].map(async (child) => JSON.parse(await linesOf(child).next())),
    );
    const tookMs = performance.now() - startedMs;
    // Ends are told by a worker of the kernel, and gathered by the collector.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const workerCpuMs = cpuMsOf(worker) - cpuBeforeMs;
    const beside = await Promise.all(watchers.map(({ end }) => end()));
    await closed(worker);
    const lines = said.all.map((line) => JSON.parse(line));
    return {
      done: { Out: out.tuples, In: into.tuples.map(turned) },
      processIds: { Out: out.processId, In: served.processId },
      seen: lines.filter((line) => "Direction" in line),
      losses: lines.at(-1).losses,
      tookMs,
      workerCpuMs,
      beside,
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    for (const name of [gateway, peer]) spawnSync("ip", ["netns", "delete", name]);
  }
}

interface Watcher {
  readonly child: ChildProcess;
  end(): Promise<Beside>;
}

function watchBeside(namespace: string, command: readonly string[]): Watcher {
  const child = spawn("ip", ["netns", "exec", namespace, ...command], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let lines = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 10) lines += 1;
  });
  return {
    child,
    async end() {
      const cpuMs = cpuMsOf(child);
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGINT");
      await ended;
      return { command, cpuMs, lines };
    },
  };
}

/** CPU of all threads of a process. Source: Documentation/scheduler/sched-stats.rst, schedstat. */
function cpuMsOf({ pid }: ChildProcess): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8");
    return sum + Number(text.split(" ")[0]) / 1e6;
  }, 0);
}

/** The same connection as the other side sees it. */
function turned(tuple: string): string {
  const [localAddress, localPort, remoteAddress, remotePort] = tuple.split(" ");
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** A datagram each way over tracked UDP, and what the collector of the gateway says of it. */
export async function runUdp(): Promise<{
  readonly seen: readonly Seen[];
  readonly processIds: { readonly In: number; readonly Out: number };
}> {
  const gateway = `gwudp${process.pid}`;
  const peer = `gwudpfar${process.pid}`;
  connectTwo(gateway, peer, true);
  const children: ChildProcess[] = [];
  const run = async (...args: Parameters<typeof start>) => {
    const child = start(...args);
    children.push(child);
    const lines = linesOf(child);
    return { child, lines, first: JSON.parse(await lines.next()) };
  };
  try {
    const server = await run(gateway, "udp-peer.ts", "bind", "5300");
    const worker = await run(gateway, "watch-worker.ts", "connections");
    await run(peer, "udp-peer.ts", "send", "5300", GATEWAY.v4);
    const client = await run(gateway, "udp-peer.ts", "send", "53", PEER.v6);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await closed(worker.child);
    return {
      seen: worker.lines.all.map((line) => JSON.parse(line)).filter((line) => "Direction" in line),
      processIds: { In: server.first.processId, Out: client.first.processId },
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    for (const name of [gateway, peer]) spawnSync("ip", ["netns", "delete", name]);
  }
}
