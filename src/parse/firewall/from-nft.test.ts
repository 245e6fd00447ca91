import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FirewallRule } from "../../contract/firewall.ts";
import { parseNftJson } from "../nft-json/parse-nft-json.ts";
import { firewallFromNft } from "./from-nft.ts";

const TCP_DPORT = { payload: { protocol: "tcp", field: "dport" } };
const SADDR = { payload: { protocol: "ip", field: "saddr" } };
const META = (key: string) => ({ meta: { key } });
const match = (left: unknown, right: unknown, op = "==") => ({ match: { op, left, right } });
const ACCEPT = { accept: null };

const SET = {
  family: "inet",
  table: "t",
  name: "hosts",
  type: "ipv4_addr",
  elem: ["10.0.0.1", { elem: { val: "10.0.0.2", comment: "two" } }],
};
const CHANGING = { ...SET, name: "seen", flags: ["dynamic", "timeout"] };

/** The rules that these statements become. */
function lower(...expr: readonly unknown[]): readonly FirewallRule[] {
  return lowerAll([expr]);
}

/** The rules that a chain of these rules becomes. */
function lowerAll(rules: readonly (readonly unknown[])[]): readonly FirewallRule[] {
  const place = { family: "inet", table: "t" };
  const objects = [
    { table: { family: "inet", name: "t" } },
    { chain: { ...place, name: "c", type: "filter", hook: "input", prio: 0 } },
    { set: SET },
    { set: CHANGING },
    ...rules.map((expr) => ({ rule: { ...place, chain: "c", expr } })),
  ];
  const reading = parseNftJson(JSON.stringify({ nftables: objects }));
  assert.deepEqual(reading.problems, []);
  return firewallFromNft(reading).tables[0]?.chains[0]?.rules ?? [];
}

/** Kinds of the conditions of the first rule, `!` for negated ones, and its action. */
function summary(...expr: readonly unknown[]): string {
  const [rule] = lower(...expr);
  const conditions = (rule?.conditions ?? []).map(
    (one) => `${one.isNegated ? "!" : ""}${one.kind}`,
  );
  return [...conditions, rule?.action.kind].join(" ");
}

describe("firewallFromNft", () => {
  it("makes the protocol of a header a condition that negation does not touch", () => {
    assert.equal(summary(match(TCP_DPORT, 22), ACCEPT), "protocol port accept");
    assert.equal(summary(match(TCP_DPORT, 22, "!="), ACCEPT), "protocol !port accept");
    assert.equal(summary(match(SADDR, "10.0.0.1", "!="), ACCEPT), "family !address accept");
  });

  it("resolves named sets, and leaves those that change by themselves open", () => {
    const [rule] = lower(match(SADDR, "@hosts"), ACCEPT);
    const address = rule?.conditions.find((condition) => condition.kind === "address");
    assert.equal(address?.kind === "address" && address.ranges.length, 2);
    assert.equal(summary(match(SADDR, "@seen"), ACCEPT), "family other accept");
    assert.equal(summary(match(SADDR, "@gone"), ACCEPT), "family other accept");
  });

  it("shares what a named set lowers to between the rules that ask the same of it", () => {
    const daddr = { payload: { protocol: "ip", field: "daddr" } };
    const [one, two, other] = lowerAll([
      [match(SADDR, "@hosts"), ACCEPT],
      [match(SADDR, "@hosts", "!="), ACCEPT],
      [match(daddr, "@hosts"), ACCEPT],
    ]).map((rule) => rule.conditions.at(-1));
    assert.ok(one?.kind === "address" && two?.kind === "address" && other?.kind === "address");
    assert.equal(one.ranges, two.ranges);
    assert.deepEqual([one.isNegated, two.isNegated], [false, true]);
    assert.equal(other.side, "destination");
  });

  it("leaves a set open that a rule writes, though nft does not list it as dynamic", () => {
    const asks = match(SADDR, "@hosts");
    for (const write of [
      { set: { op: "add", elem: SADDR, set: "@hosts" } },
      "add @hosts { ip saddr }",
      "delete @hosts { ip saddr : 22 }",
    ]) {
      const [, rule] = lowerAll([[write], [asks, ACCEPT]]);
      const condition = rule?.conditions.at(-1);
      assert.equal(condition?.kind === "other" && condition.name, "dynamic-set");
    }
  });

  it("takes what nft writes outside its JSON as text", () => {
    assert.equal(summary("add @ports { ip saddr : 22 }", ACCEPT), "accept");
    assert.equal(summary("add @m { ip saddr limit rate 1/second : 22 }", ACCEPT), "other accept");
    assert.equal(summary("something to come", ACCEPT), "other accept");
    const [rule] = lower("something to come", ACCEPT);
    assert.equal(rule?.text, "something to come accept");
  });

  it("lets the header that a statement looks at guard the rest of the rule", () => {
    const icmp = { payload: { protocol: "icmp", field: "type" } };
    assert.equal(summary(match(icmp, "echo-request"), ACCEPT), "family protocol other accept");
    const update = { set: { op: "update", elem: SADDR, set: "@seen" } };
    assert.equal(summary(update, ACCEPT), "family accept");
    const original = { ct: { key: "ip daddr", dir: "original" } };
    assert.equal(summary(match(original, "10.0.0.1", "!="), ACCEPT), "family !address accept");
    const size = { "tcp option": { name: "maxseg", field: "size" } };
    assert.equal(summary(match(size, 5, ">"), ACCEPT), "protocol other accept");
    assert.equal(
      summary(match({ "tcp option": { name: "maxseg" } }, false), ACCEPT),
      "other accept",
    );
    assert.equal(
      summary({ dnat: { family: "ip6", addr: "2001:db8::1" } }),
      "family destination-nat",
    );
    const inner = { payload: { tunnel: "vxlan", protocol: "ip", field: "saddr" } };
    assert.equal(summary(match(inner, "10.0.0.1"), ACCEPT), "other accept");
  });

  it("names an implied condition once", () => {
    const udp = { payload: { protocol: "udp", field: "sport" } };
    const twice = [match({ payload: { protocol: "udp", field: "dport" } }, 53), match(udp, 53)];
    assert.equal(summary(...twice, ACCEPT), "protocol port port accept");
  });

  it("ends a rule at a look-up that finds nothing, and goes on where the map says so", () => {
    const pairs = [
      [22, ACCEPT],
      [23, { continue: null }],
    ];
    const vmap = (set: readonly unknown[]) => ({ vmap: { key: TCP_DPORT, data: { set } } });
    assert.equal(lower(vmap(pairs.slice(0, 1)), { drop: null }).length, 1);
    const [map, behind, ...more] = lower(vmap(pairs), { drop: null });
    assert.equal(more.length, 0);
    assert.equal(map?.action.kind, "verdict-map");
    assert.equal(behind?.action.kind, "drop");
    const condition = behind?.conditions.at(-1);
    assert.deepEqual(condition?.kind === "any-of" && condition.alternatives, [
      [
        {
          kind: "port",
          side: "destination",
          ranges: [{ from: 23, to: 23 }],
          isNegated: false,
        },
      ],
    ]);
  });

  it("keeps the known parts of a concatenation or a map whose other parts are not", () => {
    const left = { concat: [META("skuid"), TCP_DPORT] };
    const [rule] = lower(match(left, { set: [{ concat: [0, 22] }] }), ACCEPT);
    const any = rule?.conditions.at(-1);
    assert.deepEqual(any?.kind === "any-of" && any.alternatives[0]?.map(({ kind }) => kind), [
      "other",
      "port",
    ]);
    const type = { payload: { protocol: "icmp", field: "type" } };
    const [map] = lower({ vmap: { key: type, data: { set: [["echo-request", ACCEPT]] } } });
    const action = map?.action;
    assert.equal(action?.kind === "verdict-map" && action.entries[0]?.conditions[0]?.kind, "other");
  });

  it("reads the way back in its four spellings", () => {
    const back = { fib: { result: "oif", flags: ["saddr", "iif"] } };
    const isMissing = (right: unknown, op = "=="): boolean | undefined => {
      const [rule] = lower(match(back, right, op), ACCEPT);
      const [one] = rule?.conditions ?? [];
      const [[inner] = []] = one?.kind === "any-of" ? one.alternatives : [];
      const test = inner ?? one;
      const isAsked = test?.kind === "other" && test.name === "reverse-path-missing";
      return isAsked ? !test.isNegated : undefined;
    };
    assert.deepEqual(
      [isMissing(false), isMissing("0"), isMissing(true), isMissing("0", "!="), isMissing("eth0")],
      [true, true, false, false, undefined],
    );
  });

  it("does not take the kind of an address on one interface for its kind", () => {
    const type = (...flags: readonly string[]) => ({ fib: { result: "type", flags } });
    assert.equal(summary(match(type("daddr"), "local"), ACCEPT), "address-type accept");
    assert.equal(summary(match(type("daddr", "iif"), "local"), ACCEPT), "other accept");
  });

  it("goes on behind a rewrite that no rule asks for, and not behind one of addresses", () => {
    const rewrite = (key: unknown) => ({ mangle: { key, value: 5 } });
    const size = { "tcp option": { name: "maxseg", field: "size" } };
    assert.equal(summary(rewrite(size), ACCEPT), "protocol accept");
    const ttl = { payload: { protocol: "ip", field: "ttl" } };
    assert.equal(summary(rewrite(ttl), ACCEPT), "family accept");
    assert.equal(summary(rewrite(SADDR), ACCEPT), "family other");
    assert.equal(summary({ reset: { "tcp option": { name: "maxseg" } } }, ACCEPT), "accept");
  });

  it("makes concatenations alternatives", () => {
    const left = { concat: [SADDR, TCP_DPORT] };
    const right = { set: [{ concat: ["10.0.0.1", 22] }, { concat: ["10.0.0.2", 80] }] };
    const [rule] = lower(match(left, right), ACCEPT);
    const any = rule?.conditions.at(-1);
    assert.equal(any?.kind === "any-of" && any.alternatives.length, 2);
  });

  it("makes verdict maps entries, the catch-all last", () => {
    const set = [
      ["*", { drop: null }],
      [22, ACCEPT],
      [80, { jump: { target: "web" } }],
    ];
    const [rule, ...more] = lower({ vmap: { key: TCP_DPORT, data: { set } } });
    assert.equal(more.length, 0);
    const map = rule?.action;
    assert.ok(map?.kind === "verdict-map");
    assert.deepEqual(
      map.entries.map((entry) => entry.action.kind),
      ["accept", "jump", "drop"],
    );
  });

  it("translates destinations, by map too", () => {
    const [plain] = lower({ dnat: { family: "ip", addr: "10.0.0.5", port: 8080 } });
    const nat = plain?.action;
    assert.deepEqual(nat?.kind === "destination-nat" && nat.ports, { from: 8080, to: 8080 });
    const data = { set: [[80, { concat: ["10.0.0.5", 8080] }]] };
    assert.equal(
      summary({ dnat: { addr: { map: { key: TCP_DPORT, data } } } }),
      "protocol verdict-map",
    );
    assert.equal(summary({ redirect: { port: 3128 } }), "destination-nat");
  });

  it("lets an effect apply by the conditions before it alone", () => {
    const mark = { mangle: { key: META("mark"), value: 1 } };
    const [both] = lower(match(TCP_DPORT, 22), mark, ACCEPT);
    assert.deepEqual(
      both?.effects?.map((effect) => effect.kind),
      ["set-mark"],
    );
    const rules = lower(mark, match(TCP_DPORT, 22), ACCEPT);
    assert.deepEqual(
      rules.map((rule) => [rule.conditions.length, rule.action.kind]),
      [
        [0, "continue"],
        [2, "accept"],
      ],
    );
  });

  it("reads flags of TCP in the ways nft spells them", () => {
    const flags = { payload: { protocol: "tcp", field: "flags" } };
    const masked = match({ "&": [flags, ["fin", "syn", "rst", "ack"]] }, "syn");
    const [rule] = lower(masked, ACCEPT);
    const test = rule?.conditions.at(-1);
    assert.deepEqual(test?.kind === "tcp-flags" && [test.mask, test.set], [23, 2]);
    assert.equal(summary(match(flags, "syn", "in"), ACCEPT), "protocol any-of accept");
  });

  it("leaves open what a question cannot answer, by name", () => {
    const statements: readonly (readonly [unknown, string])[] = [
      [{ limit: { rate: 5, per: "minute" } }, "limit"],
      [{ "ct count": { val: 5 } }, "ct count"],
      [{ xt: { type: "match", name: "recent" } }, "xt"],
      [match(META("skuid"), 0), "meta skuid"],
      [match({ payload: { base: "th", offset: 0, len: 16 } }, 1), "payload"],
    ];
    for (const [statement, name] of statements) {
      const [rule] = lower(statement, ACCEPT);
      const [condition] = rule?.conditions ?? [];
      assert.equal(condition?.kind === "other" && condition.name, name);
    }
    assert.equal(summary({ queue: { num: 1 } }), "other");
    assert.equal(summary({ "brand new": {} }), "other");
  });

  it("keeps counters apart from the text of the rule", () => {
    const [rule] = lower(match(TCP_DPORT, 22), { counter: { packets: 3, bytes: 180 } }, ACCEPT);
    assert.equal(rule?.text, "tcp dport 22 counter accept");
    assert.deepEqual(rule?.counters, { packets: 3n, bytes: 180n });
  });
});
