import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { firewallFromNft } from "../firewall/from-nft.ts";
import { parseNftJson } from "./parse-nft-json.ts";
import { printNft } from "./print-nft.ts";

/** Shortened from what nft 1.0.6 listed on Debian 12. */
const LISTING = `{"nftables": [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
{"table": {"family": "inet", "name": "filter", "handle": 1}},
{"chain": {"family": "inet", "table": "filter", "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}},
{"set": {"family": "inet", "name": "ports", "table": "filter", "type": "inet_service", "handle": 2, "flags": ["interval"], "elem": [22, {"range": [8000, 8010]}]}},
{"rule": {"family": "inet", "table": "filter", "chain": "input", "handle": 3, "comment": "ops } {", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "@ports"}}, {"counter": {"packets": 3, "bytes": 180}}, {"accept": null}]}},
{"rule": {"family": "inet", "table": "filter", "chain": "input", "handle": 4, "expr": [{"drop": null}]}}]}
`;

describe("parseNftJson", () => {
  it("files every object and keeps the order of rules", () => {
    const { ruleset, problems, isComplete } = parseNftJson(LISTING);
    assert.deepEqual([problems, isComplete], [[], true]);
    assert.deepEqual(ruleset.tables, [{ family: "inet", name: "filter", flags: [] }]);
    assert.equal(ruleset.chains[0]?.base?.policy, "drop");
    assert.deepEqual(ruleset.sets[0]?.elements, [22, { range: [8000, 8010] }]);
    assert.deepEqual(
      ruleset.rules.map((rule) => [rule.handle, rule.comment]),
      [
        [3, "ops } {"],
        [4, undefined],
      ],
    );
  });

  it("yields what stands before a cut, at every length, and says that it was cut", () => {
    const whole = parseNftJson(LISTING).ruleset;
    for (let length = 0; length < LISTING.trimEnd().length - 2; length += 1) {
      const { ruleset, isComplete, problems } = parseNftJson(LISTING.slice(0, length));
      assert.equal(isComplete, false);
      assert.ok(problems.length > 0);
      assert.deepEqual(ruleset.rules, whole.rules.slice(0, ruleset.rules.length));
    }
  });

  it("costs one malformed object only itself, and names its place", () => {
    const text = LISTING.replace('"chain": "input", "handle": 4', '"chain": 7, "handle": 4');
    const { ruleset, problems, isComplete } = parseNftJson(text);
    assert.equal(ruleset.rules.length, 1);
    assert.equal(isComplete, false);
    assert.match(problems[0]?.detail ?? "", /^line 6, character \d+: a rule without/);
  });

  it("says how far a text goes that was cut", () => {
    const { problems } = parseNftJson(LISTING.slice(0, LISTING.indexOf('"rule"') + 20));
    assert.match(problems[0]?.detail ?? "", /^ends after 4 whole objects$/);
  });

  it("takes a statement that nft has no JSON for as text", () => {
    const text = LISTING.replace('{"drop": null}', '"add @seen { ip saddr : 22 }", {"drop": null}');
    const { ruleset, problems } = parseNftJson(text);
    assert.deepEqual(problems, []);
    assert.deepEqual(ruleset.rules[1]?.statements, ["add @seen { ip saddr : 22 }", { drop: null }]);
  });

  it("refuses what is not a listing", () => {
    const stray = '{"nftables": [{}}]}';
    for (const text of ["", "[]", "Error: not permitted", '{"nftables": {}}', "\0\0", stray]) {
      const { isComplete, problems } = parseNftJson(text);
      assert.equal(isComplete, false);
      assert.ok(problems.length > 0);
      for (const { detail } of problems) assert.match(detail, /^line 1, character \d+: /);
    }
  });

  it("stops at the bound of rules", () => {
    const { ruleset, isComplete, problems } = parseNftJson(LISTING, { maxRules: 1 });
    assert.equal(ruleset.rules.length, 1);
    assert.equal(isComplete, false);
    assert.equal(problems[0]?.code, "too-large");
  });

  it("never throws on any change of a listing, nor do lowering and printing", () => {
    const place = fc.nat(LISTING.length - 1);
    const change = fc.constantFrom(
      "",
      "{",
      "}",
      "[",
      "]",
      '"',
      ",",
      "null",
      "\\",
      "7",
      "@",
      "\0",
      '"map"',
    );
    fc.assert(
      fc.property(place, fc.nat(40), change, (at, length, put) => {
        const reading = parseNftJson(LISTING.slice(0, at) + put + LISTING.slice(at + length));
        firewallFromNft(reading);
        printNft(reading.ruleset);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never throws on any statements, nor do lowering and printing", () => {
    const word = fc.constantFrom(
      "match",
      "vmap",
      "set",
      "map",
      "dnat",
      "mangle",
      "payload",
      "meta",
      "key",
      "data",
      "left",
      "right",
      "op",
      "range",
      "prefix",
      "concat",
      "elem",
      "&",
      "ct",
      "fib",
      "addr",
      "xt",
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, 1, "tcp", "@ports", "==", "mark", true),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(word, tie("any"), { maxKeys: 3 }),
      ),
    })).any;
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(word, value, { maxKeys: 2 }), { maxLength: 4 }),
        (expr) => {
          const rule = { rule: { family: "inet", table: "filter", chain: "input", expr } };
          const reading = parseNftJson(LISTING.replace(/\]\}\s*$/, `,${JSON.stringify(rule)}]}`));
          assert.equal(reading.ruleset.rules.length, 3);
          firewallFromNft(reading);
          printNft(reading.ruleset);
        },
      ),
      { numRuns: 500 },
    );
  });
});
