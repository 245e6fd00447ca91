/**
 * Framed records: the only thing that spool files hold.
 *
 *   magic 4 bytes "GWR1" | payload length u32 LE | CRC-32 of the payload u32 LE | payload
 *
 * A reader can skip what is damaged: it looks for the next magic whose checksum holds.
 */
const MAGIC = Buffer.from("GWR1", "latin1");
export const FRAME_HEADER_BYTES = 12;
/** No record is larger: what claims to be is damage. */
export const MAX_PAYLOAD_BYTES = 4_194_304;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 as in ISO 3309. Written out because zlib.crc32 is newer than Node 18. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** One record, ready to be appended to a file. */
export function encodeFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  MAGIC.copy(frame, 0);
  frame.writeUInt32LE(payload.length, 4);
  frame.writeUInt32LE(crc32(payload), 8);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

export interface Frame {
  readonly payload: Buffer;
  /** Offset of the frame and of what follows it. */
  readonly start: number;
  readonly end: number;
}

export interface ScannedFrames {
  readonly frames: readonly Frame[];
  /** End of the last whole frame: an append may go on here. */
  readonly goodEnd: number;
  /** Damaged stretches between whole frames. */
  readonly damaged: number;
  /** True when bytes follow the last whole frame: a write that was cut off. */
  readonly isTorn: boolean;
}

/** All whole records from `from` on. Never throws, whatever the bytes. */
export function scanFrames(bytes: Buffer, from = 0): ScannedFrames {
  const frames: Frame[] = [];
  let damaged = 0;
  let goodEnd = from;
  let at = from;
  while (at + FRAME_HEADER_BYTES <= bytes.length) {
    const frame = frameAt(bytes, at);
    if (frame !== undefined) {
      if (at > goodEnd) damaged += 1;
      frames.push(frame);
      at = frame.end;
      goodEnd = at;
      continue;
    }
    const next = bytes.indexOf(MAGIC, at + 1);
    if (next < 0) break;
    at = next;
  }
  return { frames, goodEnd, damaged, isTorn: goodEnd < bytes.length };
}

function frameAt(bytes: Buffer, start: number): Frame | undefined {
  if (bytes.compare(MAGIC, 0, MAGIC.length, start, start + MAGIC.length) !== 0) return undefined;
  const length = bytes.readUInt32LE(start + 4);
  const end = start + FRAME_HEADER_BYTES + length;
  if (length > MAX_PAYLOAD_BYTES || end > bytes.length) return undefined;
  const payload = bytes.subarray(start + FRAME_HEADER_BYTES, end);
  return crc32(payload) === bytes.readUInt32LE(start + 8) ? { payload, start, end } : undefined;
}
