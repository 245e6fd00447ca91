import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { facts, nftRules, savedRules, unreadable } from "../../../test/posture/firewall-texts.ts";
import { assertSound } from "../../../test/posture/sound-verdict.ts";
import type { HostNetwork } from "../exposure/query.ts";
import { judgeFirewallPolicy } from "./firewall-policy.ts";

const HOST: HostNetwork = {
  addresses: [
    { interface: "lo", address: "127.0.0.1", prefixLength: 8 },
    { interface: "lo", address: "::1", prefixLength: 128 },
    { interface: "eth0", address: "192.0.2.7", prefixLength: 24 },
  ],
  routes: [],
};

const chain = (hook: string, policy: string, ...rules: readonly string[]) => ({
  hook,
  policy,
  rules,
});
const DROPS = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n";
const ACCEPTS = DROPS.replaceAll("DROP", "ACCEPT");

/** A rule set of iptables whose output drops, with these lines of the input chain. */
function input(policy: string, ...lines: readonly string[]) {
  const head = [`:INPUT ${policy} [0:0]`, ":FORWARD DROP [0:0]", ":OUTPUT DROP [0:0]"];
  return savedRules(["*filter", ...head, ...lines, "COMMIT", ""].join("\n"));
}

describe("IoT_PermissiveFirewallPolicy", () => {
  const table: readonly (readonly [string, Parameters<typeof facts>[0], string, number])[] = [
    ["there is no firewall", [], "unhealthy", 2],
    ["input and output drop", [savedRules(DROPS)], "healthy", 0],
    ["input and output accept", [savedRules(ACCEPTS)], "unhealthy", 2],
    ["only input accepts", [input("ACCEPT")], "unhealthy", 1],
    [
      "the last rule rejects everything",
      [
        input(
          "ACCEPT",
          "-A INPUT -s 10.0.0.0/8 -j ACCEPT",
          "-A INPUT -j REJECT --reject-with icmp-port-unreachable",
        ),
      ],
      "healthy",
      0,
    ],
    [
      "the last rule drops what is new",
      [input("ACCEPT", "-A INPUT -m conntrack --ctstate NEW -j DROP")],
      "healthy",
      0,
    ],
    [
      "everything but loopback is dropped",
      [input("ACCEPT", "-A INPUT ! -i lo -j DROP")],
      "healthy",
      0,
    ],
    ["one protocol is dropped", [input("ACCEPT", "-A INPUT -p tcp -j DROP")], "unhealthy", 1],
    ["one interface is dropped", [input("ACCEPT", "-A INPUT -i eth0 -j DROP")], "unhealthy", 1],
    [
      "a rule accepts everything before the policy drops",
      [input("DROP", "-A INPUT -j ACCEPT")],
      "unhealthy",
      1,
    ],
    [
      "a chain jumped to drops everything",
      [
        input(
          "ACCEPT",
          ":deny - [0:0]",
          "-A INPUT -j deny",
          "-A deny -s 10.0.0.1/32 -j ACCEPT",
          "-A deny -j DROP",
        ),
      ],
      "healthy",
      0,
    ],
    [
      "a chain jumped to returns before it drops",
      [
        input(
          "ACCEPT",
          ":deny - [0:0]",
          "-A INPUT -j deny",
          "-A deny -j RETURN",
          "-A deny -j DROP",
        ),
      ],
      "unhealthy",
      1,
    ],
    [
      "a chain gone to leaves it to the policy",
      [input("ACCEPT", ":other - [0:0]", "-A INPUT -g other", "-A INPUT -j DROP")],
      "unhealthy",
      1,
    ],
    ["a program decides", [input("ACCEPT", "-A INPUT -j NFQUEUE --queue-num 0")], "unknown", 0],
    [
      "raw drops everything early",
      [savedRules(`*raw\n:PREROUTING DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n${ACCEPTS}`)],
      "healthy",
      0,
    ],
    [
      "legacy accepts and nft drops",
      [
        savedRules(ACCEPTS, "iptables-legacy"),
        nftRules([chain("input", "drop"), chain("output", "drop")]),
      ],
      "healthy",
      0,
    ],
    [
      "a nat chain drops nothing",
      [nftRules([{ ...chain("input", "drop"), type: "nat" }, chain("output", "drop")])],
      "unhealthy",
      1,
    ],
    ["nft filters input alone", [nftRules([chain("input", "drop")])], "unhealthy", 1],
    [
      "the table is dormant",
      [nftRules([chain("input", "drop"), chain("output", "drop")], "dormant")],
      "unhealthy",
      2,
    ],
  ];
  for (const [name, texts, state, count] of table) {
    it(`is ${state} where ${name}`, () => {
      const verdict = judgeFirewallPolicy(facts(texts), HOST);
      assertSound(verdict);
      assert.deepEqual([verdict.state, verdict.count], [state, count]);
    });
  }

  it("says that there is no firewall at all", () => {
    const { evidence } = judgeFirewallPolicy(facts([]), HOST);
    assert.deepEqual(evidence[0], {
      direction: "input",
      family: "ipv4",
      default: "accept",
      reason: "there is no firewall",
    });
  });

  it("names backend, chain and policy, or the rule that decides", () => {
    const { evidence } = judgeFirewallPolicy(facts([input("DROP", "-A INPUT -j ACCEPT")]), HOST);
    assert.deepEqual(evidence[0], {
      direction: "input",
      family: "ipv4",
      default: "accept",
      backend: "iptables-nft",
      table: "ip filter",
      chain: "INPUT",
      policy: "drop",
      decidedBy: "-A INPUT -j ACCEPT",
    });
  });

  it("judges IPv6 by itself, and only where the device uses it", () => {
    const six = { interface: "eth0", address: "fe80::1", prefixLength: 64 };
    const both = { ...HOST, addresses: [...HOST.addresses, six] };
    const dropped = facts([savedRules(DROPS)]);
    assert.equal(judgeFirewallPolicy(dropped, HOST).state, "healthy");
    const { state, evidence } = judgeFirewallPolicy(dropped, both);
    assert.equal(state, "unhealthy");
    assert.ok(evidence.every((record) => record["family"] === "ipv6"));
    assert.equal(judgeFirewallPolicy(dropped, undefined).state, "unhealthy");
    const inet = facts([nftRules([chain("input", "drop"), chain("output", "drop")])]);
    assert.equal(judgeFirewallPolicy(inet, both).state, "healthy");
  });

  it("does not count forwarding, and shows it", () => {
    const text = DROPS.replace("FORWARD DROP", "FORWARD ACCEPT");
    const verdict = judgeFirewallPolicy(facts([savedRules(text)]), HOST);
    assert.equal(verdict.state, "healthy");
    assert.equal(verdict.evidence[0]?.["direction"], "forward");
  });

  it("is unknown where a backend could not be asked, unless what is seen drops anyway", () => {
    const unseen = judgeFirewallPolicy(facts([savedRules(ACCEPTS)], [unreadable()]), HOST);
    assertSound(unseen);
    assert.equal(unseen.state, "unknown");
    assert.match(unseen.missing[0] ?? "", /iptables-legacy/);
    assert.equal(
      judgeFirewallPolicy(facts([savedRules(DROPS)], [unreadable()]), HOST).state,
      "healthy",
    );
    assert.equal(judgeFirewallPolicy(undefined, HOST).state, "unknown");
  });

  it("takes firewalld's rules for what they are: a drop at the end", () => {
    const zones = {
      hook: "input",
      policy: "accept",
      rules: ["ct state established,related accept", "iifname lo accept", "jump zones", "reject"],
    };
    const jumps = { hook: "", policy: "zones", rules: ["goto public"] };
    const zone = { hook: "", policy: "public", rules: ["tcp dport 22 accept"] };
    const chains = [zones, jumps, zone, chain("output", "drop")];
    const verdict = judgeFirewallPolicy(facts([nftRules(chains)]), HOST);
    assert.equal(verdict.state, "healthy");
  });
});
