import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createRecordSplitter, type RecordPiece } from "./json-records.ts";

function split(
  text: string,
  cuts: readonly number[] = [],
  maxRecordLength?: number,
): RecordPiece[] {
  const splitter = createRecordSplitter(maxRecordLength === undefined ? {} : { maxRecordLength });
  const pieces: RecordPiece[] = [];
  let from = 0;
  for (const cut of [...cuts, text.length].sort((a, b) => a - b)) {
    pieces.push(...splitter.push(text.slice(from, cut)));
    from = Math.max(from, cut);
  }
  return [...pieces, ...splitter.end()];
}

function valuesOf(pieces: readonly RecordPiece[]): unknown[] {
  return pieces.map((piece) => (piece.kind === "record" ? JSON.parse(piece.text) : piece.reason));
}

/** An object that is no envelope by itself. */
const record = fc
  .dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
  .filter((one) => !["records", "value", "items"].some((name) => Array.isArray(one[name])));

const FORMS: Readonly<Record<string, (all: readonly unknown[]) => string>> = {
  "an array": (all) => JSON.stringify(all),
  "a printed array": (all) => JSON.stringify(all, null, 2),
  "JSON lines": (all) => all.map((one) => JSON.stringify(one)).join("\r\n"),
  "objects with blank lines between": (all) => all.map((one) => JSON.stringify(one)).join("\n\n"),
  "printed objects": (all) => all.map((one) => JSON.stringify(one, null, 2)).join("\n"),
  "a list of records": (all) => JSON.stringify({ records: all }),
  "a printed answer with a link": (all) =>
    JSON.stringify({ count: 3, value: all, nextLink: "https://x/y" }, null, 4),
  "envelopes in lines": (all) => all.map((one) => JSON.stringify({ records: [one] })).join("\n"),
};

describe("records", () => {
  for (const [what, form] of Object.entries(FORMS)) {
    it(`are found in ${what}, wherever the text is cut`, () => {
      fc.assert(
        fc.property(fc.array(record, { maxLength: 6 }), fc.array(fc.nat(400)), (all, cuts) => {
          const plain: unknown = JSON.parse(JSON.stringify(all));
          assert.deepEqual(valuesOf(split(form(all), cuts)), plain);
        }),
      );
    });
  }

  it("after a line that was cut or is no JSON are found all the same", () => {
    const text = '{"a":1}\n{"a":2,"b":"x\n{"a":3}\noops {"a":4}\n{"a":5}\n{"a":6';
    assert.deepEqual(valuesOf(split(text)), [
      { a: 1 },
      "an object does not end",
      { a: 3 },
      "text that is no object",
      { a: 5 },
      "the text ends inside an object",
    ]);
    assert.deepEqual(
      split(text).map(({ line }) => line),
      [1, 2, 3, 4, 5, 6],
    );
  });

  it("that are too long are named and not kept", () => {
    const long = JSON.stringify({ a: "x".repeat(100) });
    assert.deepEqual(valuesOf(split(`[${long},{"a":1}]`, [20, 40], 50)), [
      "an object is too long",
      { a: 1 },
    ]);
  });

  it("and garbage of any kind never throw and are bounded", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\\n a1') }), (text) => {
        for (const piece of split(text, [3, 7])) assert.ok(piece.line >= 1);
      }),
      { numRuns: 500 },
    );
  });
});
