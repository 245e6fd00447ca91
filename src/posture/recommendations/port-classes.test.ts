import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Firewall } from "../../contract/firewall.ts";
import { firewallOf } from "../../parse/firewall/firewall-of.ts";
import { portClasses } from "./port-classes.ts";

function firewall(...rules: readonly string[]): Firewall {
  const head = ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"];
  const text = [...head, ...rules, "COMMIT", ""].join("\n");
  const texts = [{ backend: "iptables-nft", family: "ip", text, isCut: false }] as const;
  return firewallOf({ texts, unknown: [], problems: [] }).firewall;
}

function classes(ports: readonly number[], ...rules: readonly string[]): readonly number[] {
  const { classOf } = portClasses(firewall(...rules));
  const names = ports.map(classOf);
  return names.map((name) => names.indexOf(name));
}

describe("classes of ports", () => {
  it("are one for all ports that no rule names, wherever they are", () => {
    const rules = ["-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -p tcp --dport 80 -j DROP"];
    assert.deepEqual(classes([1, 22, 50, 80, 60_000], ...rules), [0, 1, 0, 3, 0]);
  });

  it("are one for ports that the same rules name", () => {
    const rules = [
      "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT",
      "-A INPUT -p tcp --dport 80 -s 192.0.2.1 -j DROP",
      "-A INPUT -p tcp -m multiport --dports 90,91 -j ACCEPT",
    ];
    assert.deepEqual(classes([22, 80, 90, 91], ...rules), [0, 1, 2, 2]);
  });

  it("are told apart by wide ranges and by negation", () => {
    const rules = [
      "-A INPUT -p tcp --dport 1000:2000 -j ACCEPT",
      "-A INPUT -p tcp ! --dport 1500 -j ACCEPT",
    ];
    const found = classes([1, 1_000, 1_499, 1_500, 1_501, 2_000, 2_001], ...rules);
    assert.deepEqual(found, [0, 1, 1, 3, 4, 4, 6]);
  });

  it("are told apart by what else a rule for few ports asks of them", () => {
    const rule = "-A INPUT -p tcp -m multiport --dports 22,23 -m multiport ! --dports 23 -j ACCEPT";
    assert.deepEqual(classes([22, 23, 24], rule), [0, 1, 2]);
  });

  it("have the rules for their ports alone, and those for any", () => {
    const { firewallFor } = portClasses(
      firewall(
        "-A INPUT -p tcp --dport 22 -j ACCEPT",
        "-A INPUT -s 192.0.2.1 -j DROP",
        "-A INPUT -p tcp --dport 80 -j DROP",
      ),
    );
    const rulesFor = (port: number) =>
      firewallFor(port).firewall.tables.flatMap(({ chains }) =>
        chains.flatMap(({ rules }) => rules),
      );
    assert.deepEqual(
      [22, 50, 80].map((port) => rulesFor(port).length),
      [2, 1, 2],
    );
  });
});
