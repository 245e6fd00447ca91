import { fail, ok, type Result } from "../../contract/result.ts";
import { DATABASE_HEADER_BYTES, type SqliteDatabase } from "./database.ts";
import { readRecord, type SqliteValue } from "./record.ts";
import { readVarint } from "./varint.ts";

/** Most pages that one walk over a table reads, those of long rows among them. */
const MOST_PAGES = 16_384;
/** Most rows of one walk. */
const MOST_ROWS = 100_000;
/** Source: BTCURSOR_MAX_DEPTH */
const DEEPEST = 20;
/** Start of a row of the schema that is read: its statement comes last. */
const SCHEMA_ROW_BYTES = 4096;

/** A row, or its start. */
export interface SqliteRow {
  readonly rowId: number;
  /** Columns; of a row that was cut those that were read. An `INTEGER PRIMARY KEY` is null: see `rowId`. */
  readonly values: readonly SqliteValue[];
  /** Whether the row is longer than what was read. */
  readonly isCut: boolean;
}

/**
 * Where a table begins, as a page number. Errors: `not-found`, those of `eachRow`. Source:
 * https://www.sqlite.org/fileformat2.html#storage_of_the_sql_database_schema
 */
export function tableRoot(database: SqliteDatabase, name: string): Result<number> {
  let root: number | undefined;
  const walked = eachRow(database, 1, SCHEMA_ROW_BYTES, ({ values }) => {
    const [type, known, , page] = values;
    if (type === "table" && known === name && typeof page === "number") root = page;
  });
  if (!walked.ok) return walked;
  return root === undefined
    ? fail("not-found", database.subject, `has no table ${name}`)
    : ok(root);
}

/**
 * Gives every row of the table that begins at page `root`, in order of row ids; at most
 * `maxPayloadBytes` of each are read. Values are valid during the call only. Errors: `malformed`,
 * `too-large` for more rows or pages than any package database has, those of reading. Source:
 * https://www.sqlite.org/fileformat2.html#b_tree_pages
 */
export function eachRow(
  unlimited: SqliteDatabase,
  root: number,
  maxPayloadBytes: number,
  visit: (row: SqliteRow) => void,
): Result<undefined> {
  const database = limited(unlimited);
  const { subject } = database;
  const seen = new Set<number>();
  const waiting = [root];
  let rows = 0;
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (seen.has(number)) return fail("malformed", subject, `page ${number} is there twice`);
    seen.add(number);
    const page = openPage(database, number);
    if (!page.ok) return page;
    if (!page.value.isLeaf) {
      const children = childrenOf(page.value);
      if (children === undefined) return badPage(subject, number);
      if (waiting.length + children.length > MOST_PAGES) return tooManyPages(subject);
      for (const child of children.reverse()) waiting.push(child.page);
      continue;
    }
    rows += page.value.cells.length;
    if (rows > MOST_ROWS) return fail("too-large", subject, `more than ${MOST_ROWS} rows`);
    for (const cell of page.value.cells) {
      const row = readRow(database, page.value, cell, maxPayloadBytes);
      if (!row.ok) return row;
      visit(row.value);
    }
  }
  return ok(undefined);
}

function tooManyPages(subject: string): Result<never> {
  return fail("too-large", subject, `a table of more than ${MOST_PAGES} pages`);
}

function limited(database: SqliteDatabase): SqliteDatabase {
  let pages = 0;
  return {
    ...database,
    page(number) {
      pages += 1;
      return pages > MOST_PAGES ? tooManyPages(database.subject) : database.page(number);
    },
  };
}

/** One row by its id. Errors: `not-found`, those of `eachRow`. */
export function findRow(
  database: SqliteDatabase,
  root: number,
  rowId: number,
  maxPayloadBytes: number,
): Result<SqliteRow> {
  let number = root;
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const page = openPage(database, number);
    if (!page.ok) return page;
    if (page.value.isLeaf) {
      const cell = page.value.cells.find((at) => rowIdAt(page.value, at) === rowId);
      if (cell === undefined) return fail("not-found", database.subject, `has no row ${rowId}`);
      return readRow(database, page.value, cell, maxPayloadBytes);
    }
    const child = childrenOf(page.value)?.find((one) => rowId <= one.mostRowId);
    if (child === undefined) return badPage(database.subject, number);
    number = child.page;
  }
  return fail("malformed", database.subject, `a table deeper than ${DEEPEST} pages`);
}

interface TablePage {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly isLeaf: boolean;
  /** Page to the right of all cells; 0 for leaves. */
  readonly rightmost: number;
  /** Where cells are, bytes from the start of the page. */
  readonly cells: readonly number[];
}

function badPage(subject: string, number: number): Result<never> {
  return fail("malformed", subject, `page ${number} is no page of a table`);
}

function openPage(database: SqliteDatabase, number: number): Result<TablePage> {
  const read = database.page(number);
  if (!read.ok) return read;
  const bytes = read.value;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = number === 1 ? DATABASE_HEADER_BYTES : 0;
  const type = view.getUint8(start);
  if (type !== 5 && type !== 13) return badPage(database.subject, number);
  const isLeaf = type === 13;
  const pointers = start + (isLeaf ? 8 : 12);
  const count = view.getUint16(start + 3);
  if (pointers + count * 2 > database.usableBytes) return badPage(database.subject, number);
  const cells: number[] = [];
  for (let index = 0; index < count; index += 1) cells.push(view.getUint16(pointers + index * 2));
  // A cell has four bytes at least.
  if (cells.some((at) => at < pointers + count * 2 || at + 4 > database.usableBytes))
    return badPage(database.subject, number);
  const rightmost = isLeaf ? 0 : view.getUint32(start + 8);
  return ok({ number, bytes, view, isLeaf, rightmost, cells });
}

interface Child {
  readonly page: number;
  /** Row ids below this page are not greater. */
  readonly mostRowId: number;
}

function childrenOf(page: TablePage): Child[] | undefined {
  const children: Child[] = [];
  for (const at of page.cells) {
    const key = readVarint(page.bytes, at + 4);
    if (key === undefined) return undefined;
    children.push({ page: page.view.getUint32(at), mostRowId: key.value });
  }
  children.push({ page: page.rightmost, mostRowId: Number.POSITIVE_INFINITY });
  return children;
}

function rowIdAt(page: TablePage, at: number): number | undefined {
  const size = readVarint(page.bytes, at);
  return size === undefined ? undefined : readVarint(page.bytes, size.end)?.value;
}

function readRow(
  database: SqliteDatabase,
  page: TablePage,
  at: number,
  maxPayloadBytes: number,
): Result<SqliteRow> {
  const size = readVarint(page.bytes, at);
  const rowId = size === undefined ? undefined : readVarint(page.bytes, size.end);
  if (size === undefined || rowId === undefined || size.value < 0)
    return badPage(database.subject, page.number);
  const payload = readPayload(database, page, {
    at: rowId.end,
    sizeBytes: size.value,
    maxBytes: maxPayloadBytes,
  });
  if (!payload.ok) return payload;
  const isCut = payload.value.length < size.value;
  const values = readRecord(payload.value, isCut);
  if (values === undefined)
    return fail("malformed", database.subject, `row ${rowId.value} is no record`);
  return ok({ rowId: rowId.value, values, isCut });
}

/** Payload that stays in the page of a table. Source: fileformat2.html, "Cell payload overflow pages". */
function localBytes(sizeBytes: number, usableBytes: number): number {
  if (sizeBytes <= usableBytes - 35) return sizeBytes;
  const least = Math.floor(((usableBytes - 12) * 32) / 255) - 23;
  const fitting = least + ((sizeBytes - least) % (usableBytes - 4));
  return fitting <= usableBytes - 35 ? fitting : least;
}

interface Payload {
  readonly at: number;
  readonly sizeBytes: number;
  readonly maxBytes: number;
}

function readPayload(
  database: SqliteDatabase,
  page: TablePage,
  { at, sizeBytes, maxBytes }: Payload,
): Result<Uint8Array> {
  const { usableBytes, subject } = database;
  if (sizeBytes > usableBytes * database.pageCount)
    return fail("malformed", subject, "a row longer than the database");
  const local = localBytes(sizeBytes, usableBytes);
  const isSpilled = local < sizeBytes;
  if (at + local + (isSpilled ? 4 : 0) > usableBytes) return badPage(subject, page.number);
  const wantedBytes = Math.min(sizeBytes, maxBytes);
  const start = page.bytes.subarray(at, at + Math.min(local, wantedBytes));
  if (start.length === wantedBytes) return ok(start);
  const chunks = [start];
  let gathered = start.length;
  let next = page.view.getUint32(at + local);
  // Every page adds bytes, so that a chain in a circle ends as well.
  while (gathered < wantedBytes) {
    const read = database.page(next);
    if (!read.ok) return read;
    const chunk = read.value.subarray(4, Math.min(usableBytes, 4 + wantedBytes - gathered));
    chunks.push(chunk);
    gathered += chunk.length;
    const [first = 0, second = 0, third = 0, fourth = 0] = read.value;
    next = ((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0;
  }
  return ok(joined(chunks, gathered));
}

function joined(chunks: readonly Uint8Array[], lengthBytes: number): Uint8Array {
  const whole = new Uint8Array(lengthBytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
