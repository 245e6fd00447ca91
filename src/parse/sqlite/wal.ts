import { fail, ok, type Result } from "../../contract/result.ts";
import type { ByteSource } from "../byte-source.ts";

/** Largest write-ahead log that is read, bytes: SQLite moves it into the file every 4 MB or so. */
export const MAX_WAL_BYTES = 33_554_432;

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const VERSION = 3_007_000;

/** What a write-ahead log adds to its database. */
export interface WalContent {
  readonly pageSizeBytes: number;
  /** Size of the database after the last transaction, pages. */
  readonly pageCount: number;
  /** Where in the log the newest content of a page is, bytes. */
  readonly offsets: ReadonlyMap<number, number>;
}

/**
 * The pages of transactions that were committed, as SQLite itself recovers them: frames count up to the
 * last commit before the first frame whose salt or checksum is wrong. Undefined: there is none. Errors:
 * `too-large`, `unsupported` for a version that is not known, those of reading. Source:
 * https://www.sqlite.org/fileformat2.html#walformat
 */
export function readWal(wal: ByteSource): Result<WalContent | undefined> {
  if (wal.sizeBytes < HEADER_BYTES) return ok(undefined);
  if (wal.sizeBytes > MAX_WAL_BYTES)
    return fail("too-large", wal.subject, `a write-ahead log of more than ${MAX_WAL_BYTES} bytes`);
  const read = wal.read(0, HEADER_BYTES);
  if (!read.ok) return read;
  const header = viewOf(read.value);
  const magic = header.getUint32(0);
  const pageSizeBytes = header.getUint32(8);
  if ((magic & 0xfffffffe) >>> 0 !== 0x377f0682 || !isPageSize(pageSizeBytes)) return ok(undefined);
  const isLittle = (magic & 1) === 0;
  const sum = checksum([0, 0], header, 24, isLittle);
  if (!isSum(sum, header, 24)) return ok(undefined);
  if (header.getUint32(4) !== VERSION)
    return fail("unsupported", wal.subject, "a write-ahead log of a version that is not known");
  return readFrames(wal, { header, pageSizeBytes, isLittle, sum });
}

/** Whether a page of a database may have that size. */
export function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}

type Checksum = readonly [number, number];

interface WalStart {
  readonly header: DataView;
  readonly pageSizeBytes: number;
  readonly isLittle: boolean;
  readonly sum: Checksum;
}

function readFrames(wal: ByteSource, start: WalStart): Result<WalContent | undefined> {
  const { pageSizeBytes, isLittle } = start;
  const frameBytes = FRAME_HEADER_BYTES + pageSizeBytes;
  const committed = new Map<number, number>();
  let open: [page: number, offset: number][] = [];
  let pageCount = 0;
  let { sum } = start;
  for (let at = HEADER_BYTES; at + frameBytes <= wal.sizeBytes; at += frameBytes) {
    const read = wal.read(at, frameBytes);
    if (!read.ok) return read;
    const frame = viewOf(read.value);
    const page = frame.getUint32(0);
    if (page === 0 || !isSameSalt(frame, start.header)) break;
    sum = checksum(sum, frame, 8, isLittle);
    const content = viewOf(read.value.subarray(FRAME_HEADER_BYTES));
    sum = checksum(sum, content, pageSizeBytes, isLittle);
    if (!isSum(sum, frame, 16)) break;
    open.push([page, at + FRAME_HEADER_BYTES]);
    if (frame.getUint32(4) === 0) continue;
    pageCount = frame.getUint32(4);
    for (const [number, offset] of open) committed.set(number, offset);
    open = [];
  }
  if (committed.size === 0) return ok(undefined);
  return ok({ pageSizeBytes, pageCount, offsets: committed });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isSameSalt(frame: DataView, header: DataView): boolean {
  return (
    frame.getUint32(8) === header.getUint32(16) && frame.getUint32(12) === header.getUint32(20)
  );
}

function isSum([first, second]: Checksum, view: DataView, at: number): boolean {
  return first === view.getUint32(at) && second === view.getUint32(at + 4);
}

/** Source: https://www.sqlite.org/fileformat2.html#checksum_algorithm */
function checksum(
  from: Checksum,
  view: DataView,
  lengthBytes: number,
  isLittle: boolean,
): Checksum {
  let [first, second] = from;
  for (let at = 0; at < lengthBytes; at += 8) {
    first = (first + view.getUint32(at, isLittle) + second) >>> 0;
    second = (second + view.getUint32(at + 4, isLittle) + first) >>> 0;
  }
  return [first, second];
}
