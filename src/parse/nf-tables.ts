import type { TableFamily } from "../contract/firewall.ts";
import type { KernelTable } from "../contract/firewall-source.ts";
import { type Endianness, type NetlinkMessage, readAttributes } from "./netlink-message.ts";
import {
  attributeText,
  GENERIC_HEADER_BYTES,
  nftablesDumpRequest,
  nftablesType,
} from "./nfnetlink.ts";

/** Source: linux/netfilter/nf_tables.h. */
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_FLAGS = 2;
/** Source: NFT_TABLE_F_DORMANT. */
const DORMANT = 1;
/** Multicast group of changes to nftables, as a bit of the address' mask. Source: NFNLGRP_NFTABLES 7. */
export const NFTABLES_GROUP_MASK = 1 << 6;

/** Source: linux/netfilter.h, NFPROTO_*. */
const FAMILIES: ReadonlyMap<number, TableFamily> = new Map([
  [1, "inet"],
  [2, "ip"],
  [3, "arp"],
  [5, "netdev"],
  [7, "bridge"],
  [10, "ip6"],
]);

/** Asks for all tables of nftables, which those of iptables-nft are among. Takes CAP_NET_ADMIN. */
export function tablesRequest(sequence: number, endianness: Endianness): Uint8Array {
  // Family 0 asks for all.
  const body = new Uint8Array(GENERIC_HEADER_BYTES);
  return nftablesDumpRequest(NFT_MSG_GETTABLE, body, { sequence, endianness });
}

/** The table of a reply; undefined for another message, and for a family that is not known. */
export function tableOf(message: NetlinkMessage, endianness: Endianness): KernelTable | undefined {
  if (message.type !== nftablesType(NFT_MSG_NEWTABLE)) return undefined;
  const family = FAMILIES.get(message.body[0] ?? -1);
  const attributes = readAttributes(message.body.subarray(GENERIC_HEADER_BYTES), endianness);
  const name = attributes.get(NFTA_TABLE_NAME);
  if (family === undefined || name === undefined) return undefined;
  const flags = attributes.get(NFTA_TABLE_FLAGS);
  // Numbers of nf_tables are in network order: the lowest bit is in the last byte.
  const isDormant = ((flags?.[3] ?? 0) & DORMANT) !== 0;
  return { family, name: attributeText(name), isDormant };
}
