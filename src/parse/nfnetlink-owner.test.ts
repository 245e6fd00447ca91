import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { netlinkRequest, readDatagram } from "./netlink-message.ts";
import { foreignTrait, type IptablesTable, objectsRequest } from "./nfnetlink-owner.ts";

const FILTER: IptablesTable = { family: "ip", name: "filter", isDormant: false };
const CHAIN = 0x0a03;
const RULE = 0x0a06;
const SET = 0x0a09;

type Order = "LE" | "BE";

/** An attribute as the kernel writes it: length and type in its own order, padded to four bytes. */
function attribute(type: number, value: Uint8Array, order: Order): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint16(0, 4 + value.length, order === "LE");
  view.setUint16(2, type, order === "LE");
  bytes.set(value, 4);
  return bytes;
}
const text = (value: string): Buffer => Buffer.from(`${value}\0`);
function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function message(type: number, family: number, body: Uint8Array, order: Order): Uint8Array {
  const header = Uint8Array.of(family, 0, 0, 0);
  return netlinkRequest({
    type,
    flags: 2,
    sequence: 7,
    body: Buffer.concat([header, body]),
    endianness: order,
  });
}

function traitOf(bytes: Uint8Array, table: IptablesTable, order: Order): string | undefined {
  const { messages } = readDatagram(bytes, 7, order);
  assert.equal(messages.length, 1);
  const [only] = messages;
  assert.ok(only !== undefined);
  return foreignTrait(only, table, order);
}

function chain(name: string, hook: number | undefined, priority: number, order: Order): Uint8Array {
  const hookBytes = Buffer.concat([
    attribute(1, number(hook ?? 0), order),
    attribute(2, number(priority), order),
  ]);
  return Buffer.concat([
    attribute(1, text("filter"), order),
    attribute(3, text(name), order),
    ...(hook === undefined ? [] : [attribute(0x8004, hookBytes, order)]),
  ]);
}

interface Expression {
  readonly name: string;
  readonly numbers?: Readonly<Record<number, number>>;
}

function rule(expressions: readonly Expression[], order: Order): Uint8Array {
  const list = expressions.map(({ name, numbers = {} }) => {
    const data = Object.entries(numbers).map(([type, value]) =>
      attribute(Number(type), number(value), order),
    );
    const expression = [attribute(1, text(name), order), attribute(2, Buffer.concat(data), order)];
    return attribute(1, Buffer.concat(expression), order);
  });
  return Buffer.concat([
    attribute(1, text("filter"), order),
    attribute(4, Buffer.concat(list), order),
  ]);
}

const payload = (base: number, offset: number): Expression => ({
  name: "payload",
  numbers: { 2: base, 3: offset },
});
const compare = (operator: number): Expression => ({ name: "cmp", numbers: { 2: operator } });
const NETWORK = 1;
const TRANSPORT = 2;

const RULES: readonly (readonly [string, string | undefined, readonly Expression[]])[] = [
  ["an address", undefined, [payload(NETWORK, 12), { name: "bitwise" }, compare(0)]],
  ["an extension", undefined, [{ name: "match" }, { name: "counter" }, { name: "target" }]],
  ["a range of ports", undefined, [payload(TRANSPORT, 2), { name: "range" }]],
  ["ports by order", undefined, [payload(TRANSPORT, 2), compare(5), compare(3)]],
  ["flags of TCP", undefined, [payload(TRANSPORT, 13), { name: "bitwise" }, compare(0)]],
  ["a set of addresses", "expression lookup", [payload(NETWORK, 12), { name: "lookup" }]],
  ["a set that packets fill", "expression dynset", [payload(NETWORK, 12), { name: "dynset" }]],
  ["a range of addresses", "a range", [payload(NETWORK, 16), { name: "range" }]],
  ["addresses by order", "a range", [payload(NETWORK, 16), compare(5), compare(3)]],
  ["a mask of ports", "a mask of ports", [payload(TRANSPORT, 2), { name: "bitwise" }, compare(0)]],
  ["an order of marks", "a range", [payload(TRANSPORT, 2), { name: "meta" }, compare(4)]],
  [
    "a port asked twice",
    "a field that is asked twice",
    [payload(TRANSPORT, 0), compare(0), payload(TRANSPORT, 0), compare(0)],
  ],
];

for (const order of ["LE", "BE"] as const) {
  describe(`what iptables-nft-save would show wrong, on a machine that is ${order}`, () => {
    for (const [what, trait, expressions] of RULES) {
      it(`${trait === undefined ? "is not" : "is"} a rule with ${what}`, () => {
        const bytes = message(RULE, 2, rule(expressions, order), order);
        assert.equal(traitOf(bytes, FILTER, order), trait);
      });
    }

    it("is a base chain of another name, hook or priority, and no other chain", () => {
      const of = (name: string, hook: number | undefined, priority = 0): string | undefined =>
        traitOf(message(CHAIN, 2, chain(name, hook, priority, order), order), FILTER, order);
      assert.equal(of("INPUT", 1), undefined);
      assert.equal(of("FORWARD", 2), undefined);
      assert.equal(of("mine", undefined), undefined);
      assert.equal(of("input", 1), "base chain input");
      assert.equal(of("INPUT", 2), "base chain INPUT");
      assert.equal(of("INPUT", 1, -1), "base chain INPUT");
    });

    it("is a table with a set", () => {
      const body = attribute(1, text("filter"), order);
      assert.equal(traitOf(message(SET, 2, body, order), FILTER, order), "a set");
    });

    it("is not what belongs to another table or family", () => {
      const body = attribute(1, text("nat"), order);
      assert.equal(traitOf(message(SET, 2, body, order), FILTER, order), undefined);
      const six = message(SET, 10, attribute(1, text("filter"), order), order);
      assert.equal(traitOf(six, FILTER, order), undefined);
      assert.equal(
        traitOf(six, { family: "ip6", name: "filter", isDormant: false }, order),
        "a set",
      );
    });
  });
}

describe("base chains of the nat table", () => {
  it("may be called before or after routing, and no later", () => {
    const nat: IptablesTable = { family: "ip", name: "nat", isDormant: false };
    const of = (name: string, hook: number, priority: number): string | undefined => {
      const body = Buffer.from(chain(name, hook, priority, "LE"));
      const renamed = Buffer.concat([attribute(1, text("nat"), "LE"), body.subarray(12)]);
      return traitOf(message(CHAIN, 2, renamed, "LE"), nat, "LE");
    };
    assert.equal(of("PREROUTING", 0, -100), undefined);
    assert.equal(of("POSTROUTING", 4, 100), undefined);
    assert.equal(of("PREROUTING", 0, -90), "base chain PREROUTING");
  });
});

describe("the question for the objects of a table", () => {
  it("names family and table in the order of the machine", () => {
    const hex = (order: Order): string =>
      Buffer.from(
        objectsRequest(
          "set",
          { family: "ip6", name: "raw", isDormant: false },
          { sequence: 9, endianness: order },
        ),
      ).toString("hex");
    assert.equal(hex("LE"), "1c0000000a0a010309000000000000000a0000000800010072617700");
    assert.equal(hex("BE"), "0000001c0a0a030100000009000000000a0000000008000172617700");
  });
});

describe("any bytes", () => {
  it("are judged without throwing", () => {
    const types = fc.constantFrom(CHAIN, RULE, SET, 0x0a00, 0x0500);
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 200 }), (type, body) => {
        foreignTrait({ type, body }, FILTER, "LE");
        foreignTrait({ type, body }, FILTER, "BE");
      }),
    );
  });

  it("in place of one byte of a rule are judged without throwing", () => {
    const whole = message(RULE, 2, rule([payload(1, 12), compare(0)], "LE"), "LE").subarray(16);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
        const body = Uint8Array.from(whole);
        body[at] = value;
        foreignTrait({ type: RULE, body }, FILTER, "LE");
      }),
    );
  });
});
