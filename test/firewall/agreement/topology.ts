/**
 * The small network on which predictions are compared with the kernel: a client, the gateway whose rules are
 * judged, and a container behind it. Pure data; `test-bed.ts` builds it.
 */
export type Family = "ipv4" | "ipv6";

export interface Source {
  readonly address: string;
  readonly family: Family;
  /** The gateway's interface that packets from this address come in through. */
  readonly gatewayInterface: "eth0" | "eth1";
}

function sourcesOn(
  gatewayInterface: "eth0" | "eth1",
  addresses: readonly string[],
): readonly Source[] {
  return addresses.map((address) => ({
    address,
    family: address.includes(":") ? "ipv6" : "ipv4",
    gatewayInterface,
  }));
}

/** Every address that the client can send from. The first IPv4 and IPv6 one of each side is a next hop. */
export const SOURCES: readonly Source[] = [
  ...sourcesOn("eth0", [
    "10.77.0.10",
    "10.77.0.11",
    "10.77.0.63",
    "10.77.0.64",
    "10.77.0.130",
    "10.77.0.200",
    "10.78.0.10",
    "10.78.5.9",
    "10.78.200.77",
    "192.168.50.7",
    "198.51.100.20",
    "203.0.113.9",
    "fd77::10",
    "fd77::11",
    "fd77::200",
    "fd78:1::9",
    "2001:db8:5::7",
  ]),
  ...sourcesOn("eth1", [
    "10.79.0.10",
    "10.79.0.50",
    "10.79.0.201",
    "192.168.60.9",
    "fd79::10",
    "fd79::50",
    "2001:db8:6::8",
  ]),
];

export interface InterfaceAddress {
  readonly interface: string;
  readonly address: string;
  readonly prefixLength: number;
}

/** Addresses of the gateway. */
export const GATEWAY_ADDRESSES: readonly InterfaceAddress[] = [
  { interface: "lo", address: "127.0.0.1", prefixLength: 8 },
  { interface: "lo", address: "::1", prefixLength: 128 },
  { interface: "eth0", address: "10.77.0.1", prefixLength: 24 },
  { interface: "eth0", address: "10.77.0.2", prefixLength: 24 },
  { interface: "eth0", address: "fd77::1", prefixLength: 64 },
  { interface: "eth1", address: "10.79.0.1", prefixLength: 24 },
  { interface: "eth1", address: "fd79::1", prefixLength: 64 },
  { interface: "docker0", address: "172.17.0.1", prefixLength: 16 },
  { interface: "docker0", address: "fd17::1", prefixLength: 64 },
];

export interface Route {
  readonly destination: string;
  readonly prefixLength: number;
  readonly interface: string;
  /** Next hop; absent for networks on the link. */
  readonly via?: string;
}

/** Routes of the gateway. */
export const GATEWAY_ROUTES: readonly Route[] = [
  { destination: "10.77.0.0", prefixLength: 24, interface: "eth0" },
  { destination: "10.79.0.0", prefixLength: 24, interface: "eth1" },
  { destination: "172.17.0.0", prefixLength: 16, interface: "docker0" },
  { destination: "192.168.60.0", prefixLength: 24, interface: "eth1", via: "10.79.0.10" },
  { destination: "0.0.0.0", prefixLength: 0, interface: "eth0", via: "10.77.0.10" },
  { destination: "fd77::", prefixLength: 64, interface: "eth0" },
  { destination: "fd79::", prefixLength: 64, interface: "eth1" },
  { destination: "fd17::", prefixLength: 64, interface: "docker0" },
  { destination: "2001:db8:6::", prefixLength: 64, interface: "eth1", via: "fd79::10" },
  { destination: "::", prefixLength: 0, interface: "eth0", via: "fd77::10" },
];

/** Addresses of the container, on the far side of `docker0`. */
export const CONTAINER_ADDRESSES = { ipv4: "172.17.0.2", ipv6: "fd17::2" } as const;

/** Addresses of the gateway that probes are sent to. */
export const DESTINATIONS: Readonly<Record<Family, readonly string[]>> = {
  ipv4: ["10.77.0.1", "10.77.0.2", "10.79.0.1", "172.17.0.1"],
  ipv6: ["fd77::1", "fd79::1", "fd17::1"],
};

/** TCP and UDP, IPv4 and IPv6: gateway and container listen on all of these. */
export const PORTS: readonly number[] = [
  22, 53, 80, 123, 161, 443, 502, 1883, 3000, 5000, 5001, 5671, 8080, 8081, 8443, 8883, 9000, 9090,
];
