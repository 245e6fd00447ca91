import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { netlinkRequest, readAttributes, readDatagram } from "./netlink-message.ts";
import { tableOf, tablesRequest } from "./nf-tables.ts";

/** A reply of Linux 6.18 to the dump of tables: `ip filter`, its use and handle, then the end. */
const TABLE =
  "30000000000a02000700000001000000020000000b00010066696c7465720000080002000000000008000300000000020c0004000000000000000001";

function message(type: number, body: string, sequence = 7): string {
  const bytes = Buffer.from(body, "hex");
  const request = netlinkRequest({ type, flags: 2, sequence, body: bytes, endianness: "LE" });
  return Buffer.from(request).toString("hex");
}
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const NAME = "0b00010066696c7465720000";

describe("the dump of tables", () => {
  it("is asked for with a header of 16 bytes and a family of 0", () => {
    const hex = Buffer.from(tablesRequest(7, "LE")).toString("hex");
    assert.equal(hex, "14000000010a0103070000000000000000000000");
  });

  it("yields family and name of each table, then its end", () => {
    const datagram = readDatagram(
      bytes(
        message(0x0a00, `02000000${NAME}`) +
          message(0x0a00, `0a000000${NAME}`) +
          message(3, "00000000"),
      ),
      7,
      "LE",
    );
    assert.equal(datagram.outcome, "done");
    assert.deepEqual(
      datagram.messages.map((one) => tableOf(one, "LE")),
      [
        { family: "ip", name: "filter", isDormant: false },
        { family: "ip6", name: "filter", isDormant: false },
      ],
    );
  });

  it("tells the errno of a refusal", () => {
    const refused = readDatagram(bytes(message(2, "ffffffff")), 7, "LE");
    assert.deepEqual([refused.outcome, refused.errorNumber], ["error", 1]);
  });

  it("leaves out answers to other questions", () => {
    const datagram = readDatagram(bytes(message(0x0a00, `02000000${NAME}`, 6)), 7, "LE");
    assert.deepEqual([datagram.outcome, datagram.messages.length], ["more", 0]);
  });

  it("takes any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const datagram = readDatagram(noise, 0, "LE");
        for (const one of datagram.messages) tableOf(one, "LE");
        readAttributes(noise, "BE");
      }),
    );
    fc.assert(
      fc.property(fc.nat(TABLE.length / 2), fc.nat(255), (at, value) => {
        const noisy = bytes(TABLE);
        noisy[at] = value;
        for (const one of readDatagram(noisy, 7, "LE").messages) tableOf(one, "LE");
      }),
    );
  });
});
