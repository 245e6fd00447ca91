import type { AddressFamily } from "../../contract/probe.ts";
import { ipv4FromBytes, ipv6FromBytes } from "../../parse/addresses.ts";

/** Canonical text of an address that is held as a number. */
export function addressText(family: AddressFamily, address: bigint): string {
  const length = family === "ipv4" ? 4 : 16;
  const bytes = new Uint8Array(length);
  for (let at = length - 1, left = address; at >= 0; at -= 1, left >>= 8n) {
    bytes[at] = Number(left & 0xffn);
  }
  return family === "ipv4" ? ipv4FromBytes(bytes) : ipv6FromBytes(bytes);
}
