const BASE = 0x400000;
const HEADERS_BYTES = 64 + 56;
/** xor edi, edi; mov eax, 60 (exit); syscall. */
const CODE = [0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];

/**
 * The smallest program for Linux on x86-64: it ends with status 0. Nothing is linked or loaded for it, so that
 * a storm of it is as fast as the kernel can execute. Source: elf(5), _exit(2).
 */
export const TINY_PROGRAM: Uint8Array = tinyProgram();

function tinyProgram(): Uint8Array {
  const bytes = Buffer.alloc(HEADERS_BYTES + CODE.length);
  // ELF, 64 bits, little endian, version 1; an executable for x86-64.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(BASE + HEADERS_BYTES), 24);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  // One segment, read and executed: the whole file.
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(5, 68);
  bytes.writeBigUInt64LE(BigInt(BASE), 80);
  bytes.writeBigUInt64LE(BigInt(BASE), 88);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 96);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 104);
  bytes.writeBigUInt64LE(0x1000n, 112);
  bytes.set(CODE, HEADERS_BYTES);
  return bytes;
}
