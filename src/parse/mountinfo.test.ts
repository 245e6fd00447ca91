import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseMountinfo } from "./mountinfo.ts";

describe("the mount table of a process", () => {
  it("is read with optional fields, octal blanks and options of the file system", () => {
    const text = [
      "23 1 8:1 / / rw,relatime shared:1 master:2 - ext4 /dev/sda1 rw,errors=remount-ro",
      "40 23 0:44 /sub /mnt/a\\040b rw - overlay overlay rw,lowerdir=/rom,upperdir=/overlay/upper",
      "no mount at all",
      "1 2 3:4 / /half rw -",
    ].join("\n");
    assert.deepEqual(parseMountinfo(text), [
      {
        device: "8:1",
        root: "/",
        path: "/",
        type: "ext4",
        source: "/dev/sda1",
        superOptions: ["rw", "errors=remount-ro"],
      },
      {
        device: "0:44",
        root: "/sub",
        path: "/mnt/a b",
        type: "overlay",
        source: "overlay",
        superOptions: ["rw", "lowerdir=/rom", "upperdir=/overlay/upper"],
      },
    ]);
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
        assert.ok(parseMountinfo(text).length <= text.split("\n").length);
      }),
    );
  });
});
