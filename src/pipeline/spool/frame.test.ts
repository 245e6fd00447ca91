import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { crc32, encodeFrame, scanFrames } from "./frame.ts";

const payloads = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 12 });

function fileOf(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts.map((part) => encodeFrame(part)));
}

describe("framed records", () => {
  it("use the CRC-32 of ISO 3309", () => {
    assert.equal(crc32(Buffer.from("123456789")), 0xcbf43926);
  });

  it("come back as they were written", () => {
    fc.assert(
      fc.property(payloads, (parts) => {
        const scanned = scanFrames(fileOf(parts));
        assert.deepEqual(
          scanned.frames.map((frame) => [...frame.payload]),
          parts.map((part) => [...part]),
        );
        assert.equal(scanned.damaged, 0);
        assert.equal(scanned.isTorn, false);
      }),
    );
  });

  it("lose only the last one when a write is cut off anywhere", () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (parts, cut) => {
        const bytes = fileOf(parts);
        const kept = bytes.subarray(0, bytes.length === 0 ? 0 : cut % bytes.length);
        const scanned = scanFrames(kept);
        const whole = scanFrames(bytes).frames.filter((frame) => frame.end <= kept.length);
        assert.equal(scanned.frames.length, whole.length);
        assert.equal(scanned.goodEnd, whole.at(-1)?.end ?? 0);
        assert.equal(scanned.isTorn, kept.length > scanned.goodEnd);
      }),
    );
  });

  it("lose only what a damaged byte lies in", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        (parts, at) => {
          const bytes = fileOf(parts);
          const position = at % bytes.length;
          const hit = scanFrames(bytes).frames.findIndex((frame) => position < frame.end);
          bytes.writeUInt8(bytes.readUInt8(position) ^ 0xff, position);
          const left = parts.filter((_, index) => index !== hit).map((part) => [...part].join());
          assert.deepEqual(
            scanFrames(bytes).frames.map((frame) => [...frame.payload].join()),
            left,
          );
        },
      ),
    );
  });

  it("never throw, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        const scanned = scanFrames(Buffer.concat([Buffer.from("GWR1"), bytes]));
        assert.ok(scanned.goodEnd <= bytes.length + 4);
      }),
    );
  });
});
