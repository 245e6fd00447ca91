/** Byte order of the machine whose kernel speaks; `os.endianness()` says it. */
export type Endianness = "LE" | "BE";

const HEADER_BYTES = 16;
const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_OVERRUN = 4;
const FIRST_OWN_TYPE = 16;
const NLM_F_DUMP_INTR = 0x10;
/** The upper two bits of an attribute's type are flags. Source: linux/netlink.h, NLA_TYPE_MASK. */
const ATTRIBUTE_TYPE = 0x3fff;

/** A message that answers, with what follows its header. */
export interface NetlinkMessage {
  readonly type: number;
  readonly body: Uint8Array;
}

/**
 * What one datagram says. `more`: the dump goes on. `done`: it is complete. `error`: the kernel refused,
 * see `errorNumber`. `overrun`: the kernel lost replies. `malformed`: the bytes are not netlink.
 */
export interface NetlinkDatagram {
  readonly messages: readonly NetlinkMessage[];
  readonly outcome: "more" | "done" | "error" | "overrun" | "malformed";
  /** Positive errno of an `error`, else 0. */
  readonly errorNumber: number;
  /** What is dumped changed meanwhile. Source: NLM_F_DUMP_INTR. */
  readonly isInterrupted: boolean;
  /** Messages of other questions, and control messages that are not known. */
  readonly skipped: number;
}

export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
  readonly endianness: Endianness;
}

/** A request of one message. Source: netlink(7), struct nlmsghdr. */
export function netlinkRequest(request: NetlinkRequest): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + request.body.length);
  const view = new DataView(bytes.buffer);
  const isLittle = request.endianness === "LE";
  view.setUint32(0, bytes.length, isLittle);
  view.setUint16(4, request.type, isLittle);
  view.setUint16(6, request.flags, isLittle);
  view.setUint32(8, request.sequence, isLittle);
  bytes.set(request.body, HEADER_BYTES);
  return bytes;
}

/**
 * Reads one datagram. Messages of another question are left out, unless `any` is asked for; a header that contradicts the datagram
 * ends it as `malformed`. Never throws. Source: netlink(7).
 */
export function readDatagram(
  bytes: Uint8Array,
  sequence: number | "any",
  endianness: Endianness,
): NetlinkDatagram {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = endianness === "LE";
  const messages: NetlinkMessage[] = [];
  let isInterrupted = false;
  let skipped = 0;
  const ended = (outcome: NetlinkDatagram["outcome"], errorNumber = 0): NetlinkDatagram => ({
    messages,
    outcome,
    errorNumber,
    isInterrupted,
    skipped,
  });
  if (bytes.length === 0) return ended("malformed");
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) return ended("malformed");
    const length = view.getUint32(at, isLittle);
    if (length < HEADER_BYTES || at + length > bytes.length) return ended("malformed");
    const type = view.getUint16(at + 4, isLittle);
    const isOurs = sequence === "any" || view.getUint32(at + 8, isLittle) === sequence;
    const body = bytes.subarray(at + HEADER_BYTES, at + length);
    if (!isOurs) skipped += 1;
    else {
      isInterrupted ||= (view.getUint16(at + 6, isLittle) & NLM_F_DUMP_INTR) !== 0;
      if (type === NLMSG_ERROR || type === NLMSG_DONE) {
        const errno = body.length >= 4 ? Math.abs(view.getInt32(at + HEADER_BYTES, isLittle)) : 0;
        if (errno !== 0) return ended("error", errno);
        if (type === NLMSG_DONE) return ended("done");
      } else if (type === NLMSG_OVERRUN) return ended("overrun");
      else if (type >= FIRST_OWN_TYPE) messages.push({ type, body });
      else if (type !== NLMSG_NOOP) skipped += 1;
    }
    at += align4(length);
  }
  return ended("more");
}

/** One attribute; `value` is a part of the message. */
export interface NetlinkAttribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Attributes in their order. What is cut off is left out. Source: netlink(7), struct nlattr. */
export function listAttributes(
  bytes: Uint8Array,
  endianness: Endianness,
): readonly NetlinkAttribute[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = endianness === "LE";
  const attributes: NetlinkAttribute[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, isLittle);
    if (length < 4 || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, isLittle) & ATTRIBUTE_TYPE;
    attributes.push({ type, value: bytes.subarray(at + 4, at + length) });
    at += align4(length);
  }
  return attributes;
}

/** Attributes by type; of repeated ones the last. */
export function readAttributes(
  bytes: Uint8Array,
  endianness: Endianness,
): ReadonlyMap<number, Uint8Array> {
  return new Map(listAttributes(bytes, endianness).map(({ type, value }) => [type, value]));
}

function align4(length: number): number {
  return Math.ceil(length / 4) * 4;
}
