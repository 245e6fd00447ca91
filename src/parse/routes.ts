import { addressNumber } from "./address-number.ts";
import { ipv4FromBytes, ipv6FromBytes } from "./addresses.ts";

/** A network with the interface that leads to it. */
export interface Route {
  /** Network address, canonical text. */
  readonly destination: string;
  readonly prefixLength: number;
  readonly interface: string;
  /** False where packets go to a router first. */
  readonly isDirect: boolean;
}

/** An address of this device. */
export interface InterfaceAddress {
  readonly interface: string;
  /** Canonical text. */
  readonly address: string;
  readonly prefixLength: number;
}

/** More lines of a table are left out. */
const MOST_LINES = 20_000;
/** Flags of a route. Source: include/uapi/linux/route.h */
const GATEWAY = 0x2;
const REJECT = 0x200;

/**
 * The main routing table of IPv4, from /proc/net/route. Its numbers are in the byte order of the kernel.
 * Lines that make no sense are left out. Source: proc_net(5), net/ipv4/fib_trie.c.
 */
export function parseIpv4Routes(text: string, endianness: "LE" | "BE"): readonly Route[] {
  const routes: Route[] = [];
  for (const line of text.split("\n", MOST_LINES).slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [name = "", destination = "", , flags = ""] = fields;
    const address = ipv4Bytes(destination, endianness);
    const mask = ipv4Bytes(fields[7] ?? "", endianness);
    if (address === undefined || mask === undefined || !/^[0-9A-F]{4}$/i.test(flags)) continue;
    const bits = Number.parseInt(flags, 16);
    if ((bits & REJECT) !== 0) continue;
    routes.push({
      destination: ipv4FromBytes(address),
      prefixLength: mask.reduce((sum, byte) => sum + bitsOf(byte), 0),
      interface: name,
      isDirect: (bits & GATEWAY) === 0,
    });
  }
  return routes;
}

function ipv4Bytes(digits: string, endianness: "LE" | "BE"): Uint8Array | undefined {
  if (!/^[0-9A-F]{8}$/i.test(digits)) return undefined;
  const bytes = Uint8Array.from({ length: 4 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
  return endianness === "LE" ? bytes.reverse() : bytes;
}

function bitsOf(byte: number): number {
  return byte.toString(2).replaceAll("0", "").length;
}

/** All routes of IPv6, from /proc/net/ipv6_route. Source: net/ipv6/route.c, rt6_info_route. */
export function parseIpv6Routes(text: string): readonly Route[] {
  const routes: Route[] = [];
  for (const line of text.split("\n", MOST_LINES)) {
    const fields = line.trim().split(/\s+/);
    const [digits = "", prefix = "", , , nextHop = ""] = fields;
    const destination = ipv6Bytes(digits);
    const flags = Number.parseInt(fields[8] ?? "", 16);
    const name = fields[9] ?? "";
    const isRoute = destination !== undefined && /^[0-9a-f]{2}$/i.test(prefix) && name !== "";
    if (!isRoute || Number.isNaN(flags) || (flags & REJECT) !== 0) continue;
    routes.push({
      destination: ipv6FromBytes(destination),
      prefixLength: Number.parseInt(prefix, 16),
      interface: name,
      isDirect: /^0+$/.test(nextHop),
    });
  }
  return routes;
}

/** The IPv6 addresses with their interfaces, from /proc/net/if_inet6. Source: net/ipv6/addrconf.c. */
export function parseIpv6Addresses(text: string): readonly InterfaceAddress[] {
  const found: InterfaceAddress[] = [];
  for (const line of text.split("\n", MOST_LINES)) {
    const [digits = "", , prefix = "", , , name = ""] = line.trim().split(/\s+/);
    const bytes = ipv6Bytes(digits);
    if (bytes === undefined || !/^[0-9a-f]{2}$/i.test(prefix) || name === "") continue;
    const prefixLength = Number.parseInt(prefix, 16);
    found.push({ interface: name, address: ipv6FromBytes(bytes), prefixLength });
  }
  return found;
}

function ipv6Bytes(digits: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{32}$/i.test(digits)) return undefined;
  return Uint8Array.from({ length: 16 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
}

/** The most specific directly connected network of IPv4 that holds the address, loopback's left out. */
export function directRoute(address: string, routes: readonly Route[]): Route | undefined {
  const own = addressNumber(address);
  if (own === undefined) return undefined;
  return routes
    .filter((route) => route.isDirect && route.prefixLength > 0)
    .filter(({ destination, prefixLength }) => {
      const hosts = BigInt(Math.max(0, 32 - prefixLength));
      return own >> hosts === (addressNumber(destination) ?? 0n) >> hosts;
    })
    .sort((a, b) => b.prefixLength - a.prefixLength)[0];
}
