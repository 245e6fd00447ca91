/**
 * Runs inside one network namespace and obeys `test-bed.ts`: one JSON request per line on stdin, one JSON
 * answer per line on stdout. Ends when stdin ends.
 *
 * Requests: `listen` (ports), `probe` (probes to send), `abort` (close what is open), `collect` (what arrived
 * since the last time), `run` (programs inside the namespace).
 */
import { spawn } from "node:child_process";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Arrival, DriverRequest, Probe, ProgramCall, ProgramEnd } from "./driver-protocol.ts";

let arrivals: Arrival[] = [];
const open = new Set<Socket | DatagramSocket>();

async function listenOn(port: number): Promise<void> {
  const server = createServer((socket) => {
    if (socket.remotePort !== undefined)
      arrivals.push({ protocol: "tcp", sourcePort: socket.remotePort, port });
    socket.on("error", () => {});
    socket.resetAndDestroy();
  });
  server.listen({ port, host: "::", backlog: 128 });
  await once(server, "listening");
  const datagrams = createSocket({ type: "udp6", ipv6Only: false });
  datagrams.on("message", (_message, from) =>
    arrivals.push({ protocol: "udp", sourcePort: from.port, port }),
  );
  datagrams.bind({ port, address: "::" });
  await once(datagrams, "listening");
}

/**
 * Connections whose SYN arrived and whose ACK did not: a listener never accepts these, although the packet
 * was let in. State 03 is TCP_SYN_RECV. Source: include/net/tcp_states.h, proc_net_tcp(5).
 */
function halfOpen(): Arrival[] {
  const found: Arrival[] = [];
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(file, "latin1").split("\n").slice(1)) {
      const [, local, remote, state] = line.trim().split(/\s+/);
      if (state !== "03" || local === undefined || remote === undefined) continue;
      const [port, sourcePort] = [local, remote].map((side) =>
        Number.parseInt(side.slice(side.lastIndexOf(":") + 1), 16),
      );
      if (port !== undefined && sourcePort !== undefined)
        found.push({ protocol: "tcp", sourcePort, port });
    }
  }
  return found;
}

/** Two turns of the loop, so that datagrams and connections that the kernel holds ready are taken first. */
async function collect(): Promise<Arrival[]> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const taken = [...arrivals, ...halfOpen()];
  arrivals = [];
  return taken;
}

function sendTcp(probe: Probe): Promise<void> {
  const socket = connect({
    host: probe.destination,
    port: probe.port,
    localAddress: probe.source,
    localPort: probe.sourcePort,
  });
  open.add(socket);
  socket.on("error", () => {});
  // A rejected or an established connection ends the wait; an unanswered one must not hold up the others.
  return Promise.resolve();
}

async function sendUdp(probe: Probe): Promise<void> {
  const socket = createSocket(probe.source.includes(":") ? "udp6" : "udp4");
  open.add(socket);
  socket.on("error", () => {});
  socket.bind({ address: probe.source, port: probe.sourcePort });
  await once(socket, "listening");
  await new Promise((resolve) =>
    socket.send("probe", probe.port, probe.destination, () => resolve(undefined)),
  );
}

async function abort(): Promise<void> {
  await Promise.all(
    [...open].map((socket) => {
      const closed = once(socket, "close");
      if ("resetAndDestroy" in socket) {
        if (socket.destroyed) return undefined;
        socket.destroy();
      } else socket.close();
      return closed;
    }),
  );
  open.clear();
}

function runProgram(call: ProgramCall): Promise<ProgramEnd> {
  return new Promise((resolve) => {
    const child = spawn(call.file, [...call.args], { stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", (cause) => resolve({ exitCode: -1, stdout, stderr: String(cause) }));
    child.on("close", (exitCode) => resolve({ exitCode: exitCode ?? -1, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(call.stdin ?? "");
  });
}

async function runPrograms(calls: readonly ProgramCall[]): Promise<ProgramEnd[]> {
  const ends: ProgramEnd[] = [];
  for (const call of calls) ends.push(await runProgram(call));
  return ends;
}

async function answer(request: DriverRequest): Promise<unknown> {
  switch (request.command) {
    case "listen":
      await Promise.all(request.ports.map(listenOn));
      return null;
    case "probe":
      await Promise.all(
        request.probes.map((probe) => (probe.protocol === "tcp" ? sendTcp(probe) : sendUdp(probe))),
      );
      return null;
    case "abort":
      return abort();
    case "collect":
      return collect();
    case "run":
      return runPrograms(request.calls);
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    // The test bed is the only writer and shares the type.
    const request = JSON.parse(line) as DriverRequest & { readonly id: number };
    answer(request).then(
      (value) => process.stdout.write(`${JSON.stringify({ id: request.id, value })}\n`),
      (cause) =>
        process.stdout.write(`${JSON.stringify({ id: request.id, error: String(cause) })}\n`),
    );
  })
  .on("close", () => process.exit(0));
