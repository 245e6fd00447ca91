import { endianness } from "node:os";
import type { Clock } from "../contract/clock.ts";
import type { KernelTable } from "../contract/firewall-source.ts";
import type { Result } from "../contract/result.ts";
import { tableOf, tablesRequest } from "../parse/nf-tables.ts";
import { dumpNftables } from "./firewall-dump.ts";
import { NETLINK_PROTOCOLS, type Netlink } from "./netlink.ts";

const MOST_TABLES = 10_000;

/**
 * Tables of nftables, those of iptables-nft included. Errors: `not-permitted` without CAP_NET_ADMIN;
 * `unsupported` where the kernel has no nftables; `timed-out`. Source: linux/netfilter/nf_tables.h.
 */
export function kernelTables(netlink: Netlink, clock: Clock): Result<readonly KernelTable[]> {
  const opened = netlink.open(NETLINK_PROTOCOLS.netfilter);
  if (!opened.ok) return opened;
  const socket = opened.value;
  try {
    return dumpNftables({
      socket,
      clock,
      firstSequence: 1,
      request: (sequence) => tablesRequest(sequence, endianness()),
      pick: (message) => tableOf(message, endianness()),
      mostPicked: MOST_TABLES,
    });
  } finally {
    socket.close();
  }
}
