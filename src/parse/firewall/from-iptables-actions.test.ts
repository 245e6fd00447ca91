import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { actionOf } from "../../../test/firewall/iptables/lowered-rule.ts";
import type { RuleAction } from "../../contract/firewall.ts";

describe("the action of a rule of iptables", () => {
  const nat = { kind: "destination-nat", isRedirect: false } as const;
  const one = { from: 0x0a000001n, to: 0x0a000001n };
  const cases: readonly (readonly [target: string, action: RuleAction])[] = [
    ["-p tcp", { kind: "continue" }],
    ["-j ACCEPT", { kind: "accept" }],
    ["-j DROP", { kind: "drop" }],
    ["-j REJECT --reject-with tcp-reset", { kind: "reject" }],
    ["-j RETURN", { kind: "return" }],
    ["-j user", { kind: "jump", chain: "user" }],
    ["-g user", { kind: "goto", chain: "user" }],
    ['-j LOG --log-prefix "-j DROP"', { kind: "continue" }],
    ["-j NFLOG --nflog-group 3", { kind: "continue" }],
    ["-j TCPMSS --clamp-mss-to-pmtu", { kind: "continue" }],
    ["-j CT --notrack", { kind: "untrack" }],
    ["-j NOTRACK", { kind: "untrack" }],
    ["-j CT --helper ftp", { kind: "continue" }],
    ["-j SNAT --to-source 1.2.3.4", { kind: "source-nat" }],
    ["-j MASQUERADE --random", { kind: "source-nat" }],
    ["-j DNAT --to-destination 10.0.0.1", { ...nat, addresses: one }],
    [
      "-j DNAT --to-destination 10.0.0.1:80 --random",
      { ...nat, addresses: one, ports: { from: 80, to: 80 } },
    ],
    [
      "-j DNAT --to-destination 10.0.0.1-10.0.0.2:80-90 --persistent",
      { ...nat, addresses: { from: one.from, to: 0x0a000002n }, ports: { from: 80, to: 90 } },
    ],
    ["-j DNAT --to-destination :8080", { ...nat, ports: { from: 8080, to: 8080 } }],
    [
      "-j DNAT --to-destination 10.0.0.1:80-90/8080",
      { ...nat, addresses: one, ports: { from: 80, to: 90 } },
    ],
    ["-j REDIRECT", { ...nat, isRedirect: true }],
    ["-j REDIRECT --to-ports 8-9", { ...nat, isRedirect: true, ports: { from: 8, to: 9 } }],
    ["-j MARK --set-xmark 0x1/0xff", { kind: "set-mark", value: 1, mask: 255 }],
    ["-j MARK --set-xmark 0xf/0x0", { kind: "set-mark", value: 15, mask: 0 }],
    ["-j MARK --set-mark 0x1/0x2", { kind: "set-mark", value: 1, mask: 3 }],
    ["-j MARK --set-mark 1", { kind: "set-mark", value: 1, mask: 0xffffffff }],
    ["-j MARK --and-mark 0xf", { kind: "set-mark", value: 0, mask: 0xfffffff0 }],
    ["-j MARK --or-mark 0x4", { kind: "set-mark", value: 4, mask: 4 }],
    ["-j MARK --xor-mark 0x4", { kind: "set-mark", value: 4, mask: 0 }],
    ["-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff", { kind: "continue" }],
    ["-j CONNMARK --set-xmark 0x1/0x1", { kind: "continue" }],
    [
      "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff",
      { kind: "set-mark", value: 0, mask: 0xff },
    ],
  ];
  for (const [target, expected] of cases) {
    it(`of "${target}" is ${expected.kind}`, () => {
      assert.deepEqual(actionOf(target), expected);
    });
  }

  for (const target of [
    "-j NFQUEUE --queue-num 1",
    "-j QUEUE",
    "-j TPROXY --on-port 1 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0",
    "-j SYNPROXY --mss 1460",
    "-j NETMAP --to 10.0.0.0/8",
    "-j DNAT --to-destination nonsense",
    "-j DNAT --to-destination 10.0.0.1 --to-destination 10.0.0.2",
    "-j MARK --set-xmark nonsense",
    "-j NOVEL --thing",
    "-g NOVEL",
  ]) {
    it(`of "${target}" is not foreseen`, () => {
      const name = target.split(" ")[1] ?? "";
      assert.deepEqual(actionOf(target), { kind: "other", name, text: target });
    });
  }

  it("of NETMAP behind routing is source nat", () => {
    assert.deepEqual(actionOf("-j NETMAP --to 10.0.0.0/8", "POSTROUTING"), { kind: "source-nat" });
    assert.equal(actionOf("-j NETMAP --to 10.0.0.0/8", "PREROUTING").kind, "other");
  });

  it("knows IPv6 destinations with and without brackets", () => {
    const from = 0xfd00n << 112n;
    const expectations: readonly (readonly [string, RuleAction])[] = [
      ["fd00::", { ...nat, addresses: { from, to: from } }],
      ["[fd00::]:80", { ...nat, addresses: { from, to: from }, ports: { from: 80, to: 80 } }],
      ["fd00::-fd00::1", { ...nat, addresses: { from, to: from + 1n } }],
      [
        "[fd00::-fd00::1]:80-81",
        { ...nat, addresses: { from, to: from + 1n }, ports: { from: 80, to: 81 } },
      ],
      ["[fd00::]-[fd00::1]", { ...nat, addresses: { from, to: from + 1n } }],
      [":80", { ...nat, ports: { from: 80, to: 80 } }],
      ["::1", { ...nat, addresses: { from: 1n, to: 1n } }],
    ];
    for (const [text, expected] of expectations) {
      assert.deepEqual(actionOf(`-j DNAT --to-destination ${text}`, "user", "ipv6"), expected);
    }
  });
});

/** What parsers that go by patterns get wrong. */
