import type { AddressFamily } from "../../contract/probe.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { addressFamily } from "../../parse/addresses.ts";
import type { HostNetwork } from "./query.ts";
import { type Range, type RangeSet, rangeSet } from "./range-set.ts";

const LOOPBACK: Readonly<Record<AddressFamily, Range>> = {
  ipv4: { from: 0x7f000000n, to: 0x7fffffffn },
  ipv6: { from: 1n, to: 1n },
};

/** The addresses and routes of the device, ready for questions. */
export interface HostView {
  /** Addresses of the device in a family, loopback included. Undefined: not told. */
  localAddresses(family: AddressFamily): RangeSet | undefined;
  isLocal(family: AddressFamily, address: bigint): boolean | undefined;
  /** First address of an interface. */
  addressOf(family: AddressFamily, interfaceName: string | undefined): bigint | undefined;
  /** Interface that the most specific route names; undefined without one. */
  routeTo(family: AddressFamily, address: bigint): string | undefined;
}

interface Network {
  readonly base: bigint;
  readonly prefixLength: number;
  readonly interface: string;
}

/** Prepares what the device says of its network. Cost: addresses and routes, once. */
export function viewHost(host: HostNetwork): HostView {
  const local = { ipv4: addressesOf(host, "ipv4"), ipv6: addressesOf(host, "ipv6") };
  const networks = { ipv4: networksOf(host, "ipv4"), ipv6: networksOf(host, "ipv6") };
  const localSets = { ipv4: localSet(local.ipv4, "ipv4"), ipv6: localSet(local.ipv6, "ipv6") };
  return {
    localAddresses: (family) => localSets[family],
    isLocal(family, address) {
      return localSets[family]?.some((range) => address >= range.from && address <= range.to);
    },
    addressOf(family, interfaceName) {
      return local[family].find((own) => own.interface === interfaceName)?.base;
    },
    routeTo(family, address) {
      const bits = family === "ipv4" ? 32 : 128;
      return networks[family].find(({ base, prefixLength }) => {
        const shift = BigInt(bits - prefixLength);
        return base >> shift === address >> shift;
      })?.interface;
    },
  };
}

function localSet(own: readonly Network[], family: AddressFamily): RangeSet | undefined {
  if (own.length === 0) return undefined;
  return rangeSet([LOOPBACK[family], ...own.map(({ base }) => ({ from: base, to: base }))]);
}

function addressesOf(host: HostNetwork, family: AddressFamily): readonly Network[] {
  return host.addresses.flatMap((own) => networkOf(own.address, own, family));
}

/** Routes and directly connected networks, the most specific first. */
function networksOf(host: HostNetwork, family: AddressFamily): readonly Network[] {
  const routes = host.routes.flatMap((route) => networkOf(route.destination, route, family));
  return [...routes, ...addressesOf(host, family)].sort((a, b) => b.prefixLength - a.prefixLength);
}

function networkOf(
  address: string,
  network: { readonly prefixLength: number; readonly interface: string },
  family: AddressFamily,
): readonly Network[] {
  const base = addressNumber(address);
  if (base === undefined || addressFamily(address) !== family) return [];
  return [{ base, prefixLength: network.prefixLength, interface: network.interface }];
}
