import type { AddressFamily, SocketFacts } from "../contract/probe.ts";
import { ipv4FromBytes, ipv6FromBytes } from "./addresses.ts";
import {
  type Endianness,
  type NetlinkDatagram,
  netlinkRequest,
  readAttributes,
  readDatagram,
} from "./netlink-message.ts";

/** TCP_LISTEN, and TCP_CLOSE, which is what an unconnected UDP socket is in. Source: tcp_states.h. */
export const STATE_LISTEN = 10;
export const STATE_CLOSE = 7;

const REQUEST_BYTES = 56;
const MESSAGE_BYTES = 72;
const ID_OFFSET = 4;

const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 0x1;
const NLM_F_DUMP = 0x300;

const PROTOCOL_NUMBERS = { tcp: 6, udp: 17 } as const;
const FAMILY_NUMBERS = { ipv4: 2, ipv6: 10 } as const;

export interface InetDiagRequest {
  readonly protocol: SocketFacts["protocol"];
  readonly family: AddressFamily;
  /** Kernel state numbers wanted, 1 to 31. */
  readonly states: readonly number[];
  /** Comes back in every reply, so that a reply to an older question is not taken for this one. */
  readonly sequence: number;
  readonly endianness: Endianness;
}

/**
 * The dump request for all sockets of one protocol and family in the given states: nlmsghdr and
 * inet_diag_req_v2, 72 bytes. Source: sock_diag(7), linux/inet_diag.h.
 */
export function inetDiagRequest(request: InetDiagRequest): Uint8Array {
  const { sequence, endianness } = request;
  const body = new Uint8Array(REQUEST_BYTES);
  body[0] = FAMILY_NUMBERS[request.family];
  body[1] = PROTOCOL_NUMBERS[request.protocol];
  const stateMask = request.states.reduce((mask, state) => mask | (1 << state), 0);
  new DataView(body.buffer).setUint32(4, stateMask >>> 0, endianness === "LE");
  const flags = NLM_F_REQUEST | NLM_F_DUMP;
  return netlinkRequest({ type: SOCK_DIAG_BY_FAMILY, flags, sequence, body, endianness });
}

export interface InetDiagReply {
  readonly sockets: readonly SocketFacts[];
  /**
   * `more`: the dump goes on in the next datagram. `done`: it is complete. `error`: the kernel refused,
   * see `errorNumber`. `overrun`: the kernel lost replies. `malformed`: the bytes are not netlink.
   */
  readonly outcome: NetlinkDatagram["outcome"];
  /** Positive errno of an `error`, else 0. */
  readonly errorNumber: number;
  /** The table changed during the dump, so a socket may be missing or twice. Source: NLM_F_DUMP_INTR. */
  readonly isInterrupted: boolean;
  /** Messages of another question, another type, or too short to be a socket. */
  readonly skipped: number;
}

export interface InetDiagReplyContext {
  readonly protocol: SocketFacts["protocol"];
  readonly sequence: number;
  readonly endianness: Endianness;
}

/**
 * Reads one datagram of a sock_diag dump. Never throws: what is not understood is counted in `skipped`,
 * and a header that contradicts the datagram ends it as `malformed`. Output is bounded by the input:
 * one socket takes at least 88 bytes. Source: netlink(7), sock_diag(7), struct inet_diag_msg.
 */
export function parseInetDiag(bytes: Uint8Array, context: InetDiagReplyContext): InetDiagReply {
  const { messages, ...datagram } = readDatagram(bytes, context.sequence, context.endianness);
  const sockets: SocketFacts[] = [];
  const texts: AddressTexts = new Map();
  let { skipped } = datagram;
  for (const { type, body } of messages) {
    const socket = type === SOCK_DIAG_BY_FAMILY ? readSocket(body, context, texts) : undefined;
    if (socket === undefined) skipped += 1;
    else sockets.push(socket);
  }
  return { ...datagram, sockets, skipped };
}

/** A socket that the kernel has destroyed, with what it had done. */
export interface SocketEnd {
  readonly socket: SocketFacts;
  /** What struct tcp_info said last; absent for UDP. */
  readonly tcp?: {
    /** A round trip was measured, so the connection was established. */
    readonly wasEstablished: boolean;
    readonly bytesSent: number;
    readonly bytesReceived: number;
  };
}

/** Attributes of inet_diag messages. Source: linux/inet_diag.h. */
const ATTRIBUTE_INFO = 2;
const ATTRIBUTE_PROTOCOL = 10;
/** Members of struct tcp_info. Source: linux/tcp.h. */
const TCP_RTT_AT = 68;
const TCP_BYTES_ACKED_AT = 120;
const TCP_BYTES_RECEIVED_AT = 128;

/**
 * Sockets of one datagram of the groups that tell of destroyed sockets. The kernel no longer says whose
 * they were: user and inode are 0. Source: net/core/sock_diag.c, sock_diag_broadcast_destroy.
 */
export function parseSocketEnds(
  bytes: Uint8Array,
  endianness: Endianness,
): { readonly ends: readonly SocketEnd[]; readonly skipped: number } {
  const { messages, ...datagram } = readDatagram(bytes, "any", endianness);
  const ends: SocketEnd[] = [];
  let skipped = datagram.skipped + (datagram.outcome === "malformed" ? 1 : 0);
  for (const { type, body } of messages) {
    const end = type === SOCK_DIAG_BY_FAMILY ? readSocketEnd(body, endianness) : undefined;
    if (end === undefined) skipped += 1;
    else ends.push(end);
  }
  return { ends, skipped };
}

function readSocketEnd(body: Uint8Array, endianness: Endianness): SocketEnd | undefined {
  if (body.length < MESSAGE_BYTES) return undefined;
  const attributes = readAttributes(body.subarray(MESSAGE_BYTES), endianness);
  const number = attributes.get(ATTRIBUTE_PROTOCOL)?.[0];
  if (number !== PROTOCOL_NUMBERS.tcp && number !== PROTOCOL_NUMBERS.udp) return undefined;
  const protocol = number === PROTOCOL_NUMBERS.tcp ? "tcp" : "udp";
  const socket = readSocket(body, { protocol, sequence: 0, endianness }, new Map());
  if (socket === undefined) return undefined;
  const info = attributes.get(ATTRIBUTE_INFO);
  if (protocol === "udp" || info === undefined || info.length < TCP_BYTES_RECEIVED_AT + 8) {
    return { socket };
  }
  const view = new DataView(info.buffer, info.byteOffset, info.byteLength);
  const isLittle = endianness === "LE";
  const tcp = {
    wasEstablished: view.getUint32(TCP_RTT_AT, isLittle) > 0,
    bytesSent: Number(view.getBigUint64(TCP_BYTES_ACKED_AT, isLittle)),
    bytesReceived: Number(view.getBigUint64(TCP_BYTES_RECEIVED_AT, isLittle)),
  };
  return { socket, tcp };
}

/** struct inet_diag_msg: ports and addresses in network order, the rest in host order. */
function readSocket(
  body: Uint8Array,
  context: InetDiagReplyContext,
  texts: AddressTexts,
): SocketFacts | undefined {
  if (body.length < MESSAGE_BYTES) return undefined;
  const familyNumber = body[0];
  if (familyNumber !== FAMILY_NUMBERS.ipv4 && familyNumber !== FAMILY_NUMBERS.ipv6) {
    return undefined;
  }
  const family: AddressFamily = familyNumber === FAMILY_NUMBERS.ipv4 ? "ipv4" : "ipv6";
  const addressText = (bytes: Uint8Array, at: number): string =>
    family === "ipv4" ? ipv4Text(bytes, at, texts) : ipv6FromBytes(bytes, at);
  return {
    protocol: context.protocol,
    family,
    state: body[1] ?? 0,
    localAddress: addressText(body, ID_OFFSET + 4),
    localPort: portAt(body, ID_OFFSET),
    remoteAddress: addressText(body, ID_OFFSET + 20),
    remotePort: portAt(body, ID_OFFSET + 2),
    userId: wordAt(body, 64, context.endianness),
    inode: wordAt(body, 68, context.endianness),
    interfaceIndex: wordAt(body, ID_OFFSET + 36, context.endianness),
  };
}

/** Texts of one datagram: most of its sockets share a few addresses. */
type AddressTexts = Map<number, string>;

function ipv4Text(bytes: Uint8Array, at: number, texts: AddressTexts): string {
  const key = wordAt(bytes, at, "BE");
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = ipv4FromBytes(bytes, at);
  texts.set(key, text);
  return text;
}

function portAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Without a DataView: one for each of ten thousand sockets is what the collector of garbage lives on. */
function wordAt(bytes: Uint8Array, at: number, endianness: Endianness): number {
  const a = bytes[at] ?? 0;
  const b = bytes[at + 1] ?? 0;
  const c = bytes[at + 2] ?? 0;
  const d = bytes[at + 3] ?? 0;
  const word =
    endianness === "LE"
      ? (d << 24) | (c << 16) | (b << 8) | a
      : (a << 24) | (b << 16) | (c << 8) | d;
  return word >>> 0;
}
