import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  BaseChain,
  Condition,
  ConditionTest,
  Firewall,
  FirewallChain,
  FirewallRule,
  FirewallTable,
  RuleAction,
} from "../../contract/firewall.ts";
import { addressNumber } from "../../parse/address-number.ts";
import { letsIn } from "./lets-in.ts";
import type { ExposureQuery } from "./query.ts";

const is = (test: ConditionTest): Condition => ({ ...test, isNegated: false });
const not = (test: ConditionTest): Condition => ({ ...test, isNegated: true });
const number = (address: string): bigint => addressNumber(address) ?? -1n;
const from = (first: string, last = first): ConditionTest => ({
  kind: "address",
  side: "source",
  family: first.includes(":") ? "ipv6" : "ipv4",
  ranges: [{ from: number(first), to: number(last) }],
});
const port = (value: number): ConditionTest => ({
  kind: "port",
  side: "destination",
  ranges: [{ from: value, to: value }],
});
const states = (...names: string[]): ConditionTest => ({ kind: "connection-state", states: names });
const other: ConditionTest = { kind: "other", name: "limit", text: "-m limit --limit 5/min" };
const ACCEPT: RuleAction = { kind: "accept" };
const DROP: RuleAction = { kind: "drop" };

function rule(conditions: readonly Condition[], action: RuleAction): FirewallRule {
  return { conditions, action, text: `rule ${action.kind}` };
}
function base(hook: BaseChain["hook"], policy: "accept" | "drop", more = {}): BaseChain {
  return { hook, policy, priority: 0, type: "filter", devices: [], ...more };
}
function input(policy: "accept" | "drop", rules: readonly FirewallRule[]): FirewallChain {
  return { name: "INPUT", base: base("input", policy), rules };
}
function table(chains: readonly FirewallChain[], more: Partial<FirewallTable> = {}): FirewallTable {
  const backend = "iptables-nft";
  return { backend, family: "ip", name: "filter", isDormant: false, chains, ...more };
}
function firewall(...tables: readonly FirewallTable[]): Firewall {
  return { tables, isComplete: true };
}

const EVERYONE = { from: 0n, to: 0xffffffffn };
const QUERY: ExposureQuery = {
  protocol: "tcp",
  port: 22,
  destinations: ["10.0.0.1"],
  interface: "eth0",
  sources: { family: "ipv4", ranges: [EVERYONE] },
  host: {
    addresses: [{ interface: "eth0", address: "10.0.0.1", prefixLength: 24 }],
    routes: [{ destination: "172.17.0.0", prefixLength: 16, interface: "docker0" }],
  },
};
const ask = (rules: Firewall, change: Partial<ExposureQuery> = {}) =>
  letsIn(rules, { ...QUERY, ...change });

describe("letsIn", () => {
  it("allows everything where there is no firewall", () => {
    assert.deepEqual(ask(firewall()), {
      verdict: "allow",
      pieces: [{ sources: [EVERYONE], verdict: "allow", rules: [], doubts: [] }],
    });
  });

  it("divides the sources by the rules that treat them differently", () => {
    const rules = [
      rule([is(from("10.0.0.0", "10.0.0.255")), is(port(22))], ACCEPT),
      rule([is(port(22))], DROP),
    ];
    const { verdict, pieces } = ask(firewall(table([input("accept", rules)])));
    assert.equal(verdict, "allow");
    assert.deepEqual(
      pieces.map((piece) => [piece.verdict, piece.sources.length, piece.rules.at(-1)?.position]),
      [
        ["deny", 2, 2],
        ["allow", 1, 1],
      ],
    );
  });

  it("takes a new connection for new: a rule for established ones does not let it in", () => {
    const rules = [rule([is(states("established", "related"))], ACCEPT)];
    assert.equal(ask(firewall(table([input("drop", rules)]))).verdict, "deny");
    const fresh = [rule([not(states("invalid"))], ACCEPT)];
    assert.equal(ask(firewall(table([input("drop", fresh)]))).verdict, "allow");
  });

  it("does not count a rule for the loopback interface", () => {
    const loopback = rule([is({ kind: "interface", side: "in", names: ["lo"] })], ACCEPT);
    const rules = firewall(table([input("drop", [loopback])]));
    assert.equal(ask(rules).verdict, "deny");
    assert.equal(ask(rules, { interface: "lo" }).verdict, "allow");
    assert.equal(ask(rules, { interface: undefined }).verdict, "unknown");
  });

  it("follows jumps, gotos and returns as the kernel does", () => {
    const chains = [
      input("drop", [
        rule([], { kind: "jump", chain: "A" }),
        rule([is(port(22))], { kind: "goto", chain: "B" }),
        rule([], ACCEPT),
      ]),
      { name: "A", rules: [rule([], { kind: "return" }), rule([], ACCEPT)] },
      { name: "B", rules: [rule([is(port(23))], ACCEPT)] },
    ];
    const rules = firewall(table(chains));
    // The end of a chain reached by goto is the end of the chain it came from.
    assert.equal(ask(rules).verdict, "deny");
    assert.equal(ask(rules, { port: 80 }).verdict, "allow");
  });

  it("is sure where a rule that cannot be decided makes no difference", () => {
    const limited = [rule([is(port(22)), is(other)], ACCEPT)];
    assert.equal(ask(firewall(table([input("accept", limited)]))).verdict, "allow");
    const doubtful = ask(firewall(table([input("drop", limited)])));
    assert.equal(doubtful.verdict, "unknown");
    assert.equal(doubtful.pieces[0]?.doubts[0]?.position, 1);
    assert.equal(ask(firewall(table([input("drop", limited)])), { port: 80 }).verdict, "deny");
  });

  it("stays quick with many rules that cannot be decided", () => {
    const many = Array.from({ length: 500 }, () => rule([is(other)], ACCEPT));
    const chains = [input("drop", many)];
    const both = firewall(table(chains), table(chains, { backend: "iptables-legacy" }));
    assert.equal(ask(both).verdict, "unknown");
  });

  it("asks every backend: what one drops is dropped", () => {
    const open = table([input("accept", [])]);
    const shut = table([input("drop", [])], { backend: "iptables-legacy" });
    assert.equal(ask(firewall(open, shut)).verdict, "deny");
    assert.equal(ask(firewall(open, { ...shut, isDormant: true })).verdict, "allow");
    assert.equal(ask(firewall(open, { ...shut, family: "ip6" })).verdict, "allow");
  });

  it("says unknown for what an incomplete rule set allows", () => {
    const rules = firewall(table([input("accept", [rule([is(port(23))], DROP)])]));
    const partial = { ...rules, isComplete: false };
    assert.equal(ask(partial).pieces[0]?.verdict, "unknown");
    assert.equal(ask(partial, { port: 23 }).verdict, "deny");
  });

  it("follows a published container port through FORWARD", () => {
    const target = number("172.17.0.2");
    const publish = rule(
      [is({ kind: "address-type", side: "destination", types: ["local"] }), is(port(8080))],
      {
        kind: "destination-nat",
        addresses: { from: target, to: target },
        ports: { from: 80, to: 80 },
        isRedirect: false,
      },
    );
    const nat = table(
      [
        {
          name: "PREROUTING",
          base: base("prerouting", "accept", { type: "nat", priority: -100 }),
          rules: [publish],
        },
      ],
      { name: "nat" },
    );
    const toContainer = [
      is({ kind: "interface", side: "out", names: ["docker0"] }),
      is({
        kind: "address",
        side: "destination",
        family: "ipv4",
        ranges: [{ from: target, to: target }],
      }),
      is(port(80)),
    ];
    const forward = { name: "FORWARD", base: base("forward", "drop") };
    const open = [
      input("drop", []),
      { ...forward, rules: [rule(toContainer as Condition[], ACCEPT)] },
    ];
    const reached = ask(firewall(nat, table(open)), { port: 8080 });
    assert.equal(reached.verdict, "allow");
    assert.deepEqual(reached.pieces[0]?.arrivesAt, { address: "172.17.0.2", port: 80 });
    const shut = [input("accept", []), { ...forward, rules: [] }];
    assert.equal(ask(firewall(nat, table(shut)), { port: 8080 }).verdict, "deny");
  });

  it("lets the sender choose its port", () => {
    const bySourcePort: ConditionTest = {
      kind: "port",
      side: "source",
      ranges: [{ from: 53, to: 53 }],
    };
    const rules = firewall(table([input("drop", [rule([is(bySourcePort)], ACCEPT)])]));
    assert.equal(ask(rules).verdict, "allow");
    assert.equal(ask(rules, { sourcePorts: { from: 1024, to: 65_535 } }).verdict, "deny");
  });

  it("carries marks from one table to the next", () => {
    const marked = rule([is(port(22))], { kind: "set-mark", value: 1, mask: 0xffffffff });
    const mangle = table(
      [
        {
          name: "PREROUTING",
          base: base("prerouting", "accept", { priority: -150 }),
          rules: [marked],
        },
      ],
      { name: "mangle" },
    );
    const byMark = rule([is({ kind: "mark", value: 1, mask: 0xffffffff })], ACCEPT);
    const rules = firewall(mangle, table([input("drop", [byMark])]));
    assert.equal(ask(rules).verdict, "allow");
    assert.equal(ask(rules, { port: 23 }).verdict, "deny");
  });

  it("survives chains that jump in a circle or into nothing", () => {
    const circle = [
      input("drop", [rule([], { kind: "jump", chain: "A" })]),
      { name: "A", rules: [rule([], { kind: "jump", chain: "A" })] },
    ];
    assert.equal(ask(firewall(table(circle))).verdict, "unknown");
    const nowhere = [input("drop", [rule([], { kind: "jump", chain: "gone" })])];
    assert.equal(ask(firewall(table(nowhere))).verdict, "unknown");
  });
});
