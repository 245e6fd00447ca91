import { ipv4FromBytes, ipv6FromBytes } from "./addresses.ts";
import { type Endianness, readAttributes, readDatagram } from "./netlink-message.ts";
import { GENERIC_HEADER_BYTES } from "./nfnetlink.ts";

/** One direction of a connection as connection tracking keeps it. */
export interface ConntrackFlow {
  readonly protocol: "tcp" | "udp";
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

/** A connection that connection tracking met or forgot. Source: nfnetlink_conntrack.h. */
export interface ConntrackNotice {
  readonly kind: "new" | "destroyed";
  /** As the first packet was: its source began the connection. */
  readonly flow: ConntrackFlow;
  /** As answers are: differs from the reverse of `flow` where addresses are translated. */
  readonly reply: ConntrackFlow | undefined;
}

/** NFNL_SUBSYS_CTNETLINK << 8, plus IPCTNL_MSG_CT_NEW and IPCTNL_MSG_CT_DELETE. */
const TYPE_NEW = 0x100;
const TYPE_DELETE = 0x102;
const TUPLE_ORIGINAL = 1;
const TUPLE_REPLY = 2;
const TUPLE_ADDRESSES = 1;
const TUPLE_PROTOCOL = 2;
const V4_SOURCE = 1;
const V4_DESTINATION = 2;
const V6_SOURCE = 3;
const V6_DESTINATION = 4;
const PROTOCOL_NUMBER = 1;
const SOURCE_PORT = 2;
const DESTINATION_PORT = 3;

/** Notices of one datagram; protocols other than TCP and UDP are left out. Never throws. */
export function parseConntrack(
  bytes: Uint8Array,
  endianness: Endianness,
): { readonly notices: readonly ConntrackNotice[]; readonly isMalformed: boolean } {
  const { messages, outcome } = readDatagram(bytes, "any", endianness);
  const notices: ConntrackNotice[] = [];
  for (const { type, body } of messages) {
    if (type !== TYPE_NEW && type !== TYPE_DELETE) continue;
    const attributes = readAttributes(body.subarray(GENERIC_HEADER_BYTES), endianness);
    const flow = readTuple(attributes.get(TUPLE_ORIGINAL), endianness);
    if (flow === undefined) continue;
    const kind = type === TYPE_NEW ? "new" : "destroyed";
    notices.push({ kind, flow, reply: readTuple(attributes.get(TUPLE_REPLY), endianness) });
  }
  return { notices, isMalformed: outcome === "malformed" };
}

function readTuple(
  bytes: Uint8Array | undefined,
  endianness: Endianness,
): ConntrackFlow | undefined {
  if (bytes === undefined) return undefined;
  const tuple = readAttributes(bytes, endianness);
  const addresses = readAttributes(tuple.get(TUPLE_ADDRESSES) ?? EMPTY, endianness);
  const transport = readAttributes(tuple.get(TUPLE_PROTOCOL) ?? EMPTY, endianness);
  const number = transport.get(PROTOCOL_NUMBER)?.[0];
  const sourceAddress = addressOf(addresses.get(V4_SOURCE), addresses.get(V6_SOURCE));
  const destinationAddress = addressOf(
    addresses.get(V4_DESTINATION),
    addresses.get(V6_DESTINATION),
  );
  const sourcePort = portOf(transport.get(SOURCE_PORT));
  const destinationPort = portOf(transport.get(DESTINATION_PORT));
  if (number !== 6 && number !== 17) return undefined;
  if (sourceAddress === undefined || destinationAddress === undefined) return undefined;
  if (sourcePort === undefined || destinationPort === undefined) return undefined;
  const protocol = number === 6 ? "tcp" : "udp";
  return { protocol, sourceAddress, sourcePort, destinationAddress, destinationPort };
}

const EMPTY = new Uint8Array(0);

function addressOf(v4: Uint8Array | undefined, v6: Uint8Array | undefined): string | undefined {
  if (v4?.length === 4) return ipv4FromBytes(v4);
  return v6?.length === 16 ? ipv6FromBytes(v6) : undefined;
}

/** Network order. */
function portOf(bytes: Uint8Array | undefined): number | undefined {
  const [high, low] = bytes ?? [];
  return bytes?.length !== 2 || high === undefined || low === undefined
    ? undefined
    : high * 256 + low;
}
