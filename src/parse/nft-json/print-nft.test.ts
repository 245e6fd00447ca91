import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NftRuleset } from "./model.ts";
import { parseNftJson } from "./parse-nft-json.ts";
import { printNft } from "./print-nft.ts";
import { printRule, printStatement } from "./print-statement.ts";

/** What not every kernel takes, so that test/firewall/nft cannot try it: JSON of libnftables-json(5). */
const STATEMENTS: readonly (readonly [Parameters<typeof printStatement>[0], string])[] = [
  [{ queue: null }, "queue"],
  [{ queue: { num: 3 } }, "queue to 3"],
  [
    { queue: { num: { range: [1, 3] }, flags: ["bypass", "fanout"] } },
    "queue flags bypass,fanout to 1-3",
  ],
  [
    { queue: { num: { numgen: { mode: "inc", mod: 5, offset: 0 } }, flags: "bypass" } },
    "queue flags bypass to numgen inc mod 5",
  ],
  [{ flow: { op: "add", flowtable: "@f" } }, "flow add @f"],
  [{ secmark: "ssh" }, 'meta secmark set "ssh"'],
  [{ last: null }, "last"],
  [
    { set: { op: "add", elem: { payload: { protocol: "ip", field: "saddr" } }, set: "@s" } },
    "add @s { ip saddr }",
  ],
  [
    {
      map: {
        op: "update",
        elem: { payload: { protocol: "ip", field: "saddr" } },
        data: 22,
        map: "@m",
      },
    },
    "update @m { ip saddr : 22 }",
  ],
  [{ fwd: { addr: "10.0.0.1", family: "ip", dev: "eth0" } }, 'fwd ip to 10.0.0.1 device "eth0"'],
  [
    {
      match: {
        op: "==",
        left: { payload: { protocol: "tcp", field: "flags" } },
        right: { set: ["syn", { "|": ["syn", "ack"] }] },
      },
    },
    "tcp flags { syn, syn | ack }",
  ],
  [
    { match: { op: "==", left: { socket: { key: "cgroupv2", level: 1 } }, right: "system.slice" } },
    'socket cgroupv2 level 1 "system.slice"',
  ],
  ["add @m { ip saddr : 22 }", "add @m { ip saddr : 22 }"],
];

/** Objects of a table, as nft lists them. */
function listed(...objects: readonly unknown[]): NftRuleset {
  const table = { table: { family: "inet", name: "t" } };
  const { ruleset, problems } = parseNftJson(JSON.stringify({ nftables: [table, ...objects] }));
  assert.deepEqual(problems, []);
  return ruleset;
}

const PLACE = { family: "inet", table: "t" };

describe("printStatement", () => {
  for (const [statement, text] of STATEMENTS) {
    it(`prints ${text}`, () => assert.equal(printStatement(statement), text));
  }

  it("prints what it does not know as JSON, which nft refuses", () => {
    assert.equal(printStatement({ xt: { type: "match", name: "recent" } }), XT);
    assert.equal(printStatement({ "to come": { a: 1 } }), '{"to come":{"a":1}}');
  });
});

const XT = '{"xt":{"type":"match","name":"recent"}}';

describe("printRule", () => {
  it("puts the comment at the end, and leaves out quotes that nft could not read", () => {
    const rule = { ...PLACE, chain: "c", comment: 'say "hi"', expr: [{ accept: null }] };
    assert.deepEqual(listed({ rule }).rules.map(printRule), ['accept comment "say hi"']);
  });
});

describe("printNft", () => {
  it("prints the objects of a table before the chains that use them", () => {
    const text = printNft(
      listed(
        { chain: { ...PLACE, name: "c", type: "filter", hook: "ingress", prio: -5, dev: "eth0" } },
        { flowtable: { ...PLACE, name: "f", hook: "ingress", prio: 0, dev: ["eth0", "eth1"] } },
        { secmark: { ...PLACE, name: "ssh", context: "system_u:object_r:ssh_t:s0" } },
      ),
    );
    assert.equal(
      text,
      `table inet t {
flowtable f {
hook ingress priority 0;
devices = { "eth0", "eth1" };
}
secmark ssh {
"system_u:object_r:ssh_t:s0"
}
chain c {
type filter hook ingress device "eth0" priority -5; policy accept;
}
}
`,
    );
  });

  it("gives a set back the flag dynamic that nft leaves out, where a rule writes it", () => {
    const set = { ...PLACE, name: "s", type: "ipv4_addr", size: 5 };
    const saddr = { payload: { protocol: "ip", field: "saddr" } };
    const expr = [{ set: { op: "add", elem: saddr, set: "@s" } }];
    const rule = { rule: { ...PLACE, chain: "c", expr } };
    assert.match(printNft(listed({ set }, rule)), /flags dynamic;/);
    assert.doesNotMatch(printNft(listed({ set })), /dynamic/);
  });

  it("writes the type of a set by what rules compare with it, where its name is not enough", () => {
    const set = { ...PLACE, name: "s", type: ["ipv4_addr", "integer"] };
    const left = {
      concat: [
        { payload: { protocol: "ip", field: "saddr" } },
        { payload: { protocol: "ip", field: "length" } },
      ],
    };
    const expr = [{ match: { op: "==", left, right: "@s" } }];
    const rule = { rule: { ...PLACE, chain: "c", expr } };
    assert.match(printNft(listed({ set }, rule)), /typeof ip saddr \. ip length;/);
    assert.match(printNft(listed({ set })), /type ipv4_addr \. integer;/);
  });
});
