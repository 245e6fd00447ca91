import type { AddressFamily } from "../contract/probe.ts";
import { addressBytes, ipv4FromBytes, ipv6FromBytes } from "./addresses.ts";

/** A literal address as a number of 32 (IPv4) or 128 (IPv6) bits; undefined for text that is none. */
export function addressNumber(text: string): bigint | undefined {
  const bytes = addressBytes(text);
  if (bytes === undefined) return undefined;
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** Canonical text of an address that is held as a number. Source: RFC 5952 for IPv6. */
export function addressFromNumber(family: AddressFamily, address: bigint): string {
  const length = family === "ipv4" ? 4 : 16;
  const bytes = new Uint8Array(length);
  for (let at = length - 1, left = address; at >= 0; at -= 1, left >>= 8n) {
    bytes[at] = Number(left & 0xffn);
  }
  return family === "ipv4" ? ipv4FromBytes(bytes) : ipv6FromBytes(bytes);
}
