/** `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`. Source: net/netlink/af_netlink.c. */
const COLUMNS = 10;
const DROPS_COLUMN = 8;
const INODE_COLUMN = 9;

/**
 * Datagrams that the kernel dropped on the netlink socket of that inode since it was opened, from the text
 * of /proc/net/netlink; undefined when the socket is not in the table.
 */
export function parseNetlinkDrops(text: string, inode: number): number | undefined {
  for (const line of text.split("\n")) {
    const columns = line.trim().split(/\s+/);
    if (columns.length < COLUMNS || columns[INODE_COLUMN] !== String(inode)) continue;
    const drops = Number(columns[DROPS_COLUMN]);
    return Number.isSafeInteger(drops) && drops >= 0 ? drops : undefined;
  }
  return undefined;
}
