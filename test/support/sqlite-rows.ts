import assert from "node:assert/strict";
import { byteSource } from "../../src/parse/byte-source.ts";
import { openSqlite } from "../../src/parse/sqlite/database.ts";
import { eachRow, findRow, tableRoot } from "../../src/parse/sqlite/table.ts";
import { given } from "../baseline/rpm-database.ts";

/** More than any row of the tests has, bytes. */
const WHOLE = 1_048_576;

/** All rows of a table by their ids; each must be found by its id as well. */
export function rowsOf(file: Uint8Array, table: string, wal?: Uint8Array): Map<number, unknown> {
  const log = wal === undefined ? undefined : byteSource(wal, "wal");
  const database = given(openSqlite(byteSource(file, "db"), log));
  const rows = new Map<number, unknown>();
  const root = given(tableRoot(database, table));
  given(eachRow(database, root, WHOLE, ({ rowId, values }) => rows.set(rowId, values)));
  for (const [rowId, values] of rows)
    assert.deepEqual(given(findRow(database, root, rowId, WHOLE)).values, values);
  return rows;
}
