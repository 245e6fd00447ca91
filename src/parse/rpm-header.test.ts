import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { given, RPM_LIST, rpmHeaders } from "../../test/baseline/rpm-database.ts";
import { readRpmHeader } from "./rpm-header.ts";

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly data: Buffer;
}

function text(tag: number, value: string, type = 6): Entry {
  return { tag, type, data: Buffer.from(`${value}\0`) };
}

function headerOf(...entries: readonly Entry[]): Buffer {
  const data = Buffer.concat(entries.map((entry) => entry.data));
  const index = Buffer.alloc(8 + entries.length * 16);
  index.writeUInt32BE(entries.length, 0);
  index.writeUInt32BE(data.length, 4);
  let offset = 0;
  for (const [number, entry] of entries.entries()) {
    for (const [field, value] of [entry.tag, entry.type, offset, 1].entries())
      index.writeUInt32BE(value, 8 + number * 16 + field * 4);
    offset += entry.data.length;
  }
  return Buffer.concat([index, data]);
}

const GOOD = [text(1000, "a"), text(1001, "1.2"), text(1002, "3")];

function codeOf(bytes: Uint8Array): string {
  const read = readRpmHeader(bytes, "db");
  return read.ok ? "ok" : read.problem.code;
}

describe("a header of rpm", () => {
  it("names its package as rpm does", () => {
    const list = rpmHeaders().map((header) => given(readRpmHeader(header, "db")));
    assert.deepEqual(list.map(({ name, version }) => `${name} ${version}`).sort(), RPM_LIST);
  });

  it("tells the epoch where there is one, zero as well", () => {
    const epoch = { tag: 1003, type: 4, data: Buffer.from([0, 0, 0, 0]) };
    assert.equal(given(readRpmHeader(headerOf(...GOOD), "db")).version, "1.2-3");
    assert.equal(given(readRpmHeader(headerOf(...GOOD, epoch), "db")).version, "0:1.2-3");
  });

  it("is enough by its first part, and asks for more where it is not", () => {
    for (const header of rpmHeaders()) {
      const whole = given(readRpmHeader(header, "db"));
      for (let length = 0; length < Math.min(header.length, 3000); length += 1) {
        const read = readRpmHeader(header.subarray(0, length), "db");
        if (read.ok) assert.deepEqual(read.value, whole);
        else assert.equal(read.problem.code, "too-large");
      }
      assert.deepEqual(given(readRpmHeader(header.subarray(0, 8192), "db")), whole);
    }
  });

  const bad: readonly [what: string, bytes: Uint8Array][] = [
    ["without entries", Buffer.alloc(16)],
    ["with too many entries", Buffer.from([0, 1, 0, 0, 0, 0, 0, 9])],
    ["with too much data", Buffer.from([0, 0, 0, 1, 0x7f, 0, 0, 0])],
    ["without a name", headerOf(...GOOD.slice(1))],
    ["with a name that is no text", headerOf(text(1000, "a", 4), ...GOOD.slice(1))],
    ["with a name without end", headerOf(...GOOD.slice(1), text(1000, "a".repeat(2000)))],
  ];
  for (const [what, bytes] of bad) {
    it(`${what} is malformed`, () => {
      assert.equal(codeOf(bytes), "malformed");
    });
  }

  it("that is damaged never throws, and what it says stays short", () => {
    const [header = Buffer.alloc(0)] = rpmHeaders();
    const change = fc.tuple(fc.nat(2000), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 10 }), (changes) => {
        const bytes = Buffer.from(header);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const read = readRpmHeader(bytes, "db");
        if (read.ok) assert.ok(read.value.name.length + read.value.version.length < 4096);
        else assert.notEqual(read.problem.detail, "");
      }),
      { numRuns: 300 },
    );
  });
});
