import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { STANDARD_LOAD } from "../../benchmarks/standard-load.ts";

describe("the page of the standard load", () => {
  it("has every number of the code, and no other", () => {
    const page = readFileSync(
      new URL("../../docs/benchmarks/standard-load.md", import.meta.url),
      "utf8",
    );
    const rows = [...page.matchAll(/^\| .+ \| (\d+) \| `(\w+)` \|$/gm)];
    const told = Object.fromEntries(rows.map(([, count, key = ""]) => [key, Number(count)]));
    assert.deepEqual(told, { ...STANDARD_LOAD });
  });
});
