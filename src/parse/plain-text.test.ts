import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { plainText, singleValue } from "./plain-text.ts";

describe("plain text", () => {
  it("replaces characters that could forge a line or reverse text", () => {
    assert.equal(plainText("a\nb\u202ec\u0000d"), "a\ufffdb\ufffdc\ufffdd");
  });

  it("keeps letters of any script", () => {
    assert.equal(plainText(" Gerät № 7 "), "Gerät № 7");
  });

  it("does not cut a surrogate pair in half", () => {
    assert.equal(plainText("ab😀", 3), "ab");
  });

  it("drops the closing newline and NUL of a kernel file", () => {
    assert.equal(singleValue("Raspberry Pi 4 Model B\0\n"), "Raspberry Pi 4 Model B");
  });

  it("is bounded and free of control characters whatever comes in", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 40 }), (text, max) => {
        const plain = plainText(text, max);
        assert.ok(plain.length <= max);
        assert.ok([...plain].every((char) => (char.codePointAt(0) ?? 0) >= 0x20));
      }),
    );
  });
});
