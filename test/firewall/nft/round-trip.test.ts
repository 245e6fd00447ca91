/** In a network namespace of its own: what nft lists is parsed, printed, loaded and listed again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { firewallFromNft } from "../../../src/parse/firewall/from-nft.ts";
import type { NftRuleset } from "../../../src/parse/nft-json/model.ts";
import { parseNftJson } from "../../../src/parse/nft-json/parse-nft-json.ts";
import { printNft } from "../../../src/parse/nft-json/print-nft.ts";

const CORPUS = fileURLToPath(new URL("corpus/", import.meta.url));
const NAMESPACE = `gwnft${process.pid}`;
/** Fewer than this would mean that the kernel or the tool is not what the corpus is for. */
const LEAST_TAKEN = 70;

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], input = ""): Run {
  const { status, stdout, stderr } = spawnSync("ip", ["netns", ...args], {
    input,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, out: stdout ?? "", err: stderr ?? "" };
}

function nft(args: readonly string[], input = ""): Run {
  return run(["exec", NAMESPACE, "nft", ...args], input);
}

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return "only root makes network namespaces";
  if (run(["list"]).status !== 0) return "ip netns does not work here";
  return spawnSync("nft", ["--version"]).status === 0 ? false : "nft is not installed";
}

/** What nft holds, in both of its languages, without what differs from load to load. */
function listing(): { readonly json: string; readonly objects: unknown; readonly text: string } {
  const json = nft(["-j", "list", "ruleset"]).out;
  const drop = new Set(["handle", "metainfo", "expires"]);
  return {
    json,
    objects: JSON.parse(json, (key, value) => (drop.has(key) ? undefined : value)),
    text: nft(["-s", "list", "ruleset"]).out.replace(/ expires \w+/g, ""),
  };
}

/**
 * nft 1.0.6 leaves the device of an ingress chain out of its JSON, and writes stray bytes for the flags of
 * a table: here both are known from the corpus.
 */
function withLosses(ruleset: NftRuleset): NftRuleset {
  return {
    ...ruleset,
    tables: ruleset.tables.map((table) =>
      table.flags.length === 0 ? table : { ...table, flags: ["dormant"] },
    ),
    chains: ruleset.chains.map((chain) =>
      chain.base?.hook === "ingress"
        ? { ...chain, base: { ...chain.base, devices: ["lo"] } }
        : chain,
    ),
  };
}

/**
 * Also lost: that intervals are merged, and the flag `dynamic` of sets that no rule writes. `timeout` goes
 * without saying.
 */
function withoutLosses(text: string): string {
  return text.replace(/^\s*(?:auto-merge|flags (?:dynamic|timeout|dynamic,timeout))\n/gm, "");
}

const skip = skipReason();
let taken = 0;

describe("a native rule set of nftables", { skip }, () => {
  before(() => {
    assert.equal(run(["add", NAMESPACE]).status, 0);
    run(["exec", NAMESPACE, "ip", "link", "set", "lo", "up"]);
  });
  after(() => {
    run(["delete", NAMESPACE]);
    if (!skip) assert.ok(taken >= LEAST_TAKEN, `only ${taken} rule sets were taken by this kernel`);
  });

  for (const name of readdirSync(CORPUS).sort()) {
    it(`comes back the same: ${name}`, (test) => {
      const source = readFileSync(`${CORPUS}${name}`, "utf8");
      const loaded = nft(["-f", "-"], `flush ruleset\n${source}\n`);
      if (loaded.status !== 0) {
        test.skip(`this nft or kernel refuses it: ${loaded.err.split("\n")[0]}`);
        return;
      }
      const first = listing();
      const reading = parseNftJson(first.json);
      assert.deepEqual(reading.problems, []);
      assert.equal(reading.isComplete, true);
      const printed = printNft(withLosses(reading.ruleset));
      const again = nft(["-f", "-"], `flush ruleset\n${printed}\n`);
      assert.equal(again.status, 0, `${again.err}\n${printed}`);
      const second = listing();
      assert.deepEqual(second.objects, first.objects, printed);
      // What nft's JSON does not say would pass by above.
      assert.equal(withoutLosses(second.text), withoutLosses(first.text));
      const { tables } = firewallFromNft(reading);
      assert.equal(tables.length, reading.ruleset.tables.length);
      for (const table of tables) {
        for (const chain of table.chains) {
          for (const rule of chain.rules) {
            assert.notEqual(rule.text, "");
            assert.doesNotMatch(rule.text, /[{,]"/, "what is not known is printed as JSON");
          }
        }
      }
      taken += 1;
    });
  }
});
