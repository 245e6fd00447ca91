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

/** What `ss -l` calls listening: TCP in LISTEN, UDP that is bound and not connected. Source: ss(8). */
const LISTENING_STATE = { tcp: STATE_LISTEN, udp: STATE_CLOSE } as const;

const MOST_SOCKETS = 100_000;

/**
 * Listening sockets through sock_diag. Errors: `unsupported` when the kernel lacks the interface (ask
 * `socketsFromTables` then), `timed-out`, `too-large` above 100,000 sockets. Source: sock_diag(7).
 */
export function socketsFromKernel(netlink: Netlink, clock: Clock): Result<SocketList> {
  const opened = netlink.open(NETLINK_PROTOCOLS.sockDiag);
  if (!opened.ok) return opened;
  const socket = opened.value;
  try {
    const sockets: SocketFacts[] = [];
    for (const [at, table] of TABLES.entries()) {
      const dumped = dumpTable(socket, table, { clock, firstSequence: at * MOST_ATTEMPTS + 1 });
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
  asking: Pick<DumpOptions<SocketFacts>, "clock" | "firstSequence">,
): Result<readonly SocketFacts[]> {
  const context = { protocol, endianness: endianness() };
  const states = [LISTENING_STATE[protocol]];
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
 * Listening sockets from the text of the four tables of proc_net(5), written by a machine of that byte
 * order. A missing IPv6 table means a kernel without IPv6; any other failure is the result. Lines that
 * are no sockets are in `problems`.
 */
export function socketsFromTables(
  readTable: ReadTable,
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
      if (found.state === LISTENING_STATE[protocol]) sockets.push(found);
    }
    problems.push(...parsed.problems);
  }
  return ok({ source: "proc_net", sockets, ...(problems.length === 0 ? {} : { problems }) });
}

function isAbsentFamily(family: AddressFamily, problem: Problem): boolean {
  return family === "ipv6" && problem.code === "not-found";
}
