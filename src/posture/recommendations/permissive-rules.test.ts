import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  facts,
  type NftChain,
  nftRules,
  savedRules,
  unreadable,
} from "../../../test/posture/firewall-texts.ts";
import { assertSound } from "../../../test/posture/sound-verdict.ts";
import { judgeInputRules, judgeOutputRules } from "./permissive-rules.ts";
import { WIDTH_THRESHOLDS } from "./wide-rules.ts";

/** Rules of iptables-save in a filter table; further chains are declared by their first use. */
function saved(lines: readonly string[], family: "ip" | "ip6" = "ip") {
  const users = [...new Set(lines.map((line) => line.split(" ")[1] ?? ""))]
    .filter((name) => !["INPUT", "OUTPUT", "FORWARD"].includes(name))
    .map((name) => `:${name} - [0:0]`);
  const head = [":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT DROP [0:0]"];
  const text = ["*filter", ...head, ...users, ...lines, "COMMIT", ""].join("\n");
  return facts([savedRules(text, "iptables-nft", family)]);
}
const nft = (...rules: readonly (string | readonly unknown[])[]) => {
  const input: NftChain = { hook: "input", policy: "drop", rules };
  return facts([nftRules([input])]);
};

type Row = readonly [
  name: string,
  lines: readonly string[],
  state: "healthy" | "unhealthy" | "unknown",
  wide?: string,
];

const INPUT: readonly Row[] = [
  ["there are no rules", [], "healthy"],
  [
    "anybody may reach one port",
    ["-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"],
    "unhealthy",
    "addresses",
  ],
  [
    "one network may reach one port",
    ["-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT"],
    "healthy",
  ],
  [
    "a /8 may reach one port",
    ["-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT"],
    "healthy",
  ],
  [
    "a /7 may reach one port",
    ["-A INPUT -s 10.0.0.0/7 -p tcp -m tcp --dport 22 -j ACCEPT"],
    "unhealthy",
    "addresses",
  ],
  [
    "all but one host may reach one port",
    ["-A INPUT ! -s 10.0.0.1/32 -p tcp -m tcp --dport 22 -j ACCEPT"],
    "unhealthy",
    "addresses",
  ],
  ["one host may reach every port", ["-A INPUT -s 10.0.0.1/32 -j ACCEPT"], "unhealthy", "ports"],
  [
    "one host may reach 1000 ports",
    ["-A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 2001:3000 -j ACCEPT"],
    "healthy",
  ],
  [
    "one host may reach 1001 ports",
    ["-A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 2000:3000 -j ACCEPT"],
    "unhealthy",
    "ports",
  ],
  ["all are let in", ["-A INPUT -j ACCEPT"], "unhealthy", "addresses and ports"],
  [
    "all are let in on one interface",
    ["-A INPUT -i eth0 -j ACCEPT"],
    "unhealthy",
    "addresses and ports",
  ],
  ["loopback is let in", ["-A INPUT -i lo -j ACCEPT"], "healthy"],
  ["loopback addresses are let in", ["-A INPUT -s 127.0.0.0/8 -j ACCEPT"], "healthy"],
  [
    "established connections are let in",
    ["-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"],
    "healthy",
  ],
  [
    "established connections are let in by the old module",
    ["-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT"],
    "healthy",
  ],
  [
    "all but new and invalid connections are let in",
    ["-A INPUT -m conntrack ! --ctstate INVALID,NEW,UNTRACKED -j ACCEPT"],
    "healthy",
  ],
  [
    "new connections are let in",
    ["-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"],
    "unhealthy",
    "addresses and ports",
  ],
  [
    "packets that open nothing are let in",
    ["-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT"],
    "healthy",
  ],
  ["what NAT redirected is let in", ["-A INPUT -m conntrack --ctstate DNAT -j ACCEPT"], "healthy"],
  ["pings are let in", ["-A INPUT -p icmp -j ACCEPT"], "healthy"],
  ["a tunnel is let in from anywhere", ["-A INPUT -p esp -j ACCEPT"], "unhealthy", "addresses"],
  ["everything is dropped above", ["-A INPUT -j DROP", "-A INPUT -p tcp -j ACCEPT"], "healthy"],
  [
    "everything but loopback is dropped above",
    ["-A INPUT ! -i lo -j DROP", "-A INPUT -j ACCEPT"],
    "healthy",
  ],
  [
    "the port is rejected above",
    [
      "-A INPUT -p tcp -m tcp --dport 20:30 -j REJECT",
      "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
    ],
    "healthy",
  ],
  [
    "another port is dropped above",
    ["-A INPUT -p tcp -m tcp --dport 23 -j DROP", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"],
    "unhealthy",
  ],
  [
    "part of the sources are dropped above",
    ["-A INPUT -s 10.0.0.0/8 -j DROP", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"],
    "unhealthy",
  ],
  [
    "new connections are dropped above",
    ["-A INPUT -p tcp -m conntrack --ctstate NEW -j DROP", "-A INPUT -p tcp -j ACCEPT"],
    "healthy",
  ],
  [
    "invalid packets are dropped above",
    ["-A INPUT -m conntrack --ctstate INVALID -j DROP", "-A INPUT -p tcp -j ACCEPT"],
    "unhealthy",
  ],
  [
    "a limited drop is above",
    ["-A INPUT -m limit --limit 5/min -j DROP", "-A INPUT -p tcp -j ACCEPT"],
    "unhealthy",
  ],
  ["the drop is below", ["-A INPUT -p tcp -j ACCEPT", "-A INPUT -j DROP"], "unhealthy"],
  [
    "the drop is for another interface",
    ["-A INPUT -i eth1 -j DROP", "-A INPUT -i eth0 -j ACCEPT"],
    "unhealthy",
  ],
  [
    "the drop is for a family of interfaces",
    ["-A INPUT -i eth+ -j DROP", "-A INPUT -i eth0 -j ACCEPT"],
    "healthy",
  ],
  [
    "the drop is for all other interfaces",
    ["-A INPUT ! -i eth1 -j DROP", "-A INPUT -i eth0 -j ACCEPT"],
    "healthy",
  ],
  [
    "a rate is all that limits it",
    ["-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 5/min -j ACCEPT"],
    "unhealthy",
  ],
  [
    "a set decides who",
    ["-A INPUT -p tcp -m tcp --dport 22 -m set --match-set friends src -j ACCEPT"],
    "unknown",
  ],
  ["a mark decides what", ["-A INPUT -m mark --mark 0x1 -j ACCEPT"], "unknown"],
  [
    "a set narrows what is narrow already",
    ["-A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 22 -m set --match-set friends src -j ACCEPT"],
    "healthy",
  ],
  [
    "a chain accepts what the jump has narrowed",
    ["-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ok", "-A ok -j ACCEPT"],
    "healthy",
  ],
  [
    "a chain accepts what the jump has not narrowed",
    ["-A INPUT -p tcp -m tcp --dport 22 -j ok", "-A ok -j ACCEPT"],
    "unhealthy",
    "addresses",
  ],
  ["a chain that nothing reaches accepts", ["-A ok -j ACCEPT"], "healthy"],
  ["a rule of forwarding accepts", ["-A FORWARD -j ACCEPT"], "healthy"],
  [
    "a chain above drops all",
    ["-A INPUT -j no", "-A INPUT -p tcp -j ACCEPT", "-A no -j DROP"],
    "healthy",
  ],
  [
    "a chain above lets some return before it drops",
    [
      "-A INPUT -j no",
      "-A INPUT -p tcp -j ACCEPT",
      "-A no -s 10.0.0.0/7 -j RETURN",
      "-A no -j DROP",
    ],
    "unhealthy",
  ],
  [
    "a chain above goes on elsewhere before it drops",
    [
      "-A INPUT -j no",
      "-A INPUT -p tcp -j ACCEPT",
      "-A no -p tcp -g yes",
      "-A no -j DROP",
      "-A yes -s 10.0.0.1/32 -j DROP",
    ],
    "unhealthy",
  ],
  [
    "the drop is above the return of its own chain",
    [
      "-A INPUT -j no",
      "-A INPUT -p tcp -j ACCEPT",
      "-A no -p tcp -j DROP",
      "-A no -s 10.0.0.0/7 -j RETURN",
    ],
    "healthy",
  ],
];

describe("IoT_PermissiveInputFirewallRules", () => {
  for (const [name, lines, state, wide] of INPUT) {
    it(`is ${state} where ${name}`, () => {
      const verdict = judgeInputRules(saved(lines));
      assertSound(verdict);
      assert.equal(verdict.state, state);
      if (wide !== undefined) assert.equal(verdict.evidence[0]?.["wide"], wide);
    });
  }

  it("knows that a drop of new connections lets untracked ones pass, where there are any", () => {
    const filter =
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m conntrack --ctstate NEW -j DROP\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n";
    const raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -j CT --notrack\nCOMMIT\n";
    assert.equal(judgeInputRules(facts([savedRules(filter)])).state, "healthy");
    assert.equal(judgeInputRules(facts([savedRules(raw + filter)])).state, "unhealthy");
  });

  it("measures IPv6 by a threshold of its own", () => {
    const from = (source: string) =>
      judgeInputRules(saved([`-A INPUT -s ${source} -p tcp -m tcp --dport 22 -j ACCEPT`], "ip6"))
        .state;
    assert.equal(from("2001:db8::/32"), "healthy");
    assert.equal(from("2001:db8::/31"), "unhealthy");
    assert.equal(from("::/0"), "unhealthy");
    assert.equal(from("fe80::/10"), "healthy");
  });

  it("has thresholds that an operator may change", () => {
    const rules = saved(["-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 2000:3000 -j ACCEPT"]);
    assert.equal(judgeInputRules(rules, { ...WIDTH_THRESHOLDS, mostPorts: 1001 }).state, "healthy");
    const strict = { ...WIDTH_THRESHOLDS, ipv4Prefix: 16, mostPorts: 1001 };
    assert.equal(judgeInputRules(rules, strict).evidence[0]?.["wide"], "addresses");
  });

  it("shows the rule, its place and what it lets in", () => {
    const rules = saved([
      "-A INPUT -i lo -j ACCEPT",
      "-A INPUT -i eth0 -p tcp -m tcp --dport 1337 -j ACCEPT",
    ]);
    assert.deepEqual(judgeInputRules(rules).evidence, [
      {
        backend: "iptables-nft",
        family: "ip",
        table: "filter",
        chain: "INPUT",
        position: "2",
        wide: "addresses",
        destinationPort: "1337",
        protocol: "tcp",
        interface: "eth0",
        rule: "-A INPUT -i eth0 -p tcp -m tcp --dport 1337 -j ACCEPT",
      },
    ]);
  });

  it("reads rules of nftables, and names a rule for both families once", () => {
    assert.equal(judgeInputRules(nft("tcp dport 22 accept")).count, 1);
    assert.equal(
      judgeInputRules(nft("ip saddr 192.0.2.0/24 tcp dport 22 accept")).state,
      "healthy",
    );
    assert.equal(judgeInputRules(nft("ct state established,related accept")).state, "healthy");
    assert.equal(judgeInputRules(nft("tcp dport 22 drop", "tcp dport 22 accept")).state, "healthy");
    assert.equal(judgeInputRules(nft("ip saddr 10.0.0.0/8 drop", "tcp dport 22 accept")).count, 1);
  });

  it("looks into verdict maps and pairs of addresses and ports", () => {
    const key = { payload: { protocol: "tcp", field: "dport" } };
    const map = (to: object) => [
      {
        vmap: {
          key,
          data: {
            set: [
              [22, { drop: null }],
              [80, to],
            ],
          },
        },
      },
    ];
    assert.equal(
      judgeInputRules(nft(map({ accept: null }))).evidence[0]?.["destinationPort"],
      "80",
    );
    assert.equal(judgeInputRules(nft(map({ drop: null }))).state, "healthy");
    const left = { concat: [{ payload: { protocol: "ip", field: "saddr" } }, key] };
    const pairs = (saddr: unknown) => [
      { match: { op: "==", left, right: { set: [{ concat: [saddr, 22] }] } } },
      { accept: null },
    ];
    assert.equal(judgeInputRules(nft(pairs("10.0.0.1"))).state, "healthy");
    const wide = { prefix: { addr: "128.0.0.0", len: 1 } };
    assert.equal(judgeInputRules(nft(pairs(wide))).evidence[0]?.["sourceAddress"], "128.0.0.0/1");
  });

  it("is unknown with what is missing where a backend could not be asked", () => {
    const verdict = judgeInputRules(facts([], [unreadable()]));
    assertSound(verdict);
    assert.equal(verdict.state, "unknown");
    assert.match(verdict.missing[0] ?? "", /iptables-legacy/);
    assert.equal(judgeInputRules(undefined).state, "unknown");
  });

  it("follows a maze of chains no longer than it may", () => {
    const lines = Array.from({ length: 20 }, (_, at) => [
      `-A c${at} -j c${at + 1}`,
      `-A c${at} -j c${at + 1}`,
      `-A c${at} -j c${at + 1}`,
    ]).flat();
    const verdict = judgeInputRules(saved(["-A INPUT -j c0", ...lines, "-A c20 -j RETURN"]));
    assertSound(verdict);
    assert.equal(verdict.state, "unknown");
    assert.match(verdict.missing[0] ?? "", /too many/);
  });
});

const OUTPUT: readonly Row[] = [
  ["anything may leave", ["-A OUTPUT -j ACCEPT"], "unhealthy", "addresses and ports"],
  [
    "one host may be reached on one port",
    ["-A OUTPUT -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j ACCEPT"],
    "healthy",
  ],
  [
    "every host may be reached on one port",
    ["-A OUTPUT -p tcp -m tcp --dport 443 -j ACCEPT"],
    "unhealthy",
    "addresses",
  ],
  [
    "one host may be reached on every port",
    ["-A OUTPUT -d 192.0.2.1/32 -p udp -j ACCEPT"],
    "unhealthy",
    "ports",
  ],
  ["loopback may be used", ["-A OUTPUT -o lo -j ACCEPT"], "healthy"],
  [
    "groups on the own link may be reached",
    ["-A OUTPUT -d 224.0.0.0/4 -p udp -m udp --dport 5353 -j ACCEPT"],
    "healthy",
  ],
  ["one user may send anything", ["-A OUTPUT -m owner --uid-owner 0 -j ACCEPT"], "unhealthy"],
  ["input is wide", ["-A INPUT -j ACCEPT"], "healthy"],
];

describe("IoT_PermissiveOutputFirewallRules", () => {
  for (const [name, lines, state, wide] of OUTPUT) {
    it(`is ${state} where ${name}`, () => {
      const verdict = judgeOutputRules(saved(lines));
      assertSound(verdict);
      assert.equal(verdict.state, state);
      if (wide !== undefined) assert.equal(verdict.evidence[0]?.["wide"], wide);
    });
  }
});
