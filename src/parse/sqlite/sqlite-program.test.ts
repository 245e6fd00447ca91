import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { scratchFolder } from "../../../test/support/scratch-folder.ts";
import { rowsOf } from "../../../test/support/sqlite-rows.ts";
import type { SqliteValue } from "./record.ts";

const hasSqlite = spawnSync("sqlite3", ["--version"]).status === 0;
const skip = hasSqlite ? false : "the Debian package sqlite3 is not installed";

function literalOf(value: SqliteValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `CAST(x'${Buffer.from(value).toString("hex")}' AS TEXT)`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  if (typeof value === "number" && !Number.isInteger(value)) return String(value);
  // The smallest integer has no literal.
  return value === -(2n ** 63n) ? "(-9223372036854775807 - 1)" : String(value);
}

function exactly(value: bigint): SqliteValue {
  const short = Number(value);
  return Number.isSafeInteger(short) ? short : value;
}

const VALUE: fc.Arbitrary<SqliteValue> = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(exactly),
  fc.integer({ min: -40_000, max: 40_000 }),
  fc.integer({ min: -999_999, max: 999_999 }).map((number) => number + 0.5),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.uint8Array({ maxLength: 60 }),
  // Long enough for pages of its own.
  fc.tuple(fc.nat(255), fc.nat(9000)).map(([value, length]) => new Uint8Array(length).fill(value)),
);

const TABLE = fc.record({
  pageBytes: fc.constantFrom(512, 1024, 4096, 65_536),
  isWal: fc.boolean(),
  rows: fc.dictionary(
    fc.integer({ min: -5, max: 100_000 }).map(String),
    fc.array(VALUE, { minLength: 2, maxLength: 2 }),
    { minKeys: 1, maxKeys: 60, noNullPrototype: true },
  ),
});

describe("a table that sqlite3 wrote", { skip }, () => {
  const folder = scratchFolder("sqlite");
  let made = 0;

  it("reads equal", () => {
    fc.assert(
      fc.property(TABLE, ({ pageBytes, isWal, rows }) => {
        made += 1;
        const path = join(folder.path, `${made}.db`);
        const inserts = Object.entries(rows).map(
          ([rowId, values]) =>
            `INSERT INTO t VALUES(${[rowId, ...values.map(literalOf)].join(", ")});`,
        );
        const script = [
          ".dbconfig no_ckpt_on_close on",
          `PRAGMA page_size=${pageBytes};`,
          `PRAGMA journal_mode=${isWal ? "wal" : "delete"};`,
          "CREATE TABLE other(a);",
          "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);",
          // Some of it is in the file and some only in the log.
          ...inserts.slice(0, 10),
          "PRAGMA wal_checkpoint;",
          "PRAGMA wal_autocheckpoint=0;",
          ...inserts.slice(10),
          "INSERT INTO t VALUES(200000, 1, 1);",
          "DELETE FROM t WHERE id = 200000;",
        ];
        const run = spawnSync("sqlite3", [path], { input: script.join("\n"), timeout: 10_000 });
        assert.equal(run.stderr.toString(), "");
        const wal = isWal ? readFileSync(`${path}-wal`) : undefined;
        const expected = Object.entries(rows)
          .map(([rowId, values]) => [Number(rowId), [null, ...values]] as const)
          .sort(([a], [b]) => a - b);
        const read = [...rowsOf(readFileSync(path), "t", wal)].map(
          ([rowId, values]) => [rowId, plain(values)] as const,
        );
        assert.deepEqual(
          read,
          expected.map(([rowId, values]) => [rowId, plain(values)] as const),
        );
      }),
      // Shrinking would start the program hundreds of times.
      { numRuns: 25, endOnFailure: true },
    );
  });
});

/** With blobs as text, so that a Buffer equals a Uint8Array. */
function plain(values: unknown): unknown {
  return Array.isArray(values)
    ? values.map((one) =>
        one instanceof Uint8Array ? `blob ${Buffer.from(one).toString("hex")}` : one,
      )
    : values;
}
