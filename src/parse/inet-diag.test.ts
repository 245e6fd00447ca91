import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isIpAddress } from "./addresses.ts";
import { inetDiagRequest, parseInetDiag, STATE_LISTEN } from "./inet-diag.ts";

const context = { protocol: "tcp", sequence: 7, endianness: "LE" } as const;

interface MessageForm {
  readonly type: number;
  readonly flags?: number;
  readonly sequence?: number;
  readonly body?: Uint8Array;
  readonly length?: number;
}

function message(form: MessageForm, isLittle = true): Uint8Array {
  const body = form.body ?? new Uint8Array(0);
  const bytes = new Uint8Array(16 + Math.ceil(body.length / 4) * 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, form.length ?? 16 + body.length, isLittle);
  view.setUint16(4, form.type, isLittle);
  view.setUint16(6, form.flags ?? 2, isLittle);
  view.setUint32(8, form.sequence ?? 7, isLittle);
  bytes.set(body, 16);
  return bytes;
}

function socketBody(isLittle = true, family = 2): Uint8Array {
  const bytes = new Uint8Array(72);
  const view = new DataView(bytes.buffer);
  bytes[0] = family;
  bytes[1] = 10;
  view.setUint16(4, 8883, false);
  view.setUint16(6, 0, false);
  bytes.set(family === 2 ? [192, 0, 2, 5] : [0xfe, 0x80, ...new Array(13).fill(0), 9], 8);
  view.setUint32(40, 3, isLittle);
  view.setUint32(64, 1000, isLittle);
  view.setUint32(68, 4242, isLittle);
  return bytes;
}

function intBody(value: number, isLittle = true): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, isLittle);
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A reply of a real kernel (6.x, little endian) to a dump of listening TCP sockets: one on 0.0.0.0:2024. */
const RECORDED = Buffer.from(
  "7c000000140002000100000003260000020a000007e8000000000000000000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000800000000000000024040000050008000000000008000f00000000000c00150001000000000000000600160052000000",
  "hex",
);

describe("a sock_diag dump", () => {
  it("of a real kernel reads as ss reads it", () => {
    const reply = parseInetDiag(RECORDED, { ...context, sequence: 1 });
    assert.equal(reply.outcome, "more");
    assert.deepEqual(reply.sockets, [
      {
        protocol: "tcp",
        family: "ipv4",
        state: 10,
        localAddress: "0.0.0.0",
        localPort: 2024,
        remoteAddress: "0.0.0.0",
        remotePort: 0,
        userId: 0,
        inode: 1060,
        interfaceIndex: 0,
      },
    ]);
  });

  for (const endianness of ["LE", "BE"] as const) {
    it(`reads sockets of both families and the end on a ${endianness} machine`, () => {
      const isLittle = endianness === "LE";
      const bytes = join(
        message({ type: 20, body: socketBody(isLittle) }, isLittle),
        message({ type: 20, body: socketBody(isLittle, 10) }, isLittle),
        message({ type: 3, body: intBody(0, isLittle) }, isLittle),
      );
      const reply = parseInetDiag(bytes, { ...context, endianness });
      assert.equal(reply.outcome, "done");
      assert.equal(reply.sockets.length, 2);
      const [first, second] = reply.sockets;
      assert.equal(first?.localAddress, "192.0.2.5");
      assert.equal(second?.localAddress, "fe80::9");
      assert.equal(second?.family, "ipv6");
      assert.equal(second?.interfaceIndex, 3);
      assert.deepEqual([first?.localPort, first?.userId, first?.inode], [8883, 1000, 4242]);
    });
  }

  it("that the kernel refuses gives its errno", () => {
    const reply = parseInetDiag(message({ type: 2, body: intBody(-1) }), context);
    assert.deepEqual([reply.outcome, reply.errorNumber], ["error", 1]);
  });

  it("that fails half-way gives the errno that DONE carries", () => {
    const reply = parseInetDiag(message({ type: 3, body: intBody(-2) }), context);
    assert.deepEqual([reply.outcome, reply.errorNumber], ["error", 2]);
  });

  it("that changed while it was made is marked", () => {
    const reply = parseInetDiag(message({ type: 3, flags: 0x12, body: intBody(0) }), context);
    assert.equal(reply.isInterrupted, true);
  });

  it("skips answers to another question and counts them", () => {
    const bytes = join(
      message({ type: 20, sequence: 6, body: socketBody() }),
      message({ type: 3, sequence: 6, body: intBody(0) }),
      message({ type: 20, body: socketBody() }),
    );
    const reply = parseInetDiag(bytes, context);
    assert.deepEqual([reply.outcome, reply.sockets.length, reply.skipped], ["more", 1, 2]);
  });

  it("says that replies were lost", () => {
    assert.equal(parseInetDiag(message({ type: 4 }), context).outcome, "overrun");
  });

  it("counts a socket that is too short or of an unknown family", () => {
    const bytes = join(
      message({ type: 20, body: socketBody().subarray(0, 71) }),
      message({ type: 20, body: socketBody(true, 99) }),
    );
    assert.deepEqual(parseInetDiag(bytes, context).skipped, 2);
  });

  it("is malformed when a length is too small or leaves the datagram", () => {
    for (const length of [0, 15, 17, 0xffffffff]) {
      assert.equal(parseInetDiag(message({ type: 20, length }), context).outcome, "malformed");
    }
    assert.equal(parseInetDiag(new Uint8Array(0), context).outcome, "malformed");
    assert.equal(parseInetDiag(new Uint8Array(9), context).outcome, "malformed");
  });

  it("never throws and stays bounded on garbage", () => {
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .record({
          type: fc.constantFrom(1, 2, 3, 4, 20, 99),
          flags: fc.integer({ min: 0, max: 0xffff }),
          body: fc.uint8Array({ maxLength: 120 }),
        })
        .map((form) => message(form)),
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
        const bytes = join(...chunks);
        const reply = parseInetDiag(bytes, context);
        assert.ok(reply.sockets.length * 88 <= bytes.length);
        for (const socket of reply.sockets) assert.ok(isIpAddress(socket.localAddress));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a sock_diag request", () => {
  it("is laid out as struct inet_diag_req_v2", () => {
    const request = inetDiagRequest({ ...context, family: "ipv6", states: [STATE_LISTEN] });
    assert.equal(request.length, 72);
    assert.equal(
      Buffer.from(request.subarray(0, 24)).toString("hex"),
      "480000001400010307000000000000000a06000000040000",
    );
  });

  it("can ask for state 31 and for a big-endian kernel", () => {
    const request = inetDiagRequest({
      protocol: "udp",
      family: "ipv4",
      states: [7, 31],
      sequence: 1,
      endianness: "BE",
    });
    assert.equal(Buffer.from(request.subarray(0, 8)).toString("hex"), "0000004800140301");
    assert.equal(Buffer.from(request.subarray(16, 24)).toString("hex"), "0211000080000080");
  });
});
