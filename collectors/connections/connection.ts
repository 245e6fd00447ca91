import type { SocketFacts } from "../../src/contract/probe.ts";
import { unmappedAddress } from "../../src/parse/addresses.ts";
import type { ConntrackFlow } from "../../src/parse/conntrack.ts";

/** The two ends of a connection, seen from here. IPv4 is IPv4, whatever the family of the socket. */
export interface Endpoints {
  readonly protocol: "tcp" | "udp";
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

export type Direction = "In" | "Out";

export function endpointsOf(socket: SocketFacts): Endpoints {
  return {
    protocol: socket.protocol,
    localAddress: unmappedAddress(socket.localAddress),
    localPort: socket.localPort,
    remoteAddress: unmappedAddress(socket.remoteAddress),
    remotePort: socket.remotePort,
  };
}

/** A tracked flow as the side that began it sees it, or as the side that it came to. */
export function endpointsOfFlow(flow: ConntrackFlow, direction: Direction): Endpoints {
  const { protocol, sourceAddress, sourcePort, destinationAddress, destinationPort } = flow;
  return direction === "Out"
    ? {
        protocol,
        localAddress: sourceAddress,
        localPort: sourcePort,
        remoteAddress: destinationAddress,
        remotePort: destinationPort,
      }
    : {
        protocol,
        localAddress: destinationAddress,
        localPort: destinationPort,
        remoteAddress: sourceAddress,
        remotePort: sourcePort,
      };
}

export function keyOf(ends: Endpoints): string {
  const { protocol, localAddress, localPort, remoteAddress, remotePort } = ends;
  return `${protocol} ${localAddress} ${localPort} ${remoteAddress} ${remotePort}`;
}
