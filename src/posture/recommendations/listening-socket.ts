import type { ProcessFacts, SocketFacts } from "../../contract/probe.ts";
import { unmappedAddress } from "../../parse/addresses.ts";
import { compareText } from "./text-order.ts";

/** A socket with what is known of who opened it. */
export interface ListeningSocket {
  readonly socket: SocketFacts;
  /** The interface that the socket is bound to, where it is and its name is known. */
  readonly interfaceName?: string;
  /** The kernel was asked, and the socket serves IPv6 alone. */
  readonly isIpv6Only?: boolean;
  readonly process?: Partial<
    Pick<ProcessFacts, "processId" | "name" | "executable" | "unit" | "container">
  >;
}

/** Kernel states of a socket that waits for strangers. Source: include/net/tcp_states.h */
const LISTEN = 10;
const CLOSE = 7;

/**
 * The sockets that wait for strangers, by protocol, port and address, each address and port once: what
 * several share (SO_REUSEPORT) is named by the first with a known process.
 */
export function waitingSockets(all: readonly ListeningSocket[]): readonly ListeningSocket[] {
  const byPlace = new Map<string, ListeningSocket>();
  for (const one of all) {
    if (!isWaiting(one.socket)) continue;
    const { protocol, localAddress, localPort, interfaceIndex } = one.socket;
    const key = `${protocol} ${localPort} ${localAddress} ${interfaceIndex}`;
    const known = byPlace.get(key);
    if (known === undefined || (known.process === undefined && one.process !== undefined))
      byPlace.set(key, one);
  }
  return [...byPlace.values()].sort(byPlaceOrder);
}

function isWaiting({ protocol, state, remotePort, localPort }: SocketFacts): boolean {
  if (localPort === 0) return false;
  return protocol === "tcp" ? state === LISTEN : state === CLOSE && remotePort === 0;
}

function byPlaceOrder({ socket: a }: ListeningSocket, { socket: b }: ListeningSocket): number {
  return (
    compareText(a.protocol, b.protocol) ||
    a.localPort - b.localPort ||
    compareText(a.localAddress, b.localAddress) ||
    a.interfaceIndex - b.interfaceIndex
  );
}

/** Whether a socket takes packets to any address of the device. */
export function isWildcard({ localAddress }: SocketFacts): boolean {
  return localAddress === "0.0.0.0" || localAddress === "::";
}

/** `192.0.2.1` for a socket that is bound to `::ffff:192.0.2.1`. */
export function boundAddress({ localAddress }: SocketFacts): string {
  return unmappedAddress(localAddress);
}
