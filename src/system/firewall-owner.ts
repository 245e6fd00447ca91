import { endianness } from "node:os";
import type { Clock } from "../contract/clock.ts";
import type { KernelTable } from "../contract/firewall-source.ts";
import { ok, type Result } from "../contract/result.ts";
import { isIptablesTable } from "../parse/firewall/iptables-tables.ts";
import { foreignTrait, type IptablesTable, objectsRequest } from "../parse/nfnetlink-owner.ts";
import { dumpNftables } from "./firewall-dump.ts";
import { NETLINK_PROTOCOLS, type Netlink, type NetlinkSocket } from "./netlink.ts";
import { MOST_ATTEMPTS } from "./netlink-dump.ts";

/** Sets come first: they are few, and tell of most foreign tables. */
const ASKED = ["set", "chain", "rule"] as const;
const MOST_TRAITS = 100_000;

/** A table that iptables could have made, judged by its family and name alone. */
export function isIptablesName(table: KernelTable): table is IptablesTable {
  return isIptablesTable(table.family, table.name);
}

/**
 * Which of these tables iptables-nft-save would show wrong, since something in them is not of iptables:
 * see `foreignTrait`. Errors: as `dumpNftables`. Cost: a copy of the rules of these tables.
 */
export function foreignTables(
  netlink: Netlink,
  clock: Clock,
  tables: readonly IptablesTable[],
): Result<ReadonlySet<IptablesTable>> {
  const foreign = new Set<IptablesTable>();
  if (tables.length === 0) return ok(foreign);
  const opened = netlink.open(NETLINK_PROTOCOLS.netfilter);
  if (!opened.ok) return opened;
  const socket = opened.value;
  try {
    for (const [at, table] of tables.entries()) {
      const firstSequence = 1 + at * ASKED.length * MOST_ATTEMPTS;
      const isForeign = hasForeignTrait({ socket, clock, firstSequence }, table);
      if (!isForeign.ok) return isForeign;
      if (isForeign.value) foreign.add(table);
    }
    return ok(foreign);
  } finally {
    socket.close();
  }
}

interface Asking {
  readonly socket: NetlinkSocket;
  readonly clock: Clock;
  readonly firstSequence: number;
}

function hasForeignTrait(
  { socket, clock, firstSequence }: Asking,
  table: IptablesTable,
): Result<boolean> {
  for (const [at, object] of ASKED.entries()) {
    const traits = dumpNftables({
      socket,
      clock,
      firstSequence: firstSequence + at * MOST_ATTEMPTS,
      request: (sequence) => objectsRequest(object, table, { sequence, endianness: endianness() }),
      pick: (message) => foreignTrait(message, table, endianness()),
      mostPicked: MOST_TRAITS,
    });
    // A table that went away meanwhile is nobody's.
    if (!traits.ok && traits.problem.code === "not-found") return ok(false);
    if (!traits.ok) return traits;
    if (traits.value.length > 0) return ok(true);
  }
  return ok(false);
}
