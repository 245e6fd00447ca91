import type { Probe } from "../contract/probe.ts";
import type { Problem, Result } from "../contract/result.ts";
import { isLoopbackAddress } from "../parse/addresses.ts";
import { parseLocalIpv4 } from "../parse/local-addresses.ts";
import { plainText } from "../parse/plain-text.ts";
import {
  directRoute,
  type InterfaceAddress,
  parseIpv4Routes,
  parseIpv6Addresses,
  parseIpv6Routes,
} from "../parse/routes.ts";
import type { HostNetwork } from "./exposure/query.ts";

const MAX_TABLE_BYTES = 4_194_304;

/** What could be read, and what could not. */
export interface HostNetworkReading {
  /** Undefined where the addresses of IPv4 could not be read: no address would look like no network. */
  readonly host: HostNetwork | undefined;
  /** A table that is not there (no IPv6) is none. */
  readonly problems: readonly Problem[];
}

/**
 * Addresses and routes of the agent's network namespace, from /proc/net. The kernel tells addresses of
 * IPv4 without their interface: it is that of the connected network, and where there is none (a single
 * address, another routing table) the address counts for every interface, so that none is overlooked.
 * Source: proc_net(5). Cost: four small files.
 */
export function readHostNetwork(probe: Probe): HostNetworkReading {
  const problems: Problem[] = [];
  const text = (name: string): string => {
    const read = probe.readText(`/proc/net/${name}`, MAX_TABLE_BYTES);
    return keep(read, problems) ?? "";
  };
  const trie = probe.readText("/proc/net/fib_trie", MAX_TABLE_BYTES);
  if (!trie.ok) return { host: undefined, problems: [trie.problem] };
  const ipv4Routes = parseIpv4Routes(text("route"), probe.endianness);
  const ipv6Routes = parseIpv6Routes(text("ipv6_route"));
  const ipv6Addresses = parseIpv6Addresses(text("if_inet6"));
  const names = probe.listFolder("/sys/class/net");
  const others = new Set([
    ...(names.ok ? names.value : []),
    ...[...ipv4Routes, ...ipv6Addresses].map((one) => one.interface),
  ]);
  others.delete("lo");
  const ipv4Addresses = [...parseLocalIpv4(trie.value)]
    .filter((address) => !isLoopbackAddress(address))
    .flatMap((address): readonly InterfaceAddress[] => {
      const route = directRoute(address, ipv4Routes);
      if (route === undefined)
        return [...others].map((name) => ({ interface: name, address, prefixLength: 32 }));
      return [{ interface: route.interface, address, prefixLength: route.prefixLength }];
    });
  const addresses = [...ipv4Addresses, ...ipv6Addresses].map(plainInterface);
  const routes = [...ipv4Routes, ...ipv6Routes].map(plainInterface);
  return { host: { addresses, routes }, problems };
}

function keep(read: Result<string>, problems: Problem[]): string | undefined {
  if (read.ok) return read.value;
  if (read.problem.code !== "not-found") problems.push(read.problem);
  return undefined;
}

function plainInterface<T extends { readonly interface: string }>(one: T): T {
  return { ...one, interface: plainText(one.interface, 64) };
}
