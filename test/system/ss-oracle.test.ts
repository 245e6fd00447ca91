/** Holds both sources of listening sockets against `ss -lntu`, on sockets opened here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createSocket, type Socket, type SocketOptions } from "node:dgram";
import { once } from "node:events";
import { createConnection, createServer, type ListenOptions, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { after, before, describe, it } from "node:test";
import type { SocketList } from "../../src/contract/probe.ts";
import { canonicalAddress } from "../../src/parse/addresses.ts";
import { createProbe } from "../../src/system/probe.ts";
import { loadNetlink } from "./load-netlink.ts";

/** How often the three are read until nothing changed on the machine between first and last. */
const MOST_ATTEMPTS = 20;

const ss = spawnSync("ss", ["-V"], { encoding: "utf8" });
const noSs = ss.status === 0 ? false : "ss (iproute2) is not installed";
const netlink = loadNetlink();
const noNetlink = netlink.ok ? noSs : `koffi is not usable here: ${netlink.problem.detail}`;

/** `udp 127.0.0.53 53` of every line of ss, sorted; one entry per socket, repeats included. */
function fromSs(): readonly string[] {
  const run = spawnSync("ss", ["-lntu", "-H"], { encoding: "utf8", timeout: 10_000 });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [protocol = "", , , , local = ""] = line.trim().split(/\s+/);
      const [, address = "", port = ""] = /^(.*):(\d+)$/.exec(local) ?? [];
      // ss writes * for the IPv6 wildcard of a socket that takes IPv4 too, and adds %interface.
      const bare = address.replace(/%[^\]]*/, "").replace(/[[\]]/g, "");
      const canonical = bare === "*" ? "::" : canonicalAddress(bare);
      assert.ok(canonical !== undefined && port !== "", `ss printed ${line}`);
      return `${protocol} ${canonical} ${port}`;
    })
    .sort();
}

function fromList(list: SocketList): readonly string[] {
  return list.sockets
    .map((socket) => `${socket.protocol} ${socket.localAddress} ${socket.localPort}`)
    .sort();
}

const tcpServers: Server[] = [];
const udpSockets: Socket[] = [];
const opened: string[] = [];
const hidden: string[] = [];
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some((address) => address.family === "IPv6"),
);

async function openTcp(options: ListenOptions, address: string): Promise<number> {
  const server = createServer();
  tcpServers.push(server);
  server.listen({ port: 0, ...options });
  await once(server, "listening");
  const bound = server.address();
  assert.ok(bound !== null && typeof bound !== "string");
  opened.push(`tcp ${address} ${bound.port}`);
  return bound.port;
}

async function openUdp(options: SocketOptions, address: string, port = 0): Promise<number> {
  const socket = createSocket(options);
  udpSockets.push(socket);
  socket.bind(port, address);
  await once(socket, "listening");
  opened.push(`udp ${address} ${socket.address().port}`);
  return socket.address().port;
}

async function connectUdp(toPort: number): Promise<void> {
  const socket = createSocket("udp4");
  udpSockets.push(socket);
  socket.connect(toPort, "127.0.0.1");
  await once(socket, "connect");
  hidden.push(`udp 127.0.0.1 ${socket.address().port}`);
}

async function connectTcp(toPort: number): Promise<void> {
  const client = createConnection(toPort, "127.0.0.1");
  await once(client, "connect");
  hidden.push(`tcp 127.0.0.1 ${client.localPort}`);
  after(() => client.destroy());
}

before(async () => {
  const tcpPort = await openTcp({ host: "127.0.0.1" }, "127.0.0.1");
  await openTcp({ host: "127.1.2.3" }, "127.1.2.3");
  await openTcp({ host: "0.0.0.0" }, "0.0.0.0");
  const udpPort = await openUdp({ type: "udp4" }, "127.0.0.1");
  await openUdp({ type: "udp4" }, "0.0.0.0");
  // Two sockets on one port, as servers with several workers have them.
  const shared = await openUdp({ type: "udp4", reuseAddr: true }, "127.0.0.1");
  await openUdp({ type: "udp4", reuseAddr: true }, "127.0.0.1", shared);
  await connectUdp(udpPort);
  await connectTcp(tcpPort);
  if (!hasIpv6) return;
  await openTcp({ host: "::1" }, "::1");
  await openTcp({ host: "::" }, "::");
  await openTcp({ host: "::", ipv6Only: true }, "::");
  await openTcp({ host: "::ffff:127.0.0.1" }, "::ffff:127.0.0.1");
  await openUdp({ type: "udp6" }, "::1");
  await openUdp({ type: "udp6" }, "::");
  await openUdp({ type: "udp6", ipv6Only: true }, "::");
});

after(() => {
  for (const server of tcpServers) server.close();
  for (const socket of udpSockets) socket.close();
});

function agreesWithSs(socketSource: "auto" | "proc_net", expected: SocketList["source"]): void {
  const probe = createProbe({ root: "/", socketSource });
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const earlier = fromSs();
    const list = probe.listeningSockets();
    const later = fromSs();
    assert.ok(list.ok, list.ok ? "" : list.problem.detail);
    assert.equal(list.value.source, expected);
    assert.equal(list.value.problems, undefined);
    if (earlier.join() !== later.join() && attempt < MOST_ATTEMPTS) continue;
    const found = fromList(list.value);
    assert.deepEqual(found, later);
    for (const socket of opened) assert.ok(found.includes(socket), `${socket} is missing`);
    for (const socket of hidden) assert.ok(!found.includes(socket), `${socket} is connected`);
    return;
  }
}

describe("listening sockets", () => {
  it("of sock_diag are those of ss, one by one", { skip: noNetlink }, () => {
    agreesWithSs("auto", "sock_diag");
  });

  it("of /proc/net are those of ss, one by one", { skip: noSs }, () => {
    agreesWithSs("proc_net", "proc_net");
  });

  it("have the same owner and inode in both sources", { skip: noNetlink }, () => {
    const describeAll = (socketSource: "auto" | "proc_net"): readonly string[] => {
      const list = createProbe({ root: "/", socketSource }).listeningSockets();
      assert.ok(list.ok);
      return list.value.sockets
        .filter((socket) => socket.userId === process.getuid?.())
        .filter((socket) =>
          opened.includes(`${socket.protocol} ${socket.localAddress} ${socket.localPort}`),
        )
        .map((socket) => JSON.stringify({ ...socket, interfaceIndex: 0 }))
        .sort();
    };
    const kernel = describeAll("auto");
    assert.equal(kernel.length, opened.length);
    assert.deepEqual(kernel, describeAll("proc_net"));
  });
});
