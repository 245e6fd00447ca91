/** A database that rpm 4.18 wrote and parts of it; fixtures/rpm/make.sh says how it was made. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Result } from "../../src/contract/result.ts";
import { byteSource } from "../../src/parse/byte-source.ts";
import { openSqlite } from "../../src/parse/sqlite/database.ts";
import { eachRow, tableRoot } from "../../src/parse/sqlite/table.ts";

/** The value, or the problem as the test's failure. */
export function given<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.problem.subject}: ${result.problem.detail}`);
  return result.value;
}

function unpacked(name: string): Buffer {
  return gunzipSync(readFileSync(new URL(`fixtures/rpm/${name}.gz`, import.meta.url)));
}

/** The database of seven packages. */
export const RPM_DATABASE: Uint8Array = unpacked("rpmdb.sqlite");

/** Its write-ahead log of two transactions: without `tcp_wrappers-libs`, then with `late-comer`. */
export const RPM_WAL: Uint8Array = unpacked("rpmdb.sqlite-wal");

/** What rpm lists of it, with epochs. */
export const RPM_LIST: readonly string[] = [
  "bind-utils 32:9.16.23-24.el9",
  "kernel-core 5.14.0-362.el9",
  "kernel-core 5.14.0.1-427.el9",
  "many-files 1.0-1",
  "openssh 8.7p1-38.el9",
  "openssh-server 8.7p1-38.el9",
  "tcp_wrappers-libs 7.6-77.el7",
];

/** The headers of it, in the order in which they were installed. */
export function rpmHeaders(): readonly Uint8Array[] {
  const database = given(openSqlite(byteSource(RPM_DATABASE, "db"), undefined));
  const headers: Uint8Array[] = [];
  given(
    eachRow(database, given(tableRoot(database, "Packages")), 1_048_576, ({ values }) => {
      const [, blob] = values;
      if (blob instanceof Uint8Array) headers.push(Uint8Array.from(blob));
    }),
  );
  return headers;
}

/** A database of the form ndb with these headers. Source: rpm, lib/backend/ndb/rpmpkg.c (writing). */
export function ndbDatabase(headers: readonly Uint8Array[]): Buffer {
  const slots = Buffer.alloc(4096);
  slots.write("RpmP", 0);
  // version 0, generation, pages of slots, next package
  slots.writeUInt32LE(headers.length, 8);
  slots.writeUInt32LE(1, 12);
  slots.writeUInt32LE(headers.length + 1, 16);
  for (let at = 32; at < slots.length; at += 16) slots.write("Slot", at);
  const blobs: Buffer[] = [];
  let block = slots.length / 16;
  for (const [index, header] of headers.entries()) {
    const blocks = Math.ceil((16 + header.length + 12) / 16);
    const blob = Buffer.alloc(blocks * 16);
    blob.write("BlbS", 0);
    blob.writeUInt32LE(index + 1, 4);
    blob.writeUInt32LE(header.length, 12);
    blob.set(header, 16);
    blob.writeUInt32LE(header.length, blob.length - 8);
    blob.write("BlbE", blob.length - 4);
    // One free slot between each two, as removed packages leave.
    const slot = 32 + index * 32;
    for (const [field, value] of [index + 1, block, blocks].entries())
      slots.writeUInt32LE(value, slot + 4 + field * 4);
    blobs.push(blob);
    block += blocks;
  }
  return Buffer.concat([slots, ...blobs]);
}
