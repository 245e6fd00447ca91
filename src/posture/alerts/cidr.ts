import { addressBytes, canonicalAddress, unmappedAddress } from "../../parse/addresses.ts";

/** A range of addresses of one family: the first `prefixBits` bits of `bytes` count. */
export interface Cidr {
  readonly bytes: Uint8Array;
  readonly prefixBits: number;
}

/** Prefix of IPv4-mapped addresses. Source: RFC 4291 section 2.5.5.2. */
const MAPPED_BITS = 96;

/**
 * Reads an address or a range in CIDR notation, IPv4 or IPv6; bits behind the prefix are ignored
 * (`192.168.0.1/8` is the published example), and IPv4-mapped ranges of /96 and longer become IPv4.
 * Undefined for everything else. Source: RFC 4632 section 3.1, RFC 4291 section 2.3.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  const canonical = canonicalAddress(slash === -1 ? text : text.slice(0, slash));
  if (canonical === undefined) return undefined;
  const allBits = (addressBytes(canonical)?.length ?? 0) * 8;
  const prefixText = slash === -1 ? String(allBits) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > allBits) return undefined;
  const prefixBits = Number(prefixText);
  const unmapped = unmappedAddress(canonical);
  const isMapped = unmapped !== canonical && prefixBits >= MAPPED_BITS;
  const bytes = addressBytes(isMapped ? unmapped : canonical);
  if (bytes === undefined) return undefined;
  return { bytes, prefixBits: isMapped ? prefixBits - MAPPED_BITS : prefixBits };
}

/** True when the address, in the bytes of its own family, lies in the range. */
function covers(range: Cidr, bytes: Uint8Array): boolean {
  if (range.bytes.length !== bytes.length) return false;
  const wholeBytes = range.prefixBits >> 3;
  for (let at = 0; at < wholeBytes; at += 1) if (range.bytes[at] !== bytes[at]) return false;
  const restBits = range.prefixBits & 7;
  if (restBits === 0) return true;
  const shift = 8 - restBits;
  return (range.bytes[wholeBytes] ?? 0) >> shift === (bytes[wholeBytes] ?? 0) >> shift;
}

/**
 * A test of addresses against ranges; values that are no range match nothing. IPv4-mapped addresses
 * are taken as IPv4. False for text that is no address.
 * Cost: one pass over the ranges per address.
 */
export function addressMatcher(values: readonly string[]): (address: string) => boolean {
  const ranges = values.map(parseCidr).filter((range) => range !== undefined);
  return (address) => {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) return false;
    const bytes = addressBytes(unmappedAddress(canonical));
    return bytes !== undefined && ranges.some((range) => covers(range, bytes));
  };
}
