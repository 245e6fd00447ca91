/** The standard gateway load: what docs/benchmarks/standard-load.md defines. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { systemClock } from "../src/system/clock.ts";

/** What stands on the gateway, and what happens on it in a minute. */
export const STANDARD_LOAD = {
  processesPerMinute: 60,
  /** Half of them inbound, half outbound, TCP, a few milliseconds each. */
  connectionsPerMinute: 30,
  listeningSockets: 50,
  /** Outbound connections that stay open. */
  openConnections: 20,
  firewallRules: 100,
  users: 20,
} as const;

const GATEWAY = "10.99.0.1";
const PEER = "10.99.0.2";
const PEER_PORT = 9_090;
const GATEWAY_PORT = 8_080;
const FIRST_PORT = 20_000;

export interface RunningLoad {
  /** Since the load began. */
  readonly done: { readonly processes: number; readonly connections: number };
  stop(): Promise<void>;
}

/**
 * Puts accounts into the mount namespace and rules into the network namespace of this process, which must
 * be its own. `folder` holds the made files.
 */
export function prepareGateway(folder: string): void {
  const ids = Array.from({ length: STANDARD_LOAD.users }, (_, at) => at);
  const lines = {
    passwd: ids.map((id) => `op${id}:x:${2_000 + id}:${2_000 + id}::/home/op${id}:/bin/bash`),
    group: ids.map((id) => `op${id}:x:${2_000 + id}:`),
    shadow: ids.map((id) => `op${id}:!:19700:0:99999:7:::`),
  };
  for (const [name, added] of Object.entries(lines)) {
    const made = join(folder, name);
    const text = readFileSync(`/etc/${name}`, "utf8");
    writeFileSync(made, `${text}${added.join("\n")}\n`, { mode: 0o640 });
    execFileSync("mount", ["--bind", made, `/etc/${name}`]);
  }
  const rules = Array.from(
    { length: STANDARD_LOAD.firewallRules },
    (_, at) => `-A INPUT -s 192.0.2.${at}/32 -p tcp -m tcp --dport ${1_000 + at} -j ACCEPT`,
  );
  const text = ["*filter", ":INPUT ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
  execFileSync("iptables-restore", [], { input: text });
}

/**
 * Begins the load, `speed` times as fast as defined. Processes and inbound connections come from here and
 * from a peer in a network namespace of its own.
 */
export async function startStandardLoad(speed: number): Promise<RunningLoad> {
  const peer = await startPeer(speed);
  const servers = await listenAll();
  const open = await Promise.all(
    Array.from({ length: STANDARD_LOAD.openConnections }, () => dial(PEER, PEER_PORT)),
  );
  const done = { processes: 0, connections: 0 };
  const processes = every(60_000 / (STANDARD_LOAD.processesPerMinute * speed), () => {
    done.processes += 1;
    spawn("/bin/true", ["--job", String(done.processes % 12)], { stdio: "ignore" });
  });
  const connections = every((2 * 60_000) / (STANDARD_LOAD.connectionsPerMinute * speed), () => {
    done.connections += 2;
    dial(PEER, PEER_PORT).then(
      (socket) => socket.end("x"),
      () => undefined,
    );
  });
  return {
    done,
    async stop() {
      for (const repeated of [processes, connections]) repeated.cancel();
      for (const socket of open) socket.destroy();
      for (const server of servers) server.close();
      const ended = new Promise((resolve) => peer.once("close", resolve));
      peer.stdin?.end();
      await ended;
    },
  };
}

/** Calls back at a fixed rate; a late turn is made up for. */
function every(intervalMs: number, work: () => void): { cancel(): void } {
  const startMs = systemClock.monotonicMs();
  let count = 0;
  let isCancelled = false;
  const next = (): void => {
    if (isCancelled) return;
    count += 1;
    work();
    const dueMs = startMs + (count + 1) * intervalMs;
    systemClock.after(Math.max(0, dueMs - systemClock.monotonicMs()), next);
  };
  systemClock.after(intervalMs, next);
  return {
    cancel: () => {
      isCancelled = true;
    },
  };
}

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => resolve(socket));
    socket.on("error", reject);
    socket.resume();
  });
}

/** One answers the peer; the others only wait. */
function listenAll(): Promise<readonly Server[]> {
  const ports = Array.from(
    { length: STANDARD_LOAD.listeningSockets - 1 },
    (_, at) => FIRST_PORT + at,
  );
  return Promise.all(
    [GATEWAY_PORT, ...ports].map(
      (port) =>
        new Promise<Server>((resolve, reject) => {
          const server = createServer((socket) =>
            socket
              .on("error", () => undefined)
              .resume()
              .end(),
          );
          server.once("error", reject);
          server.listen(port, GATEWAY, () => resolve(server));
        }),
    ),
  );
}

/** Serves the gateway's connections and makes its own, until standard input ends. */
const PEER_PROGRAM = `
const net = require("node:net");
const quiet = () => {};
net.createServer((one) => one.on("error", quiet).resume()).listen(${PEER_PORT});
process.stdin.once("data", () => setInterval(() => {
  const one = net.connect(${GATEWAY_PORT}, "${GATEWAY}", () => one.end("x"));
  one.on("error", quiet).resume();
}, Number(process.argv[1])));
process.stdin.on("end", () => process.exit(0));
process.stdout.write("ready\\n");
`;

async function startPeer(speed: number): Promise<ChildProcess> {
  const intervalMs = (2 * 60_000) / (STANDARD_LOAD.connectionsPerMinute * speed);
  const command = [process.execPath, "-e", PEER_PROGRAM, String(intervalMs)];
  const peer = spawn("unshare", ["--net", ...command], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    peer.stdout?.once("data", () => resolve());
    peer.once("error", reject);
  });
  const pid = String(peer.pid);
  const ip = (...words: readonly string[]): unknown => execFileSync("ip", [...words]);
  const far = (...words: readonly string[]): unknown =>
    execFileSync("nsenter", ["-t", pid, "-n", "ip", ...words]);
  ip("link", "add", "gw0", "type", "veth", "peer", "name", "gw1", "netns", pid);
  ip("addr", "add", `${GATEWAY}/24`, "dev", "gw0");
  ip("link", "set", "gw0", "up");
  far("addr", "add", `${PEER}/24`, "dev", "gw1");
  far("link", "set", "gw1", "up");
  far("link", "set", "lo", "up");
  peer.stdin?.write("go\n");
  return peer;
}
