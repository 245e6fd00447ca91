/** Datagrams of the kernel about connections, little endian, for tests that feed them. */
import { addressBytes } from "../../src/parse/addresses.ts";

type End = readonly [address: string, port: number];

function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((value.length + 4) / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, value.length + 4, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

function message(type: number, body: Uint8Array): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint32(0, 16 + body.length, true);
  view.setUint16(4, type, true);
  return joined(header, body);
}

function port(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number & 255);
}

/** The first packet of a flow between IPv4 addresses. Source: nfnetlink_conntrack.h. */
export function trackedFlow(protocol: "tcp" | "udp", from: End, to: End): Uint8Array {
  const addresses = joined(
    attribute(1, addressBytes(from[0]) ?? new Uint8Array(4)),
    attribute(2, addressBytes(to[0]) ?? new Uint8Array(4)),
  );
  const transport = joined(
    attribute(1, Uint8Array.of(protocol === "tcp" ? 6 : 17)),
    attribute(2, port(from[1])),
    attribute(3, port(to[1])),
  );
  const tuple = attribute(1, joined(attribute(1, addresses), attribute(2, transport)));
  return message(0x100, joined(Uint8Array.of(2, 0, 0, 0), tuple));
}

/** A TCP socket between IPv4 addresses that was destroyed. Source: sock_diag(7), linux/tcp.h. */
export function socketEnd(
  local: End,
  remote: End,
  options: { readonly isFailed?: boolean } = {},
): Uint8Array {
  const body = new Uint8Array(72);
  body[0] = 2;
  body[1] = 7;
  body.set(port(local[1]), 4);
  body.set(port(remote[1]), 6);
  body.set(addressBytes(local[0]) ?? [], 8);
  body.set(addressBytes(remote[0]) ?? [], 24);
  const info = new Uint8Array(232);
  const view = new DataView(info.buffer);
  view.setUint32(68, options.isFailed === true ? 0 : 250, true);
  view.setBigUint64(120, 1_234n, true);
  return message(20, joined(body, attribute(10, Uint8Array.of(6)), attribute(2, info)));
}
