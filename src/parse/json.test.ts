import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseJson, parseJsonObject } from "./json.ts";

describe("parsing JSON of any origin", () => {
  it("reads what JSON.stringify wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('"__proto__"'));
        const parsed = parseJson(text, "test");
        assert.ok(parsed.ok);
        assert.deepEqual(parsed.value, JSON.parse(text));
      }),
    );
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const parsed = parseJson(text, "test");
        assert.equal(typeof parsed.ok, "boolean");
      }),
    );
  });

  it("refuses deep nesting before it costs a stack", () => {
    const parsed = parseJson(`${"[".repeat(200_000)}${"]".repeat(200_000)}`, "twin");
    assert.deepEqual(parsed.ok ? "" : parsed.problem.code, "too-large");
  });

  it("counts no bracket inside a string as nesting", () => {
    const parsed = parseJson(`{"a":"${"[{".repeat(100)}\\"["}`, "twin");
    assert.equal(parsed.ok, true);
  });

  it("refuses text longer than its bound", () => {
    const parsed = parseJson(`"${"x".repeat(100)}"`, "twin", { maxLength: 50 });
    assert.equal(parsed.ok ? "" : parsed.problem.code, "too-large");
  });

  it("refuses a key that would reach a prototype", () => {
    const parsed = parseJson('{"a":{"__proto__":{"isAdmin":true}}}', "twin");
    assert.equal(parsed.ok ? "" : parsed.problem.code, "malformed");
  });

  it("never quotes the text in its problem, since it may be a secret", () => {
    const parsed = parseJson("SharedAccessKey=c2VjcmV0", "secret file");
    assert.equal(parsed.ok, false);
    assert.doesNotMatch(JSON.stringify(parsed), /c2VjcmV0|SharedAccessKey/);
    for (const text of ["\u0000__proto__", "c2VjcmV0__proto__"]) {
      const refused = parseJson(text, "secret file");
      assert.equal(refused.ok ? "" : refused.problem.detail, "not JSON");
    }
  });

  it("tells an object from other JSON", () => {
    assert.equal(parseJsonObject("[1]", "twin").ok, false);
    assert.deepEqual(parseJsonObject('{"a":1}', "twin"), { ok: true, value: { a: 1 } });
  });
});
