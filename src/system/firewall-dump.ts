import { endianness } from "node:os";
import type { Result } from "../contract/result.ts";
import { type NetlinkMessage, readDatagram } from "../parse/netlink-message.ts";
import { type DumpOptions, dumpNetlink } from "./netlink-dump.ts";

type NftablesDump<T> = Pick<DumpOptions<T>, "socket" | "clock" | "firstSequence" | "request"> & {
  /** What to keep of a message; undefined for nothing. */
  readonly pick: (message: NetlinkMessage) => T | undefined;
  readonly mostPicked: number;
};

/**
 * One dump of nf_tables. Errors: those of `dumpNetlink`; `not-permitted` without CAP_NET_ADMIN;
 * `unsupported` where the kernel has no nf_tables.
 */
export function dumpNftables<T>({
  pick,
  mostPicked,
  ...asking
}: NftablesDump<T>): Result<readonly T[]> {
  return dumpNetlink({
    ...asking,
    subject: "nf_tables",
    mostItems: mostPicked,
    noun: "objects",
    read(bytes, sequence) {
      const { messages, ...datagram } = readDatagram(bytes, sequence, endianness());
      const items = messages.map(pick).filter((kept) => kept !== undefined);
      return { ...datagram, items, messages: messages.length };
    },
  });
}
