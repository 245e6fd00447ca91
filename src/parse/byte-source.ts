import { fail, ok, type Result } from "../contract/result.ts";

/** A file of which parts are read, for formats that know where in the file their parts lie. */
export interface ByteSource {
  /** What the file is, for problems. */
  readonly subject: string;
  readonly sizeBytes: number;
  /** Exactly so many bytes. Errors: `malformed` where the file ends before; those of reading. */
  read(offset: number, lengthBytes: number): Result<Uint8Array>;
}

/** Bytes as such a source. */
export function byteSource(bytes: Uint8Array, subject: string): ByteSource {
  return {
    subject,
    sizeBytes: bytes.length,
    read(offset, lengthBytes) {
      if (!isWithin(offset, lengthBytes, bytes.length)) return endsBefore(subject, offset);
      return ok(bytes.subarray(offset, offset + lengthBytes));
    },
  };
}

/** Whether a part lies in a file of that size. */
export function isWithin(offset: number, lengthBytes: number, sizeBytes: number): boolean {
  return offset >= 0 && lengthBytes >= 0 && offset + lengthBytes <= sizeBytes;
}

/** The problem of a part that is not there. */
export function endsBefore(subject: string, offset: number): Result<never> {
  return fail("malformed", subject, `ends before what should be at byte ${offset}`);
}
