import type { AddressFamily } from "../../contract/probe.ts";
import { addressFromNumber } from "../../parse/address-number.ts";
import type { Range, RangeSet } from "../exposure/range-set.ts";

/** Ranges that a text names before it says how many more there are. */
const MOST_RANGES = 4;
const BITS = { ipv4: 32, ipv6: 128 } as const;

/** How many numbers a set holds. */
export function sizeOf(set: RangeSet): bigint {
  return set.reduce((size, { from, to }) => size + to - from + 1n, 0n);
}

/** Networks, ranges and single addresses as operators write them; undefined for all of a family. */
export function addressesText(family: AddressFamily, set: RangeSet): string | undefined {
  if (sizeOf(set) === 1n << BigInt(BITS[family])) return undefined;
  return listText(set, (range) => networkText(family, range));
}

/** `22,8000-8010`; undefined for all ports. */
export function portsText(set: RangeSet): string | undefined {
  if (sizeOf(set) >= 65_535n) return undefined;
  return listText(set, ({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
}

function listText(set: RangeSet, textOf: (range: Range) => string): string {
  const texts = set.slice(0, MOST_RANGES).map(textOf);
  const more = set.length - texts.length;
  return more > 0 ? `${texts.join(",")} and ${more} more` : texts.join(",");
}

function networkText(family: AddressFamily, { from, to }: Range): string {
  const first = addressFromNumber(family, from);
  if (from === to) return first;
  const size = to - from + 1n;
  const hostBits = size.toString(2).length - 1;
  const isNetwork = size === 1n << BigInt(hostBits) && from % size === 0n;
  return isNetwork
    ? `${first}/${BITS[family] - hostBits}`
    : `${first}-${addressFromNumber(family, to)}`;
}
