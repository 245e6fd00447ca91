import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseConntrack } from "./conntrack.ts";
import { parseSocketEnds } from "./inet-diag.ts";
import { parseLocalIpv4, parseLocalIpv6 } from "./local-addresses.ts";

function attribute(type: number, value: Uint8Array): Uint8Array {
  const padded = Math.ceil((value.length + 4) / 4) * 4;
  const bytes = new Uint8Array(padded);
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

const NESTED = 0x8000;

function tuple(
  type: number,
  addresses: readonly (readonly [type: number, bytes: readonly number[]])[],
  protocol: number,
  ports: readonly [source: number, destination: number],
): Uint8Array {
  const [source, destination] = ports;
  return attribute(
    type | NESTED,
    joined(
      attribute(
        1 | NESTED,
        joined(...addresses.map(([kind, bytes]) => attribute(kind, Uint8Array.from(bytes)))),
      ),
      attribute(
        2 | NESTED,
        joined(
          attribute(1, Uint8Array.of(protocol)),
          attribute(2, Uint8Array.of(source >> 8, source & 255)),
          attribute(3, Uint8Array.of(destination >> 8, destination & 255)),
        ),
      ),
    ),
  );
}

const V4 = [
  [1, [192, 0, 2, 1]],
  [2, [192, 0, 2, 2]],
] as const;
const FLOW = {
  protocol: "tcp",
  sourceAddress: "192.0.2.1",
  sourcePort: 40_000,
  destinationAddress: "192.0.2.2",
  destinationPort: 443,
};

describe("a notice of connection tracking", () => {
  const generic = Uint8Array.of(2, 0, 0, 0);
  const fresh = message(0x100, joined(generic, tuple(1, V4, 6, [40_000, 443])));

  it("tells both ends of a new connection", () => {
    const { notices, isMalformed } = parseConntrack(fresh, "LE");
    assert.equal(isMalformed, false);
    assert.deepEqual(notices, [{ kind: "new", flow: FLOW, reply: undefined }]);
  });

  it("tells IPv6 and UDP, and what was forgotten", () => {
    const v6 = [
      [3, [0xfd, ...new Array<number>(14).fill(0), 1]],
      [4, [0xfd, ...new Array<number>(14).fill(0), 2]],
    ] as const;
    const ended = message(0x102, joined(generic, tuple(1, v6, 17, [5353, 53])));
    const [notice] = parseConntrack(ended, "LE").notices;
    assert.deepEqual(notice?.kind, "destroyed");
    assert.deepEqual(notice?.flow.sourceAddress, "fd00::1");
    assert.deepEqual([notice?.flow.protocol, notice?.flow.destinationPort], ["udp", 53]);
  });

  it("of ICMP is left out, and does not hide others", () => {
    const icmp = message(0x100, joined(generic, tuple(1, V4, 1, [0, 0])));
    assert.equal(parseConntrack(joined(icmp, fresh), "LE").notices.length, 1);
  });

  it("is read from any bytes without failing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parseConntrack(message(0x100, bytes), "LE");
        parseConntrack(bytes, "LE");
        parseSocketEnds(message(20, bytes), "LE");
        parseSocketEnds(bytes, "LE");
      }),
    );
  });
});

/** struct inet_diag_msg of a socket that is gone: ports and addresses, no user and no inode. */
function endedSocket(): Uint8Array {
  const body = new Uint8Array(72);
  const view = new DataView(body.buffer);
  body[0] = 2;
  body[1] = 7;
  view.setUint16(4, 40_000, false);
  view.setUint16(6, 443, false);
  body.set([192, 0, 2, 1], 8);
  body.set([192, 0, 2, 2], 24);
  return body;
}

function tcpInfo(rtt: number, sent: bigint, received: bigint): Uint8Array {
  const info = new Uint8Array(232);
  const view = new DataView(info.buffer);
  view.setUint32(68, rtt, true);
  view.setBigUint64(120, sent, true);
  view.setBigUint64(128, received, true);
  return info;
}

describe("the end of a socket", () => {
  it("tells its ends, what it carried and whether it was ever established", () => {
    const protocol = attribute(10, Uint8Array.of(6));
    const info = attribute(2, tcpInfo(250, 1_234n, 99n));
    const { ends, skipped } = parseSocketEnds(
      message(20, joined(endedSocket(), protocol, info)),
      "LE",
    );
    assert.equal(skipped, 0);
    const [end] = ends;
    assert.deepEqual(end?.tcp, { wasEstablished: true, bytesSent: 1_234, bytesReceived: 99 });
    assert.deepEqual(
      [end?.socket.localAddress, end?.socket.localPort, end?.socket.remotePort],
      ["192.0.2.1", 40_000, 443],
    );
  });

  it("without an answer was never established; without details it still is an end", () => {
    const protocol = attribute(10, Uint8Array.of(6));
    const info = attribute(2, tcpInfo(0, 0n, 0n));
    const failed = parseSocketEnds(message(20, joined(endedSocket(), protocol, info)), "LE");
    assert.equal(failed.ends[0]?.tcp?.wasEstablished, false);
    const udp = attribute(10, Uint8Array.of(17));
    assert.equal(
      parseSocketEnds(message(20, joined(endedSocket(), udp)), "LE").ends[0]?.tcp,
      undefined,
    );
  });
});

/** As a device with one address on a network, and loopback, shows them; cut to what matters. */
const FIB_TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
`;

describe("the addresses of this device", () => {
  it("are the leaves that are routed to itself", () => {
    assert.deepEqual([...parseLocalIpv4(FIB_TRIE)], ["127.0.0.1", "192.0.2.2"]);
    assert.deepEqual(
      [...parseLocalIpv6("fd000000000000000000000000000002 04 40 00 82     eth0\n")],
      ["fd00::2"],
    );
  });

  it("are none in anything else", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.ok(parseLocalIpv4(text).size + parseLocalIpv6(text).size >= 0);
      }),
    );
  });
});
