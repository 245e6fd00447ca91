/** In a network namespace of its own: what nft lists is parsed, printed, loaded and listed again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { firewallFromNft } from "../../../src/parse/firewall/from-nft.ts";
import type { NftRuleset } from "../../../src/parse/nft-json/model.ts";
import { parseNftJson } from "../../../src/parse/nft-json/parse-nft-json.ts";
import { printNft } from "../../../src/parse/nft-json/print-nft.ts";
import { loadable, NFT_CORPUS } from "./corpus.ts";

const NAMESPACE = `gwnft${process.pid}`;
/** Fewer than this would mean that the kernel or the tool is not what the corpus is for. */
const LEAST_TAKEN = 40;

function run(
  args: readonly string[],
  input = "",
): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync("ip", ["netns", ...args], {
    input,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, out: stdout ?? "", err: stderr ?? "" };
}

function nft(args: readonly string[], input = "") {
  return run(["exec", NAMESPACE, "nft", ...args], input);
}

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return "only root makes network namespaces";
  if (run(["list"]).status !== 0) return "ip netns does not work here";
  return spawnSync("nft", ["--version"]).status === 0 ? false : "nft is not installed";
}

/** The listing without what differs from load to load. */
function comparable(text: string): unknown {
  const drop = new Set(["handle", "metainfo", "expires"]);
  return JSON.parse(text, (key, value) => (drop.has(key) ? undefined : value));
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

const skip = skipReason();
let taken = 0;

describe("a native rule set of nftables", { skip }, () => {
  before(() => assert.equal(run(["add", NAMESPACE]).status, 0));
  after(() => {
    run(["delete", NAMESPACE]);
    if (!skip) assert.ok(taken >= LEAST_TAKEN, `only ${taken} rule sets were taken by this kernel`);
  });

  for (const [name, text] of Object.entries(NFT_CORPUS)) {
    it(`comes back the same: ${name}`, (test) => {
      const loaded = nft(["-f", "-"], `flush ruleset\n${loadable(text)}\n`);
      if (loaded.status !== 0) {
        test.skip(`this nft or kernel refuses it: ${loaded.err.split("\n")[0]}`);
        return;
      }
      const first = nft(["-j", "list", "ruleset"]).out;
      const reading = parseNftJson(first);
      assert.deepEqual(reading.problems, []);
      assert.equal(reading.isComplete, true);
      const printed = printNft(withLosses(reading.ruleset));
      const again = nft(["-f", "-"], `flush ruleset\n${printed}\n`);
      assert.equal(again.status, 0, `${again.err}\n${printed}`);
      assert.deepEqual(comparable(nft(["-j", "list", "ruleset"]).out), comparable(first), printed);
      const { tables } = firewallFromNft(reading);
      assert.equal(tables.length, reading.ruleset.tables.length);
      for (const table of tables) {
        for (const chain of table.chains) {
          for (const rule of chain.rules) assert.notEqual(rule.text, "");
        }
      }
      taken += 1;
    });
  }
});
