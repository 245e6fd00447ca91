import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { unchangedFileMappings } from "./file-mappings.ts";

function mapping(head: string, facts: { dirty?: number; anonymous?: number; flags?: string } = {}) {
  const { dirty = 0, anonymous = 0, flags = "rd ex mr mw me" } = facts;
  return [
    head,
    "Size:               1024 kB",
    "Rss:                 512 kB",
    `Private_Dirty: ${String(dirty).padStart(9)} kB`,
    `Anonymous: ${String(anonymous).padStart(13)} kB`,
    `VmFlags: ${flags} `,
    "",
  ].join("\n");
}

const TEXT = "00a7f000-0250b000 r-xp 0067f000 fe:00 11407      /usr/bin/node";

describe("unchangedFileMappings", () => {
  it("takes the text and the constants of a program", () => {
    const constants = "00400000-00a7f000 r--p 00000000 fe:00 11407      /usr/bin/node";
    assert.deepEqual(unchangedFileMappings(mapping(constants) + mapping(TEXT)), [
      { startAddress: 0x400000n, bytes: 0x67f000 },
      { startAddress: 0xa7f000n, bytes: 0x1a8c000 },
    ]);
  });

  it("leaves out relocated data: the file does not hold it", () => {
    assert.deepEqual(unchangedFileMappings(mapping(TEXT, { dirty: 8 })), []);
    assert.deepEqual(unchangedFileMappings(mapping(TEXT, { anonymous: 8 })), []);
  });

  it("leaves out what can be written, what is shared, what shows no file and what is locked", () => {
    for (const head of [
      "00a7f000-0250b000 rw-p 0067f000 fe:00 11407      /usr/lib/x.so",
      "00a7f000-0250b000 r--s 0067f000 fe:00 11407      /usr/lib/x.so",
      "00a7f000-0250b000 ---p 0067f000 fe:00 11407      /usr/lib/x.so",
      "7ffd1d5f2000-7ffd1d5f4000 r-xp 00000000 00:00 0  [vdso]",
    ]) {
      assert.deepEqual(unchangedFileMappings(mapping(head)), [], head);
    }
    assert.deepEqual(unchangedFileMappings(mapping(TEXT, { flags: "rd ex lo" })), []);
  });

  it("never throws, and takes no mapping without the kernel's word that it is unchanged", () => {
    assert.deepEqual(unchangedFileMappings(`${TEXT}\nRss: 5 kB\n`), []);
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.ok(Array.isArray(unchangedFileMappings(text)));
      }),
    );
  });
});
