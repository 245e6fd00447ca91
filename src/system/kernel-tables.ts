import { endianness } from "node:os";
import type { Clock } from "../contract/clock.ts";
import type { KernelTable } from "../contract/firewall-source.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { readDatagram } from "../parse/netlink-message.ts";
import { tableOf, tablesRequest } from "../parse/nf-tables.ts";
import { NETLINK_PROTOCOLS, type Netlink, type NetlinkSocket } from "./netlink.ts";
import { problemOfErrno } from "./system-problem.ts";

const DUMP_DEADLINE_MS = 2_000;
const MOST_TABLES = 10_000;
const MOST_ATTEMPTS = 3;

/**
 * Tables of nftables, those of iptables-nft included. Errors: `not-permitted` without CAP_NET_ADMIN;
 * `unsupported` where the kernel has no nftables; `timed-out`. Source: linux/netfilter/nf_tables.h.
 */
export function kernelTables(netlink: Netlink, clock: Clock): Result<readonly KernelTable[]> {
  const opened = netlink.open(NETLINK_PROTOCOLS.netfilter);
  if (!opened.ok) return opened;
  const socket = opened.value;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const dumped = dumpTables(socket, clock, attempt);
      if (!dumped.ok || !dumped.value.isInterrupted || attempt === MOST_ATTEMPTS) {
        return dumped.ok ? ok(dumped.value.tables) : dumped;
      }
    }
  } finally {
    socket.close();
  }
}

interface Dump {
  readonly tables: readonly KernelTable[];
  readonly isInterrupted: boolean;
}

function dumpTables(socket: NetlinkSocket, clock: Clock, sequence: number): Result<Dump> {
  const subject = "nf_tables";
  const sent = socket.send(tablesRequest(sequence, endianness()));
  if (!sent.ok) return sent;
  const endMs = clock.monotonicMs() + DUMP_DEADLINE_MS;
  const tables: KernelTable[] = [];
  let isInterrupted = false;
  for (;;) {
    const leftMs = endMs - clock.monotonicMs();
    if (leftMs <= 0) return fail("timed-out", subject, `no end within ${DUMP_DEADLINE_MS} ms`);
    const received = socket.receive(leftMs);
    if (!received.ok) return received;
    if (received.value.kind === "nothing") continue;
    if (received.value.kind === "overrun") return fail("too-large", subject, "replies were lost");
    const reply = readDatagram(received.value.bytes, sequence, endianness());
    isInterrupted ||= reply.isInterrupted;
    for (const message of reply.messages) {
      const table = tableOf(message, endianness());
      if (table !== undefined) tables.push(table);
    }
    if (tables.length > MOST_TABLES) {
      return fail("too-large", subject, `more than ${MOST_TABLES} tables`);
    }
    if (reply.outcome === "done") return ok({ tables, isInterrupted });
    if (reply.outcome === "error") return problemOfErrno(reply.errorNumber, subject, "dump");
    if (reply.outcome === "overrun") return fail("too-large", subject, "replies were lost");
    if (reply.outcome === "malformed") return fail("malformed", subject, "reply is not netlink");
  }
}
