/** An integer of variable length and where it ends. */
export interface Varint {
  /** As the 64 bits with sign; rounded above 2^53, which no size or row id of a sane file reaches. */
  readonly value: number;
  readonly end: number;
}

/**
 * Reads one to nine bytes, seven bits each and eight of the ninth. Undefined where the bytes end before
 * it does. Source: https://www.sqlite.org/fileformat2.html#varint
 */
export function readVarint(bytes: Uint8Array, at: number): Varint | undefined {
  let value = 0;
  for (let index = 0; index < 7; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return readLong(bytes, at + 7, BigInt(value));
}

function readLong(bytes: Uint8Array, at: number, high: bigint): Varint | undefined {
  const eighth = bytes[at];
  if (eighth === undefined) return undefined;
  const value = (high << 7n) | BigInt(eighth & 0x7f);
  if (eighth < 0x80) return { value: Number(value), end: at + 1 };
  const ninth = bytes[at + 1];
  if (ninth === undefined) return undefined;
  return { value: Number(BigInt.asIntN(64, (value << 8n) | BigInt(ninth))), end: at + 2 };
}
