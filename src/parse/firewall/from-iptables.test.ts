import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  CHAINS,
  conditionsOf,
  firewallOf,
  ruleOf,
  short,
} from "../../../test/firewall/iptables/lowered-rule.ts";
import type { AddressFamily } from "../../contract/probe.ts";
import { parseIptablesSave } from "../iptables-save/parse-iptables-save.ts";
import { firewallFromIptables } from "./from-iptables.ts";

describe("the built-in chains of iptables", () => {
  const text = Object.entries(CHAINS)
    .map(([table, chains]) =>
      [`*${table}`, ...chains.map((chain) => `:${chain} DROP [3:4]`), "COMMIT", ""].join("\n"),
    )
    .join("");

  it("have the hooks, priorities and types that the kernel gives them", () => {
    const { tables, isComplete } = firewallOf(text);
    const found = tables.flatMap((table) =>
      table.chains.map(
        ({ name, base }) => `${table.name} ${name} ${base?.hook} ${base?.priority} ${base?.type}`,
      ),
    );
    assert.equal(isComplete, true);
    assert.deepEqual(found, [
      "raw PREROUTING prerouting -300 filter",
      "raw OUTPUT output -300 filter",
      "mangle PREROUTING prerouting -150 filter",
      "mangle INPUT input -150 filter",
      "mangle FORWARD forward -150 filter",
      "mangle OUTPUT output -150 route",
      "mangle POSTROUTING postrouting -150 filter",
      "nat PREROUTING prerouting -100 nat",
      "nat INPUT input 100 nat",
      "nat OUTPUT output -100 nat",
      "nat POSTROUTING postrouting 100 nat",
      "filter INPUT input 0 filter",
      "filter FORWARD forward 0 filter",
      "filter OUTPUT output 0 filter",
      "security INPUT input 50 filter",
      "security FORWARD forward 50 filter",
      "security OUTPUT output 50 filter",
    ]);
  });

  it("keep policy and counters, and the family of the table", () => {
    const [table] = firewallOf(text, "ipv6").tables;
    assert.equal(table?.family, "ip6");
    assert.equal(table.backend, "iptables-legacy");
    assert.equal(table.isDormant, false);
    assert.equal(table.chains[0]?.base?.policy, "drop");
    assert.deepEqual(table.chains[0]?.base?.counters, { packets: 3n, bytes: 4n });
  });

  it("of tables that are not known have no base, and make the answer incomplete", () => {
    const { tables, isComplete } = firewallOf("*broute\n:BROUTING ACCEPT [0:0]\nCOMMIT\n");
    assert.equal(isComplete, false);
    assert.deepEqual(tables[0]?.chains, [{ name: "BROUTING", rules: [] }]);
  });

  it("are incomplete where the save is", () => {
    const save = parseIptablesSave("*filter\n:INPUT DROP [0:0]\n");
    const { isComplete } = firewallFromIptables(save, { backend: "iptables-nft", family: "ipv4" });
    assert.equal(isComplete, false);
  });
});

describe("a rule of iptables", () => {
  it("keeps its text, comments and counters", () => {
    const rule = ruleOf(
      '[5:6] -A user -p tcp -m comment --comment "a b" -m comment --comment c -j ACCEPT',
    );
    assert.equal(
      rule.text,
      '-A user -p tcp -m comment --comment "a b" -m comment --comment c -j ACCEPT',
    );
    assert.equal(rule.comment, "a b; c");
    assert.deepEqual(rule.counters, { packets: 5n, bytes: 6n });
    assert.deepEqual(rule.conditions.map(short), ["protocol 6"]);
  });

  it("has a text of one line even if its comment has two", () => {
    const save = parseIptablesSave('*raw\n:u - [0:0]\n-A u -m comment --comment "a\nb"\nCOMMIT\n');
    const { tables } = firewallFromIptables(save, { backend: "iptables-nft", family: "ipv4" });
    const rule = tables[0]?.chains[0]?.rules[0];
    assert.equal(rule?.text, '-A u -m comment --comment "a b"');
    assert.equal(rule.comment, "a\nb");
  });
});

describe("the conditions of a rule of iptables", () => {
  const cases: readonly (readonly [asked: string, ...conditions: readonly string[]])[] = [
    ["-j ACCEPT"],
    ["-p all"],
    ["-p 0"],
    ["! -p udp", "!protocol 17"],
    ["-p 99", "protocol 99"],
    ["-p icmp", "protocol 1"],
    ["-p ipv6-icmp", "protocol 58"],
    ["-p icmpv6", "protocol 58"],
    ["-p udplite", "protocol 136"],
    ["-p sctp", "protocol 132"],
    ["-p dccp", "protocol 33"],
    ["-p esp", "protocol 50"],
    ["-p ah", "protocol 51"],
    ["-p gre", "protocol 47"],
    ["-p igmp", "protocol 2"],
    ["-p 256", "other head: -p 256"],
    ["-p tpyo", "other head: -p tpyo"],
    ["-s 10.0.0.0/8", "address source 167772160-184549375"],
    ["! -s 0.0.0.1", "!address source 1"],
    ["-s 0.0.0.7/255.255.255.254", "address source 6-7"],
    ["-d 0.0.0.0/0", "address destination 0-4294967295"],
    ["-d 0.0.0.1,0.0.0.3", "address destination 1,3"],
    ["! -d 10.0.0.0/255.0.255.0", "!other head: -d 10.0.0.0/255.0.255.0"],
    ["-d ::1/128", "other head: -d ::1/128"],
    ["-d 1.2.3.4/33", "other head: -d 1.2.3.4/33"],
    ["-i eth0 ! -o lo", "in eth0", "!out lo"],
    ["-i eth+", "in eth*"],
    ["! -i +", "!in *"],
    ["-i odd*", "other head: -i odd*"],
    ["! -f", "!other fragment: -f"],
    ["-p tcp -m tcp --dport 22", "protocol 6", "port destination 22"],
    ["-p tcp --dport 22", "protocol 6", "port destination 22"],
    ["-p udp -m udp ! --sport 1024:65535", "protocol 17", "!port source 1024-65535"],
    ["-p tcp -m tcp --dport :1023", "protocol 6", "port destination 0-1023"],
    ["-p tcp -m tcp --dport 1024:", "protocol 6", "port destination 1024-65535"],
    ["-p sctp -m sctp --dport 9", "protocol 132", "port destination 9"],
    [
      "-p sctp -m sctp --dport 9 --chunk-types any INIT",
      "protocol 132",
      "port destination 9",
      "other sctp: -m sctp --dport 9 --chunk-types any INIT",
    ],
    ["-p dccp -m dccp --sport 9", "protocol 33", "port source 9"],
    ["-p tcp -m tcp --dport ssh", "protocol 6", "other tcp: -m tcp --dport ssh"],
    ["-p tcp -m tcp --dport 9:8", "protocol 6", "other tcp: -m tcp --dport 9:8"],
    ["-p tcp -m tcp", "protocol 6"],
    ["-p tcp -m tcp --syn", "protocol 6", "flags 23/2"],
    ["-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", "protocol 6", "!flags 23/2"],
    ["-p tcp -m tcp --tcp-flags ALL NONE", "protocol 6", "flags 63/0"],
    ["-p tcp -m tcp --tcp-flags ECE,CWR,URG,PSH PSH", "protocol 6", "flags 232/8"],
    ["-p tcp -m tcp --tcp-option 7", "protocol 6", "other tcp: -m tcp --tcp-option 7"],
    ["-p tcp -m multiport --dports 22,80:90", "protocol 6", "port destination 22,80-90"],
    ["-p tcp -m multiport ! --sports 22", "protocol 6", "!port source 22"],
    [
      "-p tcp -m multiport ! --ports 1,2:3",
      "protocol 6",
      "!any (port source 1,2-3) or (port destination 1,2-3)",
    ],
    ["-m iprange --src-range 0.0.0.1-0.0.0.9", "address source 1-9"],
    ["-m iprange ! --dst-range 0.0.0.1-0.0.0.9", "!address destination 1-9"],
    ["-m conntrack --ctstate NEW,DNAT", "state new,dnat"],
    ["-m conntrack ! --ctstate RELATED,ESTABLISHED", "!state related,established"],
    ["-m conntrack --ctdir ORIGINAL", "direction original"],
    ["-m conntrack ! --ctorigdst 0.0.0.1/32", "!address original-destination 1"],
    ["-m conntrack --ctorigdstport 80:90", "port original-destination 80-90"],
    [
      "-m conntrack --ctstate NEW ! --ctstatus ASSURED",
      "state new",
      "other conntrack: -m conntrack --ctstate NEW ! --ctstatus ASSURED",
    ],
    ["-m state ! --state NEW,UNTRACKED", "!state new,untracked"],
    [
      "-m addrtype ! --src-type UNICAST --dst-type LOCAL,BROADCAST",
      "!type source unicast",
      "type destination local,broadcast",
    ],
    [
      "-m addrtype --dst-type LOCAL --limit-iface-in",
      "other addrtype: -m addrtype --dst-type LOCAL --limit-iface-in",
    ],
    ["-m mark --mark 0x1/0xff", "mark 1/255"],
    ["-m mark ! --mark 0xffffffff", "!mark 4294967295/4294967295"],
    ["-m mark --mark 16", "mark 16/4294967295"],
    ["-m mark --mark 0x100000000", "other mark: -m mark --mark 0x100000000"],
    ["-m connmark --mark 0x1", "other connmark: -m connmark --mark 0x1"],
    ["-m limit --limit 3/min", "other limit: -m limit --limit 3/min"],
    ["-m set ! --match-set bad src", "other set: -m set ! --match-set bad src"],
    ["-m pkttype --pkt-type unicast", "other pkttype: -m pkttype --pkt-type unicast"],
    ["-p icmp -m icmp --icmp-type 8", "protocol 1", "other icmp: -m icmp --icmp-type 8"],
    ["-p icmp -m icmp --icmp-type any", "protocol 1"],
    ["-p icmp -m icmp", "protocol 1"],
    ["-m socket", "other socket: -m socket"],
    ["-m rpfilter --loose", "other reverse-path: -m rpfilter --loose"],
    ["-m rpfilter --loose --invert", "!other reverse-path: -m rpfilter --loose"],
    ["-m novel --thing 1", "other novel: -m novel --thing 1"],
    ['-m comment --comment "-p tcp -j DROP"'],
  ];
  for (const [asked, ...expected] of cases) {
    it(`of "${asked}" are [${expected.join("; ")}]`, () => {
      assert.deepEqual(conditionsOf(asked).map(short), expected);
    });
  }

  it("know addresses of IPv6", () => {
    assert.deepEqual(
      conditionsOf("-s ::/64 -d ::ff/ffff:: -m iprange --src-range ::1-::2", "ipv6").map(short),
      [
        `address source 0-${2n ** 64n - 1n}`,
        `address destination 0-${2n ** 112n - 1n}`,
        "address source 1-2",
      ],
    );
  });
});

describe("rules that are easily misread", () => {
  it("are all read right", () => {
    const rule = ruleOf(
      '-A user ! -s 10.0.0.0/8 -p 6 -m multiport ! --dports 22,80 -m conntrack ! --ctstate NEW,RELATED -m comment --comment "-j DROP" -j ACCEPT',
    );
    assert.deepEqual(rule.conditions.map(short), [
      "!address source 167772160-184549375",
      "protocol 6",
      "!port destination 22,80",
      "!state new,related",
    ]);
    assert.deepEqual(rule.action, { kind: "accept" });
    assert.equal(rule.comment, "-j DROP");
  });
});

describe("any save", () => {
  const word = fc.oneof(
    fc.constantFrom(
      ..."! -s -d -i -o -p -f -m -j -g tcp multiport conntrack mark iprange addrtype comment --dport --ports".split(
        " ",
      ),
      ..."--ctstate --ctorigdst --mark --src-range --dst-type --to-destination --set-xmark --tcp-flags".split(
        " ",
      ),
      ..."DNAT MARK CT REDIRECT ACCEPT user 1:2 0x1/0x2 10.0.0.1 ::1 a-b [::1]:8 , / : - ''".split(
        " ",
      ),
    ),
    fc.string({ maxLength: 8 }),
  );

  it("is lowered rule by rule, each with a text, and never throws", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(word, { maxLength: 10 }), { maxLength: 5 }),
        fc.constantFrom<AddressFamily>("ipv4", "ipv6"),
        (lines, family) => {
          const rules = lines.map((words) => `-A user ${words.join(" ")}\n`).join("");
          const save = parseIptablesSave(`*nat\n:user - [0:0]\n${rules}COMMIT\n`);
          const { tables } = firewallFromIptables(save, { backend: "iptables-nft", family });
          const before = save.tables.flatMap((table) => table.chains.map((chain) => chain.rules));
          const after = tables.flatMap((table) => table.chains.map((chain) => chain.rules));
          assert.deepEqual(
            after.map((each) => each.length),
            before.map((each) => each.length),
          );
          for (const rule of after.flat()) {
            assert.match(rule.text, /^-A /);
            assert.ok(!rule.text.includes("\n"));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
