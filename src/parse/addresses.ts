import { isIP } from "node:net";
import type { AddressFamily } from "../contract/probe.ts";

/** Longest text of an address: eight groups with an IPv4 tail. Source: INET6_ADDRSTRLEN, netinet/in.h. */
const LONGEST_ADDRESS = 45;

/**
 * Family of a literal IPv4 or IPv6 address without a zone; undefined for everything else: a host name,
 * `fe80::1%eth0`, `10.0.0.0/8`, an address with a leading zero in a part.
 * Source: RFC 4291 section 2.2; JSON Schema formats "ipv4" and "ipv6".
 */
export function addressFamily(text: string): AddressFamily | undefined {
  if (text.length > LONGEST_ADDRESS || text.includes("%")) return undefined;
  const version = isIP(text);
  if (version === 4) return "ipv4";
  return version === 6 ? "ipv6" : undefined;
}

/** True for what `addressFamily` knows: a literal IPv4 or IPv6 address, no zone, no prefix length. */
export function isIpAddress(text: string): boolean {
  return addressFamily(text) !== undefined;
}

/**
 * Dotted text of the four bytes at `offset`, in network order. Bytes beyond the end count as zero:
 * callers check lengths first.
 */
export function ipv4FromBytes(bytes: Uint8Array, offset = 0): string {
  return `${byteAt(bytes, offset)}.${byteAt(bytes, offset + 1)}.${byteAt(bytes, offset + 2)}.${byteAt(bytes, offset + 3)}`;
}

/**
 * Canonical text of the sixteen bytes at `offset`, in network order: lower case, no leading zeros, the
 * longest run of at least two zero groups (the first of equals) as `::`, and IPv4-mapped addresses with
 * a dotted tail. Bytes beyond the end count as zero: callers check lengths first.
 * Source: RFC 5952 sections 4 and 5.
 */
export function ipv6FromBytes(bytes: Uint8Array, offset = 0): string {
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push(byteAt(bytes, offset + at) * 256 + byteAt(bytes, offset + at + 1));
  }
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return `::ffff:${ipv4FromBytes(bytes, offset + 12)}`;
  const run = longestZeroRun(groups);
  const texts = groups.map((group) => group.toString(16));
  if (run.length < 2) return texts.join(":");
  const head = texts.slice(0, run.start).join(":");
  const tail = texts.slice(run.start + run.length).join(":");
  return `${head}::${tail}`;
}

/**
 * The bytes of a literal address in network order: 4 for IPv4, 16 for IPv6, undefined for text that
 * `isIpAddress` refuses.
 */
export function addressBytes(text: string): Uint8Array | undefined {
  const family = addressFamily(text);
  if (family === undefined) return undefined;
  return Uint8Array.from(family === "ipv4" ? ipv4Parts(text) : ipv6Parts(text));
}

/** The one spelling of a literal address (RFC 5952 for IPv6), undefined for anything else. */
export function canonicalAddress(text: string): string | undefined {
  const bytes = addressBytes(text);
  if (bytes === undefined) return undefined;
  return bytes.length === 4 ? ipv4FromBytes(bytes) : ipv6FromBytes(bytes);
}

/**
 * True when only this device can reach the address: 127.0.0.0/8, ::1 and IPv4-mapped 127.0.0.0/8, in
 * any spelling. False for text that is no address.
 * Source: RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3.
 */
export function isLoopbackAddress(text: string): boolean {
  const canonical = canonicalAddress(text);
  if (canonical === undefined) return false;
  return canonical === "::1" || /^(?:::ffff:)?127\./.test(canonical);
}

/** `192.0.2.1` for `::ffff:192.0.2.1`, which is the same host to a socket that serves both families. */
export function unmappedAddress(canonical: string): string {
  return canonical.startsWith("::ffff:") && canonical.includes(".")
    ? canonical.slice(7)
    : canonical;
}

function byteAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}

interface ZeroRun {
  readonly start: number;
  readonly length: number;
}

function longestZeroRun(groups: readonly number[]): ZeroRun {
  let longest: ZeroRun = { start: 0, length: 0 };
  let start = 0;
  for (let at = 0; at <= groups.length; at += 1) {
    if (at < groups.length && groups[at] === 0) continue;
    if (at - start > longest.length) longest = { start, length: at - start };
    start = at + 1;
  }
  return longest;
}

function ipv4Parts(text: string): readonly number[] {
  return text.split(".").map(Number);
}

/** Bytes of IPv6 text that is known to be right. */
function ipv6Parts(text: string): readonly number[] {
  const [head = "", tail] = text.split("::");
  const before = groupBytes(head);
  if (tail === undefined) return before;
  const after = groupBytes(tail);
  const missing = Math.max(16 - before.length - after.length, 0);
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

function groupBytes(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return ipv4Parts(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
