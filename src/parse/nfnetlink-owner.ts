import type { KernelTable } from "../contract/firewall-source.ts";
import {
  type Endianness,
  listAttributes,
  type NetlinkMessage,
  readAttributes,
} from "./netlink-message.ts";
import {
  attributeText,
  GENERIC_HEADER_BYTES,
  nftablesDumpRequest,
  nftablesType,
} from "./nfnetlink.ts";

/** Source: linux/netfilter/nf_tables.h, enum nf_tables_msg_types. */
const MESSAGES = {
  chain: { ask: 4, answer: 3 },
  rule: { ask: 7, answer: 6 },
  set: { ask: 10, answer: 9 },
} as const;
/** What a dump can be asked for. */
export type NftablesObject = keyof typeof MESSAGES;

/** The table is the first attribute of chains, rules and sets alike. */
const NFTA_TABLE = 1;
const NFTA_CHAIN = { name: 3, hook: 4, type: 7 } as const;
const NFTA_HOOK = { number: 1, priority: 2 } as const;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_EXPRESSION = { name: 1, data: 2 } as const;
const NFTA_PAYLOAD = { base: 2, offset: 3 } as const;
const NFTA_COMPARE_OPERATOR = 2;
const FAMILY_NUMBERS = { ip: 2, ip6: 10 } as const;

/** A table of the two families that iptables knows. */
export interface IptablesTable extends KernelTable {
  readonly family: keyof typeof FAMILY_NUMBERS;
}

/** Asks for the chains, rules or sets of one table. Takes CAP_NET_ADMIN. */
export function objectsRequest(
  object: NftablesObject,
  table: IptablesTable,
  { sequence, endianness }: { readonly sequence: number; readonly endianness: Endianness },
): Uint8Array {
  const name = new TextEncoder().encode(`${table.name}\0`);
  const body = new Uint8Array(GENERIC_HEADER_BYTES + 4 + Math.ceil(name.length / 4) * 4);
  const view = new DataView(body.buffer);
  body[0] = FAMILY_NUMBERS[table.family];
  view.setUint16(GENERIC_HEADER_BYTES, 4 + name.length, endianness === "LE");
  view.setUint16(GENERIC_HEADER_BYTES + 2, NFTA_TABLE, endianness === "LE");
  body.set(name, GENERIC_HEADER_BYTES + 4);
  return nftablesDumpRequest(MESSAGES[object].ask, body, { sequence, endianness });
}

/**
 * Why an object does not come from iptables, in a few words; undefined when it may. Any object of a table
 * that is not iptables' own makes the whole table foreign: iptables-nft-save shows such tables without a
 * word and wrong. Version 1.8.9 prints `ip saddr @set drop` as `-j DROP`, an address range as its last
 * address, and leaves out base chains with names of their own. Messages of other kinds and tables are
 * `undefined`; a dump of rules answers for all tables on kernels before 4.12. Never throws.
 */
export function foreignTrait(
  message: NetlinkMessage,
  table: IptablesTable,
  endianness: Endianness,
): string | undefined {
  if (message.body[0] !== FAMILY_NUMBERS[table.family]) return undefined;
  const attributes = readAttributes(message.body.subarray(GENERIC_HEADER_BYTES), endianness);
  if (attributeText(attributes.get(NFTA_TABLE)) !== table.name) return undefined;
  const { type } = message;
  // iptables keeps ipset sets outside of nftables, so a set of any sort is somebody else's.
  if (type === nftablesType(MESSAGES.set.answer)) return "a set";
  if (type === nftablesType(MESSAGES.chain.answer))
    return foreignChain(attributes, table.name, endianness);
  if (type === nftablesType(MESSAGES.rule.answer)) return foreignRule(attributes, endianness);
  return undefined;
}

/** Hook numbers by chain name. Source: enum nf_inet_hooks. */
const HOOKS: ReadonlyMap<string, number> = new Map([
  ["PREROUTING", 0],
  ["INPUT", 1],
  ["FORWARD", 2],
  ["OUTPUT", 3],
  ["POSTROUTING", 4],
]);
/** Source: enum nf_ip_hook_priorities; nat has one for destinations and one for sources. */
const PRIORITIES: ReadonlyMap<string, readonly number[]> = new Map([
  ["raw", [-300]],
  ["mangle", [-150]],
  ["nat", [-100, 100]],
  ["filter", [0]],
  ["security", [50]],
]);

function foreignChain(
  attributes: ReadonlyMap<number, Uint8Array>,
  table: string,
  endianness: Endianness,
): string | undefined {
  const hook = attributes.get(NFTA_CHAIN.hook);
  if (hook === undefined) return undefined;
  const name = attributeText(attributes.get(NFTA_CHAIN.name));
  const hookAttributes = readAttributes(hook, endianness);
  const number = numberOf(hookAttributes.get(NFTA_HOOK.number));
  const priority = numberOf(hookAttributes.get(NFTA_HOOK.priority)) | 0;
  const isBuiltIn = HOOKS.get(name) === number && (PRIORITIES.get(table) ?? []).includes(priority);
  return isBuiltIn ? undefined : `base chain ${name.slice(0, 40)}`;
}

/** Ports and flags of TCP, type and code of ICMP: where iptables writes more than equality itself. */
const TRANSPORT_BASE = 2;
const TCP_FLAGS_OFFSET = 13;
/** Source: enum nft_cmp_ops, NFT_CMP_LT and above. */
const FIRST_ORDER = 2;

/**
 * iptables-nft-save refuses expressions that it does not know, and says so. These are the ones that it
 * reads past: lookups in sets, order where it expects equality, masks of ports, a field asked twice.
 */
function foreignRule(
  attributes: ReadonlyMap<number, Uint8Array>,
  endianness: Endianness,
): string | undefined {
  const expressions = attributes.get(NFTA_RULE_EXPRESSIONS);
  if (expressions === undefined) return undefined;
  const fields = new Set<string>();
  let isTransport = false;
  let isFlags = false;
  for (const { value } of listAttributes(expressions, endianness)) {
    const expression = readAttributes(value, endianness);
    const name = attributeText(expression.get(NFTA_EXPRESSION.name));
    // Most expressions are decided by name: there may be very many of them.
    const data = (): ReadonlyMap<number, Uint8Array> =>
      readAttributes(expression.get(NFTA_EXPRESSION.data) ?? NOTHING, endianness);
    if (name === "lookup" || name === "dynset") return `expression ${name}`;
    if (name === "meta") isTransport = false;
    if (name === "payload") {
      const asked = data();
      const offset = numberOf(asked.get(NFTA_PAYLOAD.offset));
      const base = numberOf(asked.get(NFTA_PAYLOAD.base));
      isTransport = base === TRANSPORT_BASE;
      isFlags = isTransport && offset === TCP_FLAGS_OFFSET;
      if (fields.has(`${base} ${offset}`)) return "a field that is asked twice";
      fields.add(`${base} ${offset}`);
    }
    if (name === "bitwise" && isTransport && !isFlags) return "a mask of ports";
    const isOrder =
      name === "range" ||
      (name === "cmp" && numberOf(data().get(NFTA_COMPARE_OPERATOR)) >= FIRST_ORDER);
    if (isOrder && !isTransport) return "a range";
  }
  return undefined;
}

const NOTHING = new Uint8Array(0);
/** Numbers of nftables are in network order. */
function numberOf(bytes: Uint8Array | undefined): number {
  if (bytes === undefined || bytes.length < 4) return -1;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, false);
}
