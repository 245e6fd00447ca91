import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isIpAddress } from "./addresses.ts";
import type { Endianness } from "./netlink-message.ts";
import { readUtmp, UTMP_RECORD_BYTES } from "./utmp.ts";

interface Fields {
  readonly type?: number;
  readonly processId?: number;
  readonly line?: string;
  readonly user?: string;
  readonly host?: string;
  readonly address?: readonly number[];
  readonly seconds?: number;
  readonly micros?: number;
}

function record(fields: Fields, endianness: Endianness = "LE"): Uint8Array {
  const bytes = new Uint8Array(UTMP_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  const isLittle = endianness === "LE";
  view.setInt16(0, fields.type ?? 6, isLittle);
  view.setInt32(4, fields.processId ?? 812, isLittle);
  bytes.set(Buffer.from(fields.line ?? "ssh:notty").subarray(0, 32), 8);
  bytes.set(Buffer.from(fields.user ?? "root").subarray(0, 32), 44);
  bytes.set(Buffer.from(fields.host ?? "203.0.113.9").subarray(0, 256), 76);
  view.setUint32(340, fields.seconds ?? 1_700_000_000, isLittle);
  view.setInt32(344, fields.micros ?? 250_999, isLittle);
  bytes.set(fields.address ?? [203, 0, 113, 9], 348);
  return bytes;
}

const EXPECTED = {
  type: "login",
  processId: 812,
  line: "ssh:notty",
  user: "root",
  host: "203.0.113.9",
  address: "203.0.113.9",
  timeMs: 1_700_000_000_250,
};

describe("records of utmp", () => {
  it("are read in either byte order", () => {
    assert.deepEqual(readUtmp(record({}), "LE").records, [EXPECTED]);
    assert.deepEqual(readUtmp(record({}, "BE"), "BE").records, [EXPECTED]);
  });

  it("of IPv6 have the canonical text of the address", () => {
    const address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    assert.equal(readUtmp(record({ address }), "LE").records[0]?.address, "2001:db8::7");
  });

  it("with full fields need no end mark", () => {
    const user = "u".repeat(32);
    const found = readUtmp(record({ user, host: "h".repeat(256) }), "LE").records[0];
    assert.equal(found?.user, user);
    assert.equal(found?.host.length, 256);
  });

  it("that are not whole yet are counted in bytes", () => {
    const bytes = Buffer.concat([record({}), record({}).subarray(0, 100)]);
    const { records, restBytes } = readUtmp(bytes, "LE");
    assert.equal(records.length, 1);
    assert.equal(restBytes, 100);
  });

  it("that no program writes are counted, and the following still read", () => {
    const bad = [{ type: 77 }, { processId: -1 }, { seconds: 5 }, { micros: 2_000_000 }];
    const bytes = Buffer.concat([...bad.map((fields) => record(fields)), record({})]);
    const { records, malformed } = readUtmp(bytes, "LE");
    assert.equal(malformed, bad.length);
    assert.deepEqual(records, [EXPECTED]);
  });

  it("that are empty are left out without a word", () => {
    assert.deepEqual(readUtmp(new Uint8Array(UTMP_RECORD_BYTES * 2), "LE"), {
      records: [],
      malformed: 0,
      restBytes: 0,
    });
  });

  it("of after 2038 are read as unsigned", () => {
    const found = readUtmp(record({ seconds: 2_200_000_000 }), "LE").records[0];
    assert.equal(found?.timeMs, 2_200_000_000_250);
  });

  it("made of garbage never throw, and every byte is accounted for", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: UTMP_RECORD_BYTES * 3 }),
        fc.constantFrom<Endianness>("LE", "BE"),
        (garbage, endianness) => {
          const { records, malformed, restBytes } = readUtmp(garbage, endianness);
          assert.equal(restBytes, garbage.length % UTMP_RECORD_BYTES);
          assert.ok(records.length + malformed <= Math.floor(garbage.length / UTMP_RECORD_BYTES));
          for (const found of records) {
            assert.ok(found.user.length <= 32 && found.host.length <= 256);
            assert.ok(found.address === undefined || isIpAddress(found.address));
          }
        },
      ),
    );
  });

  it("that were printed are read back, wherever in a buffer they lie", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 4_194_304 }),
        fc.stringMatching(/^[a-z]{0,32}$/),
        fc.integer({ min: 0, max: 7 }),
        (type, processId, user, before) => {
          const whole = Buffer.concat([new Uint8Array(before), record({ type, processId, user })]);
          const found = readUtmp(whole.subarray(before), "LE").records[0];
          assert.equal(found?.processId, processId);
          assert.equal(found?.user, user);
        },
      ),
    );
  });
});
