import { canonicalAddress, ipv6FromBytes } from "./addresses.ts";

/**
 * The IPv4 addresses of this network namespace, from /proc/net/fib_trie: the leaves that are routed to
 * ourselves. Source: net/ipv4/fib_trie.c.
 */
export function parseLocalIpv4(fibTrie: string): ReadonlySet<string> {
  const found = new Set<string>();
  let leaf: string | undefined;
  for (const line of fibTrie.split("\n")) {
    const address = /\|-- (\d{1,3}(?:\.\d{1,3}){3})$/.exec(line)?.[1];
    if (address !== undefined) leaf = canonicalAddress(address);
    else if (leaf !== undefined && line.trim() === "/32 host LOCAL") found.add(leaf);
  }
  return found;
}

/** The IPv6 addresses, from /proc/net/if_inet6. Source: net/ipv6/addrconf.c. */
export function parseLocalIpv6(ifInet6: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const line of ifInet6.split("\n")) {
    const digits = /^([0-9a-f]{32}) /.exec(line)?.[1];
    if (digits !== undefined) found.add(ipv6FromBytes(bytesOf(digits)));
  }
  return found;
}

function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
}
