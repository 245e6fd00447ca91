import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { given, ndbDatabase, rpmHeaders } from "../../test/baseline/rpm-database.ts";
import { byteSource } from "./byte-source.ts";
import { readNdbHeader, readNdbSlots } from "./rpm-ndb.ts";

const HEADERS = rpmHeaders();
const DATABASE = ndbDatabase(HEADERS);

function codeOf(bytes: Uint8Array): string {
  const read = readNdbSlots(byteSource(bytes, "db"));
  return read.ok ? "ok" : read.problem.code;
}

function changed(at: number, ...bytes: readonly number[]): Buffer {
  const copy = Buffer.from(DATABASE);
  copy.set(bytes, at);
  return copy;
}

describe("a package database of the form ndb", () => {
  it("gives each header, whole or its start", () => {
    const file = byteSource(DATABASE, "db");
    const slots = given(readNdbSlots(file));
    assert.equal(slots.length, HEADERS.length);
    for (const [index, slot] of slots.entries()) {
      const header = HEADERS[index] ?? new Uint8Array();
      assert.deepEqual([...given(readNdbHeader(file, slot, 1_048_576))], [...header]);
      assert.deepEqual([...given(readNdbHeader(file, slot, 100))], [...header.subarray(0, 100)]);
    }
  });

  const bad: readonly [what: string, bytes: Uint8Array, code: string][] = [
    ["that is empty", Buffer.alloc(0), "malformed"],
    ["of another magic", changed(0, 0), "malformed"],
    ["of another version", changed(4, 1), "unsupported"],
    ["of too many packages", changed(12, 0, 0, 1), "too-large"],
    ["that ends within its slots", DATABASE.subarray(0, 4000), "malformed"],
    ["that ends within a package", DATABASE.subarray(0, DATABASE.length - 16), "malformed"],
    ["with a slot of another magic", changed(48, 0), "malformed"],
    ["with a package among the slots", changed(40, 1, 0), "malformed"],
    ["with a package too short", changed(44, 1, 0), "malformed"],
  ];
  for (const [what, bytes, code] of bad) {
    it(`${what} is ${code}`, () => {
      assert.equal(codeOf(bytes), code);
    });
  }

  it("with a damaged package says so", () => {
    for (const at of [4096, 4100, 4108 + 2]) {
      const file = byteSource(changed(at, 0x77), "db");
      const [slot] = given(readNdbSlots(file));
      assert.ok(slot !== undefined);
      const header = readNdbHeader(file, slot, 100);
      assert.equal(header.ok ? "ok" : header.problem.code, "malformed");
    }
  });

  it("that is damaged never throws", () => {
    const place = fc.oneof(fc.nat(300), fc.nat(DATABASE.length - 1));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const bytes = Buffer.from(DATABASE);
          for (const [at, value] of changes) bytes[at] = value;
          const file = byteSource(bytes, "db");
          const slots = readNdbSlots(file);
          for (const slot of slots.ok ? slots.value : []) {
            const header = readNdbHeader(file, slot, 8192);
            if (header.ok) assert.ok(header.value.length <= 8192);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
