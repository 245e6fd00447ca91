import type { AddressFamily, SocketFacts } from "../contract/probe.ts";
import { ipv4FromBytes, ipv6FromBytes } from "./addresses.ts";

/** Byte order of the machine whose kernel speaks; `os.endianness()` says it. */
export type Endianness = "LE" | "BE";

/** TCP_LISTEN, and TCP_CLOSE, which is what an unconnected UDP socket is in. Source: tcp_states.h. */
export const STATE_LISTEN = 10;
export const STATE_CLOSE = 7;

const NETLINK_HEADER_BYTES = 16;
const REQUEST_BYTES = 56;
const MESSAGE_BYTES = 72;
const ID_OFFSET = 4;

const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_OVERRUN = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 0x1;
const NLM_F_DUMP_INTR = 0x10;
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
  const bytes = new Uint8Array(NETLINK_HEADER_BYTES + REQUEST_BYTES);
  const view = new DataView(bytes.buffer);
  const isLittle = request.endianness === "LE";
  view.setUint32(0, bytes.length, isLittle);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, isLittle);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, isLittle);
  view.setUint32(8, request.sequence, isLittle);
  view.setUint8(16, FAMILY_NUMBERS[request.family]);
  view.setUint8(17, PROTOCOL_NUMBERS[request.protocol]);
  const stateMask = request.states.reduce((mask, state) => mask | (1 << state), 0);
  view.setUint32(20, stateMask >>> 0, isLittle);
  return bytes;
}

export interface InetDiagReply {
  readonly sockets: readonly SocketFacts[];
  /**
   * `more`: the dump goes on in the next datagram. `done`: it is complete. `error`: the kernel refused,
   * see `errorNumber`. `overrun`: the kernel lost replies. `malformed`: the bytes are not netlink.
   */
  readonly outcome: "more" | "done" | "error" | "overrun" | "malformed";
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = context.endianness === "LE";
  const sockets: SocketFacts[] = [];
  let outcome: InetDiagReply["outcome"] = bytes.length === 0 ? "malformed" : "more";
  let errorNumber = 0;
  let isInterrupted = false;
  let skipped = 0;
  let at = 0;
  while (outcome === "more" && at < bytes.length) {
    const header = readHeader(view, at, isLittle);
    if (header === undefined) {
      outcome = "malformed";
      break;
    }
    const bodyAt = at + NETLINK_HEADER_BYTES;
    const bodyBytes = header.length - NETLINK_HEADER_BYTES;
    at += align4(header.length);
    if (header.sequence !== context.sequence) {
      skipped += 1;
      continue;
    }
    isInterrupted ||= (header.flags & NLM_F_DUMP_INTR) !== 0;
    if (header.type === SOCK_DIAG_BY_FAMILY) {
      const socket = readSocket({ view, bodyAt, bodyBytes, isLittle }, context.protocol);
      if (socket === undefined) skipped += 1;
      else sockets.push(socket);
    } else if (header.type === NLMSG_ERROR || header.type === NLMSG_DONE) {
      // A dump that failed half-way ends in DONE with an errno; ERROR with 0 is an acknowledgement.
      errorNumber = bodyBytes >= 4 ? Math.abs(view.getInt32(bodyAt, isLittle)) : 0;
      if (errorNumber !== 0) outcome = "error";
      else if (header.type === NLMSG_DONE) outcome = "done";
    } else if (header.type === NLMSG_OVERRUN) outcome = "overrun";
    else if (header.type !== NLMSG_NOOP) skipped += 1;
  }
  return { sockets, outcome, errorNumber, isInterrupted, skipped };
}

interface NetlinkHeader {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

function readHeader(view: DataView, at: number, isLittle: boolean): NetlinkHeader | undefined {
  if (at + NETLINK_HEADER_BYTES > view.byteLength) return undefined;
  const length = view.getUint32(at, isLittle);
  if (length < NETLINK_HEADER_BYTES || at + length > view.byteLength) return undefined;
  return {
    length,
    type: view.getUint16(at + 4, isLittle),
    flags: view.getUint16(at + 6, isLittle),
    sequence: view.getUint32(at + 8, isLittle),
  };
}

interface Body {
  readonly view: DataView;
  readonly bodyAt: number;
  readonly bodyBytes: number;
  readonly isLittle: boolean;
}

/** struct inet_diag_msg: ports and addresses in network order, the rest in host order. */
function readSocket(body: Body, protocol: SocketFacts["protocol"]): SocketFacts | undefined {
  const { view, bodyAt, isLittle } = body;
  if (body.bodyBytes < MESSAGE_BYTES) return undefined;
  const familyNumber = view.getUint8(bodyAt);
  if (familyNumber !== FAMILY_NUMBERS.ipv4 && familyNumber !== FAMILY_NUMBERS.ipv6) {
    return undefined;
  }
  const family: AddressFamily = familyNumber === FAMILY_NUMBERS.ipv4 ? "ipv4" : "ipv6";
  const addressText = family === "ipv4" ? ipv4FromBytes : ipv6FromBytes;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const id = bodyAt + ID_OFFSET;
  return {
    protocol,
    family,
    state: view.getUint8(bodyAt + 1),
    localAddress: addressText(bytes, id + 4),
    localPort: view.getUint16(id, false),
    remoteAddress: addressText(bytes, id + 20),
    remotePort: view.getUint16(id + 2, false),
    userId: view.getUint32(bodyAt + 64, isLittle),
    inode: view.getUint32(bodyAt + 68, isLittle),
    interfaceIndex: view.getUint32(id + 36, isLittle),
  };
}

function align4(length: number): number {
  return Math.ceil(length / 4) * 4;
}
