import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { given, RPM_DATABASE, RPM_WAL } from "../../../test/baseline/rpm-database.ts";
import { rowsOf } from "../../../test/support/sqlite-rows.ts";
import { type ByteSource, byteSource } from "../byte-source.ts";
import { openSqlite } from "./database.ts";
import { readRecord } from "./record.ts";
import { eachRow, findRow, tableRoot } from "./table.ts";
import { readVarint } from "./varint.ts";
import { MAX_WAL_BYTES, readWal } from "./wal.ts";

const WHOLE = 1_048_576;

function namesOf(wal?: Uint8Array): readonly unknown[] {
  return [...rowsOf(RPM_DATABASE, "Name", wal).values()].map((row) =>
    Array.isArray(row) ? row[0] : row,
  );
}

const NAMES = [
  "tcp_wrappers-libs",
  "openssh-server",
  "openssh",
  "many-files",
  "kernel-core",
  "kernel-core",
  "bind-utils",
];

describe("integers of variable length", () => {
  const cases: readonly [bytes: readonly number[], value: number | undefined][] = [
    [[0], 0],
    [[0x7f], 127],
    [[0x81, 0x00], 128],
    [[0x82, 0x00], 256],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 2 ** 49 - 1],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -1],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x05], 5],
    [[], undefined],
    [[0x81], undefined],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], undefined],
  ];
  for (const [bytes, value] of cases) {
    it(`reads ${value ?? "nothing"} from ${bytes.length} bytes`, () => {
      const read = readVarint(Uint8Array.from(bytes), 0);
      assert.equal(read?.value, value);
      if (read !== undefined) assert.equal(read.end, bytes.length);
    });
  }
});

describe("a record", () => {
  it("that is cut gives what is whole of it, and the start of a text", () => {
    const record = Uint8Array.from([4, 1, 0x17, 2, 7, 97, 98, 99, 100, 101, 1, 2]);
    assert.deepEqual(readRecord(record, false), [7, "abcde", 258]);
    assert.deepEqual(readRecord(record.subarray(0, 11), true), [7, "abcde"]);
    assert.deepEqual(readRecord(record.subarray(0, 7), true), [7, "ab"]);
    assert.equal(readRecord(record.subarray(0, 11), false), undefined);
  });

  it("of any bytes is a record or none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, isCut) => {
        const values = readRecord(bytes, isCut);
        assert.ok(values === undefined || values.length <= bytes.length);
      }),
    );
  });
});

describe("a database", () => {
  it("gives the rows of a table", () => {
    assert.deepEqual(namesOf(), NAMES);
  });

  it("gives long rows whole, over many pages", () => {
    const rows = [...rowsOf(RPM_DATABASE, "Packages").values()];
    const lengths = rows.map((row) =>
      Array.isArray(row) && row[1] instanceof Uint8Array ? row[1].length : 0,
    );
    assert.equal(lengths.length, 7);
    assert.ok(Math.max(...lengths) > 3 * 4096);
  });

  it("that has not the table is not found", () => {
    const database = given(openSqlite(byteSource(RPM_DATABASE, "db"), undefined));
    const root = tableRoot(database, "Nome");
    assert.equal(root.ok ? "" : root.problem.code, "not-found");
  });

  const changed: readonly [what: string, at: number, bytes: readonly number[], code: string][] = [
    ["other magic", 3, [0], "malformed"],
    ["an odd size of pages", 16, [3, 0], "malformed"],
    ["no usable byte", 20, [255, 255], "malformed"],
    ["a newer form", 19, [3], "unsupported"],
    ["UTF-16", 59, [2], "unsupported"],
  ];
  for (const [what, at, bytes, code] of changed) {
    it(`with ${what} is ${code}`, () => {
      const file = Buffer.from(RPM_DATABASE);
      file.set(bytes, at);
      if (what === "no usable byte") file.set([2, 0], 16);
      const opened = openSqlite(byteSource(file, "db"), undefined);
      assert.equal(opened.ok ? "" : opened.problem.code, code);
    });
  }

  it("whose pages point at each other is malformed", () => {
    const page = Buffer.alloc(4096);
    // An interior page without cells, whose only child is itself.
    page.set([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    const file = Buffer.concat([RPM_DATABASE.subarray(0, 4096), page]);
    const database = given(openSqlite(byteSource(file, "db"), undefined));
    const walked = eachRow({ ...database, pageCount: 2 }, 2, WHOLE, () => undefined);
    assert.match(walked.ok ? "" : walked.problem.detail, /twice/);
    const found = findRow(database, 2, 1, WHOLE);
    assert.match(found.ok ? "" : found.problem.detail, /deeper/);
  });
});

describe("a write-ahead log", () => {
  it("is applied as far as transactions were committed", () => {
    const both = namesOf(RPM_WAL);
    assert.deepEqual(both, [...NAMES.slice(1), "late-comer"]);
    // Without its last byte the second transaction was never written.
    assert.deepEqual(namesOf(RPM_WAL.subarray(0, RPM_WAL.length - 1)), NAMES.slice(1));
    assert.deepEqual(namesOf(RPM_WAL.subarray(0, 31)), NAMES);
    assert.deepEqual(namesOf(new Uint8Array()), NAMES);
  });

  it("is believed up to the first frame with a wrong checksum", () => {
    fc.assert(
      fc.property(fc.nat(RPM_WAL.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const wal = Buffer.from(RPM_WAL);
        wal[at] = (wal[at] ?? 0) ^ flip;
        const names = namesOf(wal);
        const known = [NAMES, NAMES.slice(1)].map((list) => JSON.stringify(list));
        assert.ok(known.includes(JSON.stringify(names)), `byte ${at}`);
      }),
      { numRuns: 60 },
    );
  });

  it("that is too large is not read", () => {
    const huge: ByteSource = {
      subject: "wal",
      sizeBytes: MAX_WAL_BYTES + 1,
      read: () => assert.fail("was read"),
    };
    const read = readWal(huge);
    assert.equal(read.ok ? "" : read.problem.code, "too-large");
  });
});

/** Reads all that can be read of it, and how many bytes that took. */
function bytesReadOf(file: Uint8Array, wal: Uint8Array | undefined): number {
  let bytes = 0;
  const counted = (content: Uint8Array, subject: string): ByteSource => {
    const source = byteSource(content, subject);
    return {
      ...source,
      read(offset, lengthBytes) {
        bytes += lengthBytes;
        return source.read(offset, lengthBytes);
      },
    };
  };
  const log = wal === undefined ? undefined : counted(wal, "wal");
  const database = openSqlite(counted(file, "db"), log);
  if (!database.ok) return bytes;
  for (const table of ["Name", "Packages"]) {
    const root = tableRoot(database.value, table);
    if (!root.ok) continue;
    const walked = eachRow(database.value, root.value, WHOLE, ({ values }) => {
      for (const value of values) if (value instanceof Uint8Array) assert.ok(value.length <= WHOLE);
    });
    assert.ok(walked.ok || walked.problem.detail !== "");
    findRow(database.value, root.value, 4, WHOLE);
  }
  return bytes;
}

function pageBytesOf(file: Buffer): number {
  const size = file.length < 18 ? 0 : file.readUInt16BE(16);
  return size === 1 ? 65_536 : size;
}

describe("a damaged database", () => {
  const byte = fc.oneof(fc.constantFrom(0, 1, 5, 13, 127, 128, 255), fc.nat(255));
  // Most bytes are those of texts: the first ones of pages decide.
  const place = fc.oneof(
    fc.nat(RPM_DATABASE.length - 1),
    fc.nat(120),
    fc
      .tuple(fc.nat(RPM_DATABASE.length / 4096 - 1), fc.nat(40))
      .map(([page, at]) => page * 4096 + at),
  );

  it("never throws, and reads not more pages than a walk may", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, byte), { minLength: 1, maxLength: 12 }),
        fc.nat(RPM_DATABASE.length),
        fc.boolean(),
        (changes, lengthBytes, isCut) => {
          const file = Buffer.from(RPM_DATABASE.subarray(0, isCut ? lengthBytes : undefined));
          for (const [at, value] of changes) if (at < file.length) file[at] = value;
          // Two tables, each with a walk over the schema, one over itself and a search for a row.
          const mostBytes = 2 * (2 * 16_384 + 20 + WHOLE / 508) * pageBytesOf(file);
          assert.ok(bytesReadOf(file, RPM_WAL) <= mostBytes + RPM_WAL.length + 132);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("of any bytes after the header never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
        const file = Buffer.alloc(8192);
        file.set(RPM_DATABASE.subarray(0, 100));
        file.set(bytes, 100);
        bytesReadOf(file, bytes);
      }),
      { numRuns: 100 },
    );
  });
});
