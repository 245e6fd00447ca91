import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseOsRelease } from "./os-release.ts";

describe("os-release", () => {
  it("reads plain, single-quoted and double-quoted values", () => {
    const fields = parseOsRelease(
      `NAME="Debian GNU/Linux"\nID=debian\nVERSION='12 (book"worm)'\nNOTE="a \\"b\\" \\$c \\\\"\n`,
    );
    assert.deepEqual(Object.fromEntries(fields), {
      NAME: "Debian GNU/Linux",
      ID: "debian",
      VERSION: '12 (book"worm)',
      NOTE: 'a "b" $c \\',
    });
  });

  it("skips comments, lower-case names and empty values", () => {
    assert.equal(parseOsRelease("# NAME=x\nname=x\nVERSION_ID=\n= \n").size, 0);
  });

  it("lets the last assignment win", () => {
    assert.equal(parseOsRelease("ID=a\nID=b\n").get("ID"), "b");
  });

  it("never throws and yields bounded values", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 4000 }), (text) => {
        for (const value of parseOsRelease(`A=${text}`).values()) assert.ok(value.length <= 1024);
      }),
    );
  });
});
