import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseMeminfo } from "./meminfo.ts";

describe("meminfo", () => {
  it("reads sizes and skips counts", () => {
    const sizes = parseMeminfo(
      "MemTotal:       24684092 kB\nActive(anon):       1492 kB\nHugePages_Total:       0\n",
    );
    assert.deepEqual(
      [...sizes],
      [
        ["MemTotal", 24_684_092],
        ["Active(anon)", 1492],
      ],
    );
  });

  it("skips a line that was cut off", () => {
    assert.deepEqual([...parseMeminfo("MemTotal:   246840")], []);
  });

  it("never throws and yields whole numbers that are not negative", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, unit) => {
        for (const size of parseMeminfo(`${text}\nA: ${unit} kB`).values()) {
          assert.ok(Number.isSafeInteger(size) && size >= 0);
        }
      }),
    );
  });
});
