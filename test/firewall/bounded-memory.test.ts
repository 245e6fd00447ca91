/** Ten thousand rules in one pass, in a process that may use little memory. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RULES = 10_000;
/** The loader of the test takes some 30 MB of it. */
const HEAP_MB = 72;

function inSmallHeap(source: string): { readonly status: number | null; readonly output: string } {
  const args = [`--max-old-space-size=${HEAP_MB}`, "--import", "tsx", "--input-type=module", "-e"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, source], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, output: status === 0 ? stdout.trim() : stderr.slice(-500) };
}

describe("ten thousand rules", () => {
  it("of iptables-save are read with little memory", () => {
    const { status, output } = inSmallHeap(`
      import { firewallOf } from "./src/parse/firewall/firewall-of.ts";
      const rules = Array.from({ length: ${RULES} }, (_, at) =>
        "[3:180] -A INPUT -s 10.1." + (at >> 8) + "." + (at & 255) + "/32 -p tcp -m conntrack --ctstate NEW -m multiport --dports 22,80:90 -m comment --comment \\"rule " + at + "\\" -j ACCEPT");
      const text = ["*filter", ":INPUT DROP [0:0]", ...rules, "COMMIT", ""].join("\\n");
      const texts = [{ backend: "iptables-nft", family: "ip", text, isCut: false }];
      const { firewall, problems } = firewallOf({ texts, unknown: [], problems: [] });
      console.log(firewall.tables[0].chains[0].rules.length, problems.length);
    `);
    assert.deepEqual([status, output], [0, `${RULES} 0`]);
  });

  it("of nftables are read with little memory", () => {
    const { status, output } = inSmallHeap(`
      import { firewallOf } from "./src/parse/firewall/firewall-of.ts";
      const place = '"family": "inet", "table": "t"';
      const rules = Array.from({ length: ${RULES} }, (_, at) =>
        '{"rule": {' + place + ', "chain": "c", "handle": ' + at + ', "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": ' + at + '}}, {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}}');
      const text = '{"nftables": [{"table": {"family": "inet", "name": "t"}}, {"chain": {' + place + ', "name": "c"}}, ' + rules.join(", ") + "]}";
      const texts = [{ backend: "nftables", family: "all", text, isCut: false }];
      const { firewall, problems } = firewallOf({ texts, unknown: [], problems: [] });
      console.log(firewall.tables[0].chains[0].rules.length, problems.length);
    `);
    assert.deepEqual([status, output], [0, `${RULES} 0`]);
  });
});
