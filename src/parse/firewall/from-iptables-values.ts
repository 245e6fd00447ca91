import type { AddressRange, NumberRange } from "../../contract/firewall.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { addressNumber } from "../address-number.ts";
import { addressFamily } from "../addresses.ts";

/** Names that the saving program writes for protocols. Source: /etc/protocols; xtables_chain_protos, xtables.c. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["all", 0],
  ["icmp", 1],
  ["igmp", 2],
  ["ipip", 4],
  ["ipencap", 4],
  ["tcp", 6],
  ["egp", 8],
  ["igp", 9],
  ["udp", 17],
  ["dccp", 33],
  ["ipv6", 41],
  ["rsvp", 46],
  ["gre", 47],
  ["esp", 50],
  ["ipv6-crypt", 50],
  ["ah", 51],
  ["ipv6-auth", 51],
  ["ipv6-icmp", 58],
  ["icmpv6", 58],
  ["ospf", 89],
  ["ospfigp", 89],
  ["etherip", 97],
  ["encap", 98],
  ["pim", 103],
  ["ipcomp", 108],
  ["vrrp", 112],
  ["l2tp", 115],
  ["sctp", 132],
  ["mh", 135],
  ["ipv6-mh", 135],
  ["mobility-header", 135],
  ["udplite", 136],
]);
const MOST_PORT = 65_535;
const MOST_MARK = 0xffff_ffff;

/** Source: include/uapi/linux/tcp.h; `ALL` and `NONE` from libxt_tcp.c. */
const TCP_FLAGS: ReadonlyMap<string, number> = new Map([
  ["NONE", 0],
  ["FIN", 1],
  ["SYN", 2],
  ["RST", 4],
  ["PSH", 8],
  ["ACK", 16],
  ["URG", 32],
  ["ECE", 64],
  ["CWR", 128],
  ["ALL", 63],
]);

/** IP protocol number of a name or number, 0 for all; undefined for what is neither. */
export function protocolNumber(text: string): number | undefined {
  const known = PROTOCOLS.get(text.toLowerCase());
  if (known !== undefined) return known;
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** A comma-separated list of ports and ranges: `80`, `1024:65535`, `:1023`, `53,60:`. */
export function portRanges(text: string): readonly NumberRange[] | undefined {
  const ranges = text.split(",").map((part) => portRange(part, ":"));
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

/** One port or range with the given separator; an open end is the lowest or highest port. */
export function portRange(text: string, separator: ":" | "-"): NumberRange | undefined {
  const [first = "", last = first, ...more] = text.split(separator);
  if (more.length > 0 || (first === "" && last === "")) return undefined;
  const from = first === "" ? 0 : port(first);
  const to = last === "" ? MOST_PORT : port(last);
  return from === undefined || to === undefined || from > to ? undefined : { from, to };
}

function port(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= MOST_PORT ? Number(text) : undefined;
}

/**
 * Addresses of `-s` and the like, e.g. `10.0.0.0/8`, `fe80::/ffff::`, `10.0.0.1`; a comma-separated list
 * too. Undefined for a mask with holes, for the other family, and for what is no address.
 */
export function networkRanges(
  text: string,
  family: AddressFamily,
): readonly AddressRange[] | undefined {
  const ranges = text.split(",").map((part) => networkRange(part, family));
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

function networkRange(text: string, family: AddressFamily): AddressRange | undefined {
  const [host = "", maskText, ...more] = text.split("/");
  const address = numberIn(host, family);
  if (address === undefined || more.length > 0) return undefined;
  const bits = family === "ipv4" ? 32n : 128n;
  const all = (1n << bits) - 1n;
  const mask = maskText === undefined ? all : maskNumber(maskText, family, bits);
  if (mask === undefined) return undefined;
  const hostBits = all ^ mask;
  // A mask without holes leaves ones at the end only.
  if ((hostBits & (hostBits + 1n)) !== 0n) return undefined;
  return { from: address & mask, to: (address & mask) | hostBits };
}

function maskNumber(text: string, family: AddressFamily, bits: bigint): bigint | undefined {
  if (!/^\d{1,3}$/.test(text)) return numberIn(text, family);
  const length = BigInt(text);
  if (length > bits) return undefined;
  return ((1n << length) - 1n) << (bits - length);
}

/** `a-b` or a single address, inclusive. */
export function addressRange(text: string, family: AddressFamily): AddressRange | undefined {
  const [first = "", last = first, ...more] = text.split("-");
  const from = numberIn(first, family);
  const to = numberIn(last, family);
  if (from === undefined || to === undefined || from > to || more.length > 0) return undefined;
  return { from, to };
}

/** Bits of a list such as `SYN,RST`, `ALL`, `NONE`. */
export function tcpFlagBits(text: string): number | undefined {
  let bits = 0;
  for (const name of text.split(",")) {
    const bit = TCP_FLAGS.get(name.toUpperCase());
    if (bit === undefined) return undefined;
    bits |= bit;
  }
  return bits;
}

/** A mark as `0x1/0xff`, `0x1` or `1`: all bits where no mask is given. */
export interface MarkText {
  readonly value: number;
  readonly mask: number;
}

export function markText(text: string): MarkText | undefined {
  const [valueText = "", maskText, ...more] = text.split("/");
  const value = unsigned(valueText);
  const mask = maskText === undefined ? MOST_MARK : unsigned(maskText);
  return value === undefined || mask === undefined || more.length > 0 ? undefined : { value, mask };
}

function unsigned(text: string): number | undefined {
  if (!/^(?:0x[0-9a-f]{1,8}|[1-9]\d{0,9}|0)$/i.test(text)) return undefined;
  const value = Number(text);
  return value <= MOST_MARK ? value : undefined;
}

/** An address of that family as a number. */
function numberIn(text: string, family: AddressFamily): bigint | undefined {
  return addressFamily(text) === family ? addressNumber(text) : undefined;
}
