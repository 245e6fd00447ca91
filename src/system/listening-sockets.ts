import { endianness } from "node:os";
import type { Clock } from "../contract/clock.ts";
import type { AddressFamily, SocketFacts, SocketList } from "../contract/probe.ts";
import { fail, ok, type Problem, type Result } from "../contract/result.ts";
import { inetDiagRequest, parseInetDiag, STATE_CLOSE, STATE_LISTEN } from "../parse/inet-diag.ts";
import { parseProcNet } from "../parse/proc-net.ts";
import { NETLINK_PROTOCOLS, type Netlink, type NetlinkSocket } from "./netlink.ts";
import { problemOfErrno } from "./system-problem.ts";

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

/** A dump is kernel memory being copied: it takes microseconds, so this only bounds a broken kernel. */
const DUMP_DEADLINE_MS = 2_000;
const MOST_SOCKETS = 100_000;
/** How often a dump that the kernel calls inconsistent is asked for again. */
const MOST_ATTEMPTS = 3;

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

interface DumpOptions {
  readonly clock: Clock;
  readonly firstSequence: number;
}

function dumpTable(
  socket: NetlinkSocket,
  table: Table,
  options: DumpOptions,
): Result<readonly SocketFacts[]> {
  let last: Dump = { sockets: [], isInterrupted: false };
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
    const dumped = dumpOnce(socket, table, {
      clock: options.clock,
      firstSequence: options.firstSequence + attempt,
    });
    if (!dumped.ok) return dumped;
    last = dumped.value;
    if (!last.isInterrupted) break;
  }
  // A table that changes during every dump is a busy machine: the last answer is the best there is.
  return ok(last.sockets);
}

interface Dump {
  readonly sockets: readonly SocketFacts[];
  readonly isInterrupted: boolean;
}

function dumpOnce(socket: NetlinkSocket, table: Table, options: DumpOptions): Result<Dump> {
  const { clock, firstSequence: sequence } = options;
  const { protocol, family } = table;
  const subject = `sock_diag ${table.file}`;
  const context = { protocol, sequence, endianness: endianness() };
  const states = [LISTENING_STATE[protocol]];
  const sent = socket.send(inetDiagRequest({ ...context, family, states }));
  if (!sent.ok) return sent;
  const endMs = clock.monotonicMs() + DUMP_DEADLINE_MS;
  const sockets: SocketFacts[] = [];
  let isInterrupted = false;
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) return fail("timed-out", subject, `no end within ${DUMP_DEADLINE_MS} ms`);
    const received = socket.receive(leftMs);
    if (!received.ok) return received;
    if (received.value.kind === "nothing") continue;
    if (received.value.kind === "overrun") return fail("too-large", subject, "replies were lost");
    const reply = parseInetDiag(received.value.bytes, context);
    isInterrupted ||= reply.isInterrupted;
    for (const found of reply.sockets) sockets.push(found);
    if (sockets.length > MOST_SOCKETS) {
      return fail("too-large", subject, `more than ${MOST_SOCKETS} sockets`);
    }
    if (reply.outcome === "done") return ok({ sockets, isInterrupted });
    if (reply.outcome === "error") return problemOfErrno(reply.errorNumber, subject, "dump");
    if (reply.outcome === "overrun") return fail("too-large", subject, "replies were lost");
    if (reply.outcome === "malformed") return fail("malformed", subject, "reply is not netlink");
  }
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
