import { fail, ok, type Result } from "../../contract/result.ts";
import type { ByteSource } from "../byte-source.ts";
import { isPageSize, readWal, type WalContent } from "./wal.ts";

/** Bytes before the first page's own content. */
export const DATABASE_HEADER_BYTES = 100;

const MAGIC = "SQLite format 3\0";
const ascii = new TextDecoder("latin1");

/** The pages of a database as of its last transaction. */
export interface SqliteDatabase {
  readonly subject: string;
  /** Bytes of a page that are in use. */
  readonly usableBytes: number;
  readonly pageCount: number;
  /** A page by its number, from 1. Errors: `malformed` for a number that it has not, those of reading. */
  page(number: number): Result<Uint8Array>;
}

/**
 * Opens a database read-only, with the committed transactions of its write-ahead log where it has one.
 * Whoever reads a file that others write checks that it stayed as it was: no lock is taken. Errors:
 * `malformed`; `unsupported` for what newer versions write and for text in UTF-16; those of reading.
 * Source: https://www.sqlite.org/fileformat2.html#the_database_header
 */
export function openSqlite(file: ByteSource, log: ByteSource | undefined): Result<SqliteDatabase> {
  const wal = log === undefined ? ok(undefined) : readWal(log);
  if (!wal.ok) return wal;
  const ofFirst = log === undefined ? undefined : wal.value?.offsets.get(1);
  const first =
    log === undefined || ofFirst === undefined
      ? file.read(0, DATABASE_HEADER_BYTES)
      : log.read(ofFirst, DATABASE_HEADER_BYTES);
  if (!first.ok) return first;
  const header = readHeader(first.value, file, wal.value);
  if (!header.ok) return header;
  const { pageSizeBytes, pageCount } = header.value;
  return ok({
    subject: file.subject,
    usableBytes: header.value.usableBytes,
    pageCount,
    page(number) {
      if (!Number.isInteger(number) || number < 1 || number > pageCount)
        return fail("malformed", file.subject, `has no page ${number}`);
      const offset = wal.value?.offsets.get(number);
      return log === undefined || offset === undefined
        ? file.read((number - 1) * pageSizeBytes, pageSizeBytes)
        : log.read(offset, pageSizeBytes);
    },
  });
}

interface Header {
  readonly pageSizeBytes: number;
  readonly usableBytes: number;
  readonly pageCount: number;
}

function readHeader(
  bytes: Uint8Array,
  file: ByteSource,
  wal: WalContent | undefined,
): Result<Header> {
  const bad = (what: string) => fail("malformed", file.subject, what);
  if (ascii.decode(bytes.subarray(0, 16)) !== MAGIC) return bad("is no SQLite database");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint16(16);
  const pageSizeBytes = size === 1 ? 65_536 : size;
  if (!isPageSize(pageSizeBytes)) return bad(`a page of ${pageSizeBytes} bytes`);
  if (wal !== undefined && wal.pageSizeBytes !== pageSizeBytes)
    return bad("its write-ahead log has pages of another size");
  const usableBytes = pageSizeBytes - view.getUint8(20);
  // Less leaves no space for four cells in a page, which the format demands.
  if (usableBytes < 480) return bad(`a page with ${usableBytes} usable bytes`);
  if (view.getUint8(19) > 2) return fail("unsupported", file.subject, "of a newer SQLite");
  const encoding = view.getUint32(56);
  if (encoding > 1) return fail("unsupported", file.subject, "its text is not UTF-8");
  const ofFile = Math.floor(file.sizeBytes / pageSizeBytes);
  // The size in the header counts only where the same writer set it. Source: "In-header database size".
  const isCurrent = view.getUint32(24) === view.getUint32(92);
  const ofHeader = isCurrent ? view.getUint32(28) : 0;
  const pageCount = wal?.pageCount ?? (ofHeader === 0 ? ofFile : ofHeader);
  return ok({ pageSizeBytes, usableBytes, pageCount });
}
