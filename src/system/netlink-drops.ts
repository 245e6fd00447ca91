import type { Result } from "../contract/result.ts";
import { parseNetlinkDrops } from "../parse/proc-netlink.ts";
import type { NetlinkSocket } from "./netlink.ts";

/** How many datagrams the kernel dropped on a socket. */
export interface DropCount {
  /** The kernel told of an overrun: ask from now on, until nothing more is dropped. */
  expect(): void;
  /**
   * Datagrams dropped since this was last asked; 0 without an overrun, undefined when the kernel told of one
   * and does not say how many.
   */
  take(): number | undefined;
}

const MAX_TABLE_BYTES = 1_048_576;

/**
 * The kernel tells of an overrun once, and goes on dropping until its queue has been read empty; it counts
 * what it drops per socket. Source: /proc/net/netlink, column Drops.
 */
export function createDropCount(
  socket: NetlinkSocket,
  readText: (path: string, maxBytes?: number) => Result<string>,
): DropCount {
  const inode = socket.inode();
  let toldOf = 0;
  let isExpected = false;
  let isFirst = false;
  return {
    expect() {
      isExpected = true;
      isFirst = true;
    },
    take() {
      if (!isExpected) return 0;
      const table = readText("/proc/net/netlink", MAX_TABLE_BYTES);
      const total =
        table.ok && inode !== undefined ? parseNetlinkDrops(table.value, inode) : undefined;
      const lost = total === undefined ? undefined : total - toldOf;
      toldOf = total ?? toldOf;
      const answer = lost === undefined && !isFirst ? 0 : lost;
      // Nothing more was dropped in a whole turn: the overrun is over.
      if (answer === 0) isExpected = false;
      isFirst = false;
      return answer;
    },
  };
}
