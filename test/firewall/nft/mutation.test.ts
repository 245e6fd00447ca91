/** A listing of nft 1.0.6 that was cut, damaged or made up: reading, printing and lowering stand it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonValue } from "../../../src/contract/json.ts";
import { firewallFromNft } from "../../../src/parse/firewall/from-nft.ts";
import type { NftReading } from "../../../src/parse/nft-json/model.ts";
import { parseNftJson } from "../../../src/parse/nft-json/parse-nft-json.ts";
import { printNft } from "../../../src/parse/nft-json/print-nft.ts";

const LISTING = readFileSync(new URL("fixtures/listing.json", import.meta.url), "utf8").trim();
const WHOLE = parseNftJson(LISTING);
const LISTS = ["tables", "chains", "rules", "sets", "others"] as const;

/** Reads, prints and lowers, which must not throw whatever the text is. */
function handle(text: string): NftReading {
  const reading = parseNftJson(text);
  printNft(reading.ruleset);
  const { tables, isComplete } = firewallFromNft(reading);
  assert.equal(isComplete, reading.isComplete);
  assert.equal(tables.length, reading.ruleset.tables.length);
  assert.equal(reading.isComplete, reading.problems.length === 0);
  return reading;
}

function count({ ruleset }: NftReading): number {
  return LISTS.reduce((sum, list) => sum + ruleset[list].length, 0);
}

/** The fixture has an object per line; the first is nft's own and counts for nothing. */
function wholeObjectsBefore(length: number): number {
  const lines = LISTING.split("\n");
  let end = -1;
  const whole = lines.filter((line) => {
    end += line.length + 1;
    // The comma, or the bracket that ends the list, belongs to no object.
    return end - 1 <= length;
  });
  return Math.max(whole.length - 1, 0);
}

describe("a damaged listing of nft", () => {
  it("is a rich one before the damage", () => {
    assert.deepEqual(WHOLE.problems, []);
    assert.ok(WHOLE.ruleset.rules.length > 70);
    assert.ok(WHOLE.ruleset.sets.length > 10);
    const statements = WHOLE.ruleset.rules.flatMap((rule) => rule.statements);
    assert.ok(statements.some((statement) => typeof statement === "string"));
  });

  it("yields all whole objects before a cut, wherever it was cut, and says that it was", () => {
    fc.assert(
      fc.property(fc.nat(LISTING.length - 3), (length) => {
        const reading = handle(LISTING.slice(0, length));
        assert.equal(reading.isComplete, false);
        for (const list of LISTS) {
          const kept = reading.ruleset[list];
          assert.deepEqual(kept, WHOLE.ruleset[list].slice(0, kept.length));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("loses nothing that stands whole before a cut", () => {
    // Right behind a bracket, within a name, a number, an escape, behind a comma.
    const places = [...LISTING.matchAll(/\},\n|"handle": \d|\\\\|"val"|"chain": "|\[\[/g)];
    assert.ok(places.length > 100);
    for (const [at, { index = 0 }] of places.entries()) {
      if (at % 5 !== 0) continue;
      for (const length of [index, index + 1, index + 3]) {
        assert.equal(count(handle(LISTING.slice(0, length))), wholeObjectsBefore(length));
      }
    }
  });

  it("costs one object at most where a value is of another kind", () => {
    const objects = (JSON.parse(LISTING) as { nftables: JsonValue[] }).nftables;
    const odd = fc.constantFrom<JsonValue>(null, true, -1, 1e300, "", "@", "\u0000", [], {}, [[]]);
    fc.assert(
      fc.property(fc.nat(objects.length - 1), fc.nat(60), odd, (at, step, value) => {
        let left = step;
        const changed: JsonValue = JSON.parse(JSON.stringify(objects[at]), (key, old) => {
          left -= 1;
          return left === -1 && key !== "" ? value : old;
        });
        const put = objects.map((object, place) => (place === at ? changed : object));
        const reading = handle(JSON.stringify({ nftables: put }));
        assert.ok(count(reading) >= objects.length - 2);
      }),
      { numRuns: 300 },
    );
  });

  it("is no reason to throw, whatever its characters are", () => {
    const put = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom("{", "}", "[", "]", '"', "\\"),
    );
    fc.assert(
      fc.property(fc.nat(LISTING.length), fc.nat(20), put, (at, length, text) => {
        handle(LISTING.slice(0, at) + text + LISTING.slice(at + length));
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void handle(text)));
  });

  it("is refused where it nests deeper than rules do, and only there", () => {
    const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
    const rule = `{"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [{"match": ${deep}}]}}`;
    const reading = handle(LISTING.replace(/\]\}$/, `, ${rule}]}`));
    assert.equal(count(reading), count(WHOLE));
    assert.equal(reading.problems[0]?.code, "too-large");
  });

  it("keeps kinds of objects that are still to come", () => {
    const put = ', {"tunnel": {"family": "ip", "table": "t", "name": "x"}}]}';
    const reading = handle(LISTING.replace(/\]\}$/, put));
    assert.equal(reading.isComplete, true);
    assert.equal(reading.ruleset.others.at(-1)?.kind, "tunnel");
  });
});
