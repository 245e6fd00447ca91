import { endianness } from "node:os";
import type { Clock } from "../contract/clock.ts";
import type { AddressFamily, SocketFacts, SocketList } from "../contract/probe.ts";
import { ok, type Problem, type Result } from "../contract/result.ts";
import { inetDiagRequest, parseInetDiag, STATE_CLOSE, STATE_LISTEN } from "../parse/inet-diag.ts";
import { parseProcNet } from "../parse/proc-net.ts";
import { NETLINK_PROTOCOLS, type Netlink, type NetlinkSocket } from "./netlink.ts";
import { type DumpOptions, dumpNetlink, MOST_ATTEMPTS } from "./netlink-dump.ts";

/** The four tables, in the order of the answer. */
const TABLES = [
  { protocol: "tcp", family: "ipv4", file: "tcp" },
  { protocol: "tcp", family: "ipv6", file: "tcp6" },
  { protocol: "udp", family: "ipv4", file: "udp" },
  { protocol: "udp", family: "ipv6", file: "udp6" },
] as const;
type Table = (typeof TABLES)[number];

/**
 * `listening` is what `ss -l` calls so: TCP in LISTEN, UDP that is bound and not connected. `connected` is
 * what has a peer: every other state of TCP but TIME_WAIT, UDP that is connected. Source: ss(8), tcp_states.h.
 */
export type SocketKind = "listening" | "connected";
const STATES: Readonly<Record<SocketKind, Readonly<Record<"tcp" | "udp", readonly number[]>>>> = {
  listening: { tcp: [STATE_LISTEN], udp: [STATE_CLOSE] },
  connected: { tcp: [1, 2, 3, 4, 5, 8, 9, 11, 12], udp: [1] },
};

const MOST_SOCKETS = 100_000;

/**
 * Sockets of one kind through sock_diag. Errors: `unsupported` when the kernel lacks the interface (ask
 * `socketsFromTables` then), `timed-out`, `too-large` above 100,000 sockets. Source: sock_diag(7).
 */
export function socketsFromKernel(
  netlink: Netlink,
  clock: Clock,
  kind: SocketKind,
): Result<SocketList> {
  const opened = netlink.open(NETLINK_PROTOCOLS.sockDiag);
  if (!opened.ok) return opened;
  const socket = opened.value;
  try {
    const sockets: SocketFacts[] = [];
    for (const [at, table] of TABLES.entries()) {
      const asking = { clock, firstSequence: at * MOST_ATTEMPTS + 1 };
      const dumped = dumpTable(socket, table, STATES[kind][table.protocol], asking);
      if (!dumped.ok) return dumped;
      for (const found of dumped.value) sockets.push(found);
    }
    return ok({ source: "sock_diag", sockets });
  } finally {
    socket.close();
  }
}

function dumpTable(
  socket: NetlinkSocket,
  { protocol, family, file }: Table,
  states: readonly number[],
  asking: Pick<DumpOptions<SocketFacts>, "clock" | "firstSequence">,
): Result<readonly SocketFacts[]> {
  const context = { protocol, endianness: endianness() };
  return dumpNetlink({
    ...asking,
    socket,
    subject: `sock_diag ${file}`,
    mostItems: MOST_SOCKETS,
    noun: "sockets",
    request: (sequence) => inetDiagRequest({ ...context, family, states, sequence }),
    read(bytes, sequence) {
      const { sockets, skipped, ...reply } = parseInetDiag(bytes, { ...context, sequence });
      return { ...reply, items: sockets, messages: sockets.length + skipped };
    },
  });
}

/** Reads one table of the folder of tables, such as `tcp6`. */
export type ReadTable = (file: string) => Result<string>;

/**
 * Sockets of one kind from the text of the four tables of proc_net(5), written by a machine of that byte
 * order. A missing IPv6 table means a kernel without IPv6; any other failure is the result. Lines that
 * are no sockets are in `problems`.
 */
export function socketsFromTables(
  readTable: ReadTable,
  kind: SocketKind,
  writtenBy: "LE" | "BE" = endianness(),
): Result<SocketList> {
  const sockets: SocketFacts[] = [];
  const problems: Problem[] = [];
  for (const { protocol, family, file } of TABLES) {
    const text = readTable(file);
    if (!text.ok) {
      if (isAbsentFamily(family, text.problem)) continue;
      return text;
    }
    const parsed = parseProcNet(text.value, {
      protocol,
      family,
      endianness: writtenBy,
      subject: `/proc/net/${file}`,
    });
    for (const found of parsed.sockets) {
      if (STATES[kind][protocol].includes(found.state)) sockets.push(found);
    }
    problems.push(...parsed.problems);
  }
  return ok({ source: "proc_net", sockets, ...(problems.length === 0 ? {} : { problems }) });
}

function isAbsentFamily(family: AddressFamily, problem: Problem): boolean {
  return family === "ipv6" && problem.code === "not-found";
}
