import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  BaseChain,
  Condition,
  FirewallChain,
  FirewallRule,
  FirewallTable,
} from "../../src/contract/firewall.ts";
import { check } from "../../src/contract/schema.ts";
import { addressNumber } from "../../src/parse/address-number.ts";
import { conditionTexts } from "./condition-texts.ts";
import { directionsOf } from "./directions.ts";
import { ruleItems } from "./rule-items.ts";
import { firewallPayload } from "./schema.ts";

const number = (address: string): bigint => addressNumber(address) ?? -1n;

function sources(first: string, last: string, isNegated = false): Condition {
  const family = first.includes(":") ? "ipv6" : "ipv4";
  const ranges = [{ from: number(first), to: number(last) }];
  return { kind: "address", side: "source", family, ranges, isNegated };
}
const PORTS: Condition = {
  kind: "port",
  side: "destination",
  ranges: [
    { from: 22, to: 22 },
    { from: 8000, to: 8010 },
  ],
  isNegated: false,
};

function base(hook: BaseChain["hook"], more: Partial<BaseChain> = {}): BaseChain {
  return { hook, priority: 0, type: "filter", policy: "drop", devices: [], ...more };
}
function rule(more: Partial<FirewallRule> = {}): FirewallRule {
  return { conditions: [], action: { kind: "accept" }, text: "-A INPUT -j ACCEPT", ...more };
}
function table(chains: readonly FirewallChain[], more: Partial<FirewallTable> = {}): FirewallTable {
  return {
    backend: "iptables-nft",
    family: "ip",
    name: "filter",
    isDormant: false,
    chains,
    ...more,
  };
}

describe("conditionTexts", () => {
  it("writes networks, ranges and single addresses as operators write them", () => {
    const text = (first: string, last: string) =>
      conditionTexts([sources(first, last)]).sourceAddress;
    assert.equal(text("10.1.0.0", "10.1.255.255"), "10.1.0.0/16");
    assert.equal(text("0.0.0.0", "255.255.255.255"), "0.0.0.0/0");
    assert.equal(text("10.1.0.1", "10.1.0.9"), "10.1.0.1-10.1.0.9");
    assert.equal(text("192.0.2.7", "192.0.2.7"), "192.0.2.7");
    assert.equal(text("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"), "2001:db8::/64");
  });

  it("marks negation, with brackets around lists", () => {
    assert.equal(
      conditionTexts([sources("10.0.0.1", "10.0.0.1", true)]).sourceAddress,
      "!10.0.0.1",
    );
    assert.equal(
      conditionTexts([{ ...PORTS, isNegated: true }]).destinationPort,
      "!(22,8000-8010)",
    );
  });

  it("keeps a second condition on the same field", () => {
    const texts = conditionTexts([
      sources("10.0.0.0", "10.255.255.255"),
      sources("10.0.0.1", "10.0.0.1", true),
    ]);
    assert.equal(texts.sourceAddress, "10.0.0.0/8");
    assert.deepEqual(texts.further, ["sourceAddress !10.0.0.1"]);
  });

  it("counts what a very long list leaves out", () => {
    const ranges = Array.from({ length: 60 }, (_, at) => ({ from: at * 2, to: at * 2 }));
    const texts = conditionTexts([{ ...PORTS, ranges }]);
    assert.match(texts.destinationPort ?? "", /,98,10 more$/);
  });
});

describe("directionsOf", () => {
  it("gives user chains the direction of the only chain that reaches them", () => {
    const chains: readonly FirewallChain[] = [
      {
        name: "INPUT",
        base: base("input"),
        rules: [
          rule({ action: { kind: "jump", chain: "A" } }),
          rule({ action: { kind: "goto", chain: "BOTH" } }),
        ],
      },
      {
        name: "OUTPUT",
        base: base("output"),
        rules: [rule({ action: { kind: "jump", chain: "BOTH" } })],
      },
      { name: "A", rules: [rule({ action: { kind: "jump", chain: "A" } })] },
      { name: "BOTH", rules: [] },
      { name: "NOWHERE", rules: [] },
    ];
    assert.deepEqual(
      [...directionsOf(table(chains))],
      [
        ["INPUT", "In"],
        ["OUTPUT", "Out"],
        ["A", "In"],
      ],
    );
    assert.equal(directionsOf(table(chains, { name: "mangle" })).size, 0);
  });
});

describe("ruleItems", () => {
  const input: FirewallChain = {
    name: "INPUT",
    base: base("input", { counters: { packets: 7n, bytes: 420n } }),
    rules: [
      rule({
        conditions: [sources("10.1.0.0", "10.1.255.255"), PORTS],
        counters: { packets: 3n, bytes: 180n },
        comment: "ops",
      }),
      rule({ action: { kind: "jump", chain: "LOGGING" }, text: "-A INPUT -j LOGGING" }),
    ],
  };

  it("lists rules in evaluation order and the policy as the last rule of its chain", () => {
    const items = ruleItems({ tables: [table([input])], isComplete: true }, true);
    assert.deepEqual(
      items.map((item) => [item["Priority"], item["Direction"], item["Action"]]),
      [
        [0, "In", "Allow"],
        [1, "In", "Other"],
        [2, "In", "Deny"],
      ],
    );
    assert.deepEqual(items[0], {
      Priority: 0,
      Direction: "In",
      ChainName: "INPUT",
      Enabled: true,
      Action: "Allow",
      SourceAddress: "10.1.0.0/16",
      DestinationPort: "22,8000-8010",
      ExtraDetails: {
        Backend: "iptables-nft",
        Family: "ip",
        Table: "filter",
        Hook: "input",
        HookPriority: "0",
        ChainType: "filter",
        Comment: "ops",
        Packets: "3",
        Bytes: "180",
        Rule: "-A INPUT -j ACCEPT",
      },
    });
    const details = items.map((item) => item["ExtraDetails"] as Record<string, string> | undefined);
    assert.equal(details[1]?.["JumpTarget"], "LOGGING");
    assert.equal(details[2]?.["Policy"], "true");
    for (const item of items) assert.deepEqual(check(firewallPayload, item), []);
  });

  it("puts the chains that decide about the device first", () => {
    const nat: FirewallChain = {
      name: "PREROUTING",
      base: base("prerouting", { type: "nat", policy: "accept" }),
      rules: [],
    };
    const items = ruleItems(
      {
        tables: [table([nat], { name: "nat" }), table([input])],
        isComplete: true,
      },
      true,
    );
    assert.deepEqual(
      items.map((item) => item["ChainName"]),
      ["INPUT", "INPUT", "INPUT", "PREROUTING"],
    );
  });

  it("reports dormant tables as not enabled", () => {
    const [item] = ruleItems(
      { tables: [table([input], { isDormant: true })], isComplete: true },
      true,
    );
    assert.equal(item?.["Enabled"], false);
  });
});
