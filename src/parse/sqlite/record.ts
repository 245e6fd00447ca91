import { readVarint } from "./varint.ts";

/** A value of a column. Integers that a number cannot hold exactly are bigint. */
export type SqliteValue = number | bigint | string | Uint8Array | null;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes of integers by serial type 1 to 6. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];

/**
 * The columns of a record whose text is UTF-8. Of a record that was read in part (`isCut`) the values that
 * the part holds whole, and the start of a text or blob that it cuts. Undefined: no record. Source:
 * https://www.sqlite.org/fileformat2.html#record_format
 */
export function readRecord(bytes: Uint8Array, isCut: boolean): readonly SqliteValue[] | undefined {
  const header = readVarint(bytes, 0);
  if (header === undefined || header.value < header.end || header.value > bytes.length)
    return undefined;
  const values: SqliteValue[] = [];
  let body = header.value;
  for (let at = header.end; at < header.value; ) {
    const type = readVarint(bytes, at);
    if (type === undefined || type.end > header.value) return undefined;
    at = type.end;
    const lengthBytes = lengthOf(type.value);
    if (lengthBytes === undefined) return undefined;
    const isWhole = body + lengthBytes <= bytes.length;
    if (!isWhole && !isCut) return undefined;
    if (!isWhole && type.value < 12) return values;
    values.push(valueAt(bytes.subarray(body, body + lengthBytes), type.value));
    if (!isWhole) return values;
    body += lengthBytes;
  }
  return values;
}

/** Undefined for the types that are not in use. */
function lengthOf(type: number): number | undefined {
  if (type < 0 || type === 10 || type === 11 || !Number.isSafeInteger(type)) return undefined;
  if (type >= 12) return Math.floor((type - 12) / 2);
  return type === 7 ? 8 : (INTEGER_BYTES[type] ?? 0);
}

function valueAt(bytes: Uint8Array, type: number): SqliteValue {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type >= 12) return type % 2 === 0 ? bytes : utf8.decode(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 7) return view.getFloat64(0);
  return integerAt(view);
}

/** Big-endian with sign. */
function integerAt(view: DataView): number | bigint {
  if (view.byteLength === 8) {
    const value = view.getBigInt64(0);
    const short = Number(value);
    return Number.isSafeInteger(short) ? short : value;
  }
  let value = view.getInt8(0);
  for (let at = 1; at < view.byteLength; at += 1) value = value * 256 + view.getUint8(at);
  return value;
}
