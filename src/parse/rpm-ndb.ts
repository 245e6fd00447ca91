import { fail, ok, type Result } from "../contract/result.ts";
import type { ByteSource } from "./byte-source.ts";

/** Source: rpm, lib/backend/ndb/rpmpkg.c. All numbers are little-endian. */
const HEADER_MAGIC = "RpmP";
const SLOT_MAGIC = "Slot";
const BLOB_MAGIC = "BlbS";
const HEADER_BYTES = 32;
const PAGE_BYTES = 4096;
const SLOT_BYTES = 16;
const BLOCK_BYTES = 16;
const BLOB_HEAD_BYTES = 16;
const BLOB_TAIL_BYTES = 12;
/** Most pages of slots that are read: 255 packages each. */
const MOST_SLOT_PAGES = 400;

const ascii = new TextDecoder("latin1");

/** Where a package database of the form "ndb" keeps a header. */
export interface NdbSlot {
  readonly packageId: number;
  readonly offsetBytes: number;
  /** With what the database adds to the header. */
  readonly lengthBytes: number;
}

/** The packages of a database (`Packages.db`). Errors: `malformed`, `unsupported`, `too-large`. */
export function readNdbSlots(file: ByteSource): Result<readonly NdbSlot[]> {
  const { subject } = file;
  const header = file.read(0, HEADER_BYTES);
  if (!header.ok) return header;
  if (!isMagic(header.value, 0, HEADER_MAGIC))
    return fail("malformed", subject, "is no package database of rpm");
  const view = viewOf(header.value);
  if (view.getUint32(4, true) !== 0)
    return fail("unsupported", subject, "a version of ndb that is not known");
  const pages = view.getUint32(12, true);
  if (pages > MOST_SLOT_PAGES) return fail("too-large", subject, `${pages} pages of packages`);
  const read = file.read(0, pages * PAGE_BYTES);
  if (!read.ok) return read;
  const slots: NdbSlot[] = [];
  for (let at = HEADER_BYTES; at < read.value.length; at += SLOT_BYTES) {
    const slot = readSlot(read.value, at);
    if (slot === "empty") continue;
    const end = slot === undefined ? 0 : slot.offsetBytes + slot.lengthBytes;
    if (slot === undefined || slot.offsetBytes < read.value.length || end > file.sizeBytes)
      return fail("malformed", subject, `a bad slot at byte ${at}`);
    slots.push(slot);
  }
  return ok(slots);
}

/** The first `maxBytes` of a package's header, or all of it. Errors: `malformed`, those of reading. */
export function readNdbHeader(
  file: ByteSource,
  slot: NdbSlot,
  maxBytes: number,
): Result<Uint8Array> {
  const wanted = Math.min(slot.lengthBytes, BLOB_HEAD_BYTES + maxBytes);
  const read = file.read(slot.offsetBytes, wanted);
  if (!read.ok) return read;
  const view = viewOf(read.value);
  const lengthBytes = view.getUint32(12, true);
  const isGood =
    isMagic(read.value, 0, BLOB_MAGIC) &&
    view.getUint32(4, true) === slot.packageId &&
    lengthBytes + BLOB_HEAD_BYTES + BLOB_TAIL_BYTES <= slot.lengthBytes;
  if (!isGood) return fail("malformed", file.subject, `a bad package ${slot.packageId}`);
  return ok(read.value.subarray(BLOB_HEAD_BYTES, BLOB_HEAD_BYTES + lengthBytes));
}

function readSlot(bytes: Uint8Array, at: number): NdbSlot | "empty" | undefined {
  if (!isMagic(bytes, at, SLOT_MAGIC)) return undefined;
  const view = viewOf(bytes);
  const block = view.getUint32(at + 8, true);
  if (block === 0) return "empty";
  const packageId = view.getUint32(at + 4, true);
  const lengthBytes = view.getUint32(at + 12, true) * BLOCK_BYTES;
  if (packageId === 0 || lengthBytes < BLOB_HEAD_BYTES + BLOB_TAIL_BYTES) return undefined;
  return { packageId, offsetBytes: block * BLOCK_BYTES, lengthBytes };
}

function isMagic(bytes: Uint8Array, at: number, magic: string): boolean {
  return ascii.decode(bytes.subarray(at, at + 4)) === magic;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
