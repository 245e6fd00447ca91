import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { EMPTY_TWIN, mergePatch, mergeUpdate, type TwinDocument } from "./twin-document.ts";

function held(version: number, desired: JsonObject): TwinDocument {
  return { desired, version, needsFullRead: false };
}

/** The pseudo code of RFC 7396 section 2, word for word. */
function reference(target: unknown, patch: JsonValue): unknown {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, unknown> = isJsonObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      if (Object.hasOwn(result, name)) delete result[name];
    } else {
      result[name] = reference(Object.hasOwn(result, name) ? result[name] : undefined, value);
    }
  }
  return result;
}

const few = fc.constantFrom("a", "b", "c", "constructor", "toString", "");
const documents: fc.Arbitrary<JsonObject> = fc.letrec<{ object: JsonObject; value: JsonValue }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom<JsonValue>(null, 1, "x", false),
      fc.array(tie("value"), { maxLength: 2 }),
      tie("object"),
    ),
    object: fc.dictionary(few, tie("value"), { maxKeys: 4 }),
  }),
).object;

describe("a desired patch", () => {
  it("merges as RFC 7396 says", () => {
    fc.assert(
      fc.property(documents, documents, (target, patch) => {
        assert.deepEqual(mergePatch(target, patch), reference(target, patch));
      }),
      { numRuns: 500 },
    );
  });

  it("keeps the properties it does not name", () => {
    const outcome = mergeUpdate(held(4, { object: { a: { value: 1 }, b: { value: 2 } } }), {
      kind: "patch",
      version: 5,
      desired: { object: { b: { value: 3 } } },
    });
    assert.equal(outcome.status, "merged");
    assert.deepEqual(outcome.document, held(5, { object: { a: { value: 1 }, b: { value: 3 } } }));
  });

  it("deletes with null and replaces lists whole", () => {
    const merged = mergePatch({ a: { b: 1, c: 2 }, list: [1, 2] }, { a: { b: null }, list: [3] });
    assert.deepEqual(merged, { a: { c: 2 }, list: [3] });
  });

  it("at or below the version held is stale", () => {
    const document = held(5, { a: 1 });
    for (const version of [5, 4, 0, -1]) {
      const outcome = mergeUpdate(document, { kind: "patch", version, desired: { a: 2 } });
      assert.equal(outcome.status, "stale");
      assert.equal(outcome.document, document);
    }
  });

  it("that skips a version applies and asks for a full read until one comes", () => {
    const skipped = mergeUpdate(held(5, { a: 1 }), {
      kind: "patch",
      version: 7,
      desired: { b: 2 },
    });
    assert.deepEqual(skipped.document, {
      desired: { a: 1, b: 2 },
      version: 7,
      needsFullRead: true,
    });
    const next = mergeUpdate(skipped.document, { kind: "patch", version: 8, desired: { c: 3 } });
    assert.equal(next.document.needsFullRead, true);
    const full = mergeUpdate(next.document, { kind: "full", version: 8, desired: { a: 1 } });
    assert.deepEqual(full.document, held(8, { a: 1 }));
  });

  it("before any full read is refused and asks for one", () => {
    const outcome = mergeUpdate(EMPTY_TWIN, { kind: "patch", version: 3, desired: { a: 1 } });
    assert.equal(outcome.status, "refused");
    assert.equal(outcome.problem?.code, "unsupported");
    assert.deepEqual(outcome.document, EMPTY_TWIN);
  });
});

describe("a full read", () => {
  it("replaces everything", () => {
    const outcome = mergeUpdate(held(5, { a: 1, b: 2 }), { kind: "full", version: 6, desired: {} });
    assert.deepEqual(outcome.document, held(6, {}));
  });

  it("older than what is held replaces, and asks once to be repeated", () => {
    const older = mergeUpdate(held(9, { a: 1 }), { kind: "full", version: 1, desired: { a: 2 } });
    assert.deepEqual(older.document, { desired: { a: 2 }, version: 1, needsFullRead: true });
    const again = mergeUpdate(older.document, { kind: "full", version: 1, desired: { a: 2 } });
    assert.deepEqual(again.document, held(1, { a: 2 }));
  });

  it("cannot smuggle in a key that would make the kept state unreadable", () => {
    const desired: JsonObject = Object.fromEntries([
      ["__proto__", { polluted: 1 }],
      ["a", Object.fromEntries([["__proto__", 1]])],
    ]);
    const outcome = mergeUpdate(EMPTY_TWIN, { kind: "full", version: 1, desired });
    assert.equal(JSON.stringify(outcome.document.desired), '{"a":{}}');
    assert.equal("polluted" in {}, false);
  });
});

describe("an update beyond the bounds", () => {
  let deep: JsonValue = 1;
  for (let level = 0; level < 100_000; level += 1) deep = { a: deep };
  const tooMuch: readonly (readonly [string, JsonObject])[] = [
    ["is nested too deep", { a: deep }],
    ["holds too much text", { a: "x".repeat(300_000) }],
    ["holds too many values", { a: Array.from({ length: 100_000 }, () => 1) }],
  ];
  for (const [what, desired] of tooMuch) {
    it(`is refused when it ${what}, and the document stays`, () => {
      const document = held(1, { a: 1 });
      for (const kind of ["full", "patch"] as const) {
        const outcome = mergeUpdate(document, { kind, version: 2, desired });
        assert.equal(outcome.status, "refused");
        assert.equal(outcome.problem?.code, "too-large");
        assert.deepEqual(outcome.document, document);
      }
    });
  }

  it("is refused when only the merged document is too large", () => {
    const document = held(1, { a: "x".repeat(200_000) });
    const desired = { b: "x".repeat(200_000) };
    assert.equal(mergeUpdate(document, { kind: "patch", version: 2, desired }).status, "refused");
  });
});
