/** The table of the official lists is whole, and the tests that it names exist and are about the row. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { officialRows } from "../../build/docs/official-rows.ts";

const root = new URL("../../", import.meta.url);

describe("the official lists", () => {
  const rows = officialRows();

  it("have 8 and 9 recommendations and 19 custom alerts, each once", () => {
    const counts = new Map<string, number>();
    for (const { list } of rows) counts.set(list, (counts.get(list) ?? 0) + 1);
    assert.deepEqual([...counts.values()], [8, 9, 19]);
    assert.equal(new Set(rows.map((row) => row.type)).size, 36);
  });

  it("say of each row the rule, the source and the place", () => {
    for (const { type, rule, source, place } of rows) {
      for (const text of [rule, source, place]) assert.ok(text.length > 5, type);
    }
  });

  it("name tests that exist, and one for every row that is judged", () => {
    for (const { type, list, tests } of rows) {
      for (const path of tests) {
        const file = new URL(path, root);
        assert.ok(existsSync(file), `${type}: ${path}`);
        assert.ok(readFileSync(file, "utf8").includes("it("), path);
      }
      const isJudged =
        list !== "hub recommendations" || existsSync(new URL("src/posture/hub", root));
      assert.ok(tests.length > 0 || !isJudged, `${type} is judged and names no test`);
    }
  });

  it("are in the document", () => {
    const document = readFileSync(new URL("docs/official-rows.md", root), "utf8");
    for (const { type } of rows) assert.ok(document.includes(`\`${type}\``), type);
  });
});
