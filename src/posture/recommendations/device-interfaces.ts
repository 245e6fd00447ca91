import type { AddressFamily } from "../../contract/probe.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { addressFamily, isLoopbackAddress } from "../../parse/addresses.ts";
import type { HostNetwork } from "../exposure/query.ts";
import { type RangeSet, rangeSet, subtract } from "../exposure/range-set.ts";
import { EVERY_ADDRESS } from "./rule-box.ts";
import { compareText } from "./text-order.ts";

/** An interface that packets of others come in by. */
export interface DeviceInterface {
  readonly name: string;
  /** Addresses of the family. */
  readonly addresses: readonly string[];
  /** Containers of this device are behind it, not the network. */
  readonly isContainer: boolean;
}

/** Names of interfaces that container and machine runtimes make; `*` at the end stands for any rest. */
export const CONTAINER_INTERFACES: readonly string[] = [
  "docker*",
  "podman*",
  "cni*",
  "veth*",
  "lxcbr*",
  "lxdbr*",
  "incusbr*",
  "virbr*",
];
/** Bridges of docker networks, such as that of IoT Edge; OpenWrt's `br-lan` is none. */
const DOCKER_BRIDGE = /^br-[0-9a-f]{12}$/;
/** More interfaces of a family are not asked about. */
const MOST_INTERFACES = 64;
/** Groups do not send. */
const MULTICAST: Readonly<Record<AddressFamily, string>> = { ipv4: "224.0.0.0", ipv6: "ff00::" };

/** The device's network, ready for questions about sockets. */
export interface DeviceInterfaces {
  /** False where nothing is known of addresses. */
  readonly isKnown: boolean;
  /** Interfaces with an address of the family, loopback left out, in the order of names. */
  of(family: AddressFamily): readonly DeviceInterface[];
  /** Addresses that other hosts may have: not loopback, not a group, not the device's own. */
  strangers(family: AddressFamily): RangeSet;
  /** Interfaces were left out because there are too many. */
  readonly isCut: boolean;
}

/** Names in `containerNames` may end in `*`. */
export function deviceInterfaces(
  host: HostNetwork | undefined,
  containerNames: readonly string[] = CONTAINER_INTERFACES,
): DeviceInterfaces {
  const ipv4 = interfacesOf(host, "ipv4", containerNames);
  const ipv6 = interfacesOf(host, "ipv6", containerNames);
  const strangers = { ipv4: strangersTo(host, "ipv4"), ipv6: strangersTo(host, "ipv6") };
  return {
    isKnown: host !== undefined && host.addresses.length > 0,
    of: (family) => (family === "ipv4" ? ipv4 : ipv6).slice(0, MOST_INTERFACES),
    strangers: (family) => strangers[family],
    isCut: Math.max(ipv4.length, ipv6.length) > MOST_INTERFACES,
  };
}

function interfacesOf(
  host: HostNetwork | undefined,
  family: AddressFamily,
  containerNames: readonly string[],
): readonly DeviceInterface[] {
  const byName = new Map<string, string[]>();
  for (const { interface: name, address } of host?.addresses ?? []) {
    if (addressFamily(address) !== family || isLoopbackAddress(address) || name === "lo") continue;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [address]);
    else known.push(address);
  }
  return [...byName]
    .map(([name, addresses]) => ({
      name,
      addresses: addresses.sort(compareText),
      isContainer: isContainerInterface(name, containerNames),
    }))
    .sort((a, b) => Number(a.isContainer) - Number(b.isContainer) || compareText(a.name, b.name));
}

function isContainerInterface(name: string, patterns: readonly string[]): boolean {
  if (DOCKER_BRIDGE.test(name)) return true;
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** The kernel drops packets that claim to come from the device itself. Source: fib_validate_source. */
function strangersTo(host: HostNetwork | undefined, family: AddressFamily): RangeSet {
  const bits = family === "ipv4" ? 32n : 128n;
  const group = addressNumber(MULTICAST[family]) ?? 0n;
  const loopback = addressNumber(family === "ipv4" ? "127.0.0.0" : "::1") ?? 0n;
  const own = (host?.addresses ?? [])
    .filter(({ address }) => addressFamily(address) === family)
    .flatMap(({ address }) => addressNumber(address) ?? [])
    .map((address) => ({ from: address, to: address }));
  const never = rangeSet([
    { from: loopback, to: family === "ipv4" ? loopback + 0xffffffn : loopback },
    { from: group, to: family === "ipv4" ? group + 0xfffffffn : (1n << bits) - 1n },
    ...own,
  ]);
  return subtract(EVERY_ADDRESS[family], never);
}
