/** Rule sets of iptables at random, from few words, so that rules meet and hide each other often. */
import fc from "fast-check";
import type { Firewall } from "../../src/contract/firewall.ts";
import { facts, savedRules } from "./firewall-texts.ts";

const some = (...texts: readonly string[]) => fc.constantFrom("", "", ...texts);
const parts = fc.tuple(
  some("-i eth0", "-i eth1", "-i eth+", "! -i lo", "-i lo", "-i docker0"),
  some("-s 10.0.0.0/8", "-s 10.1.0.0/16", "-s 10.1.2.3/32", "! -s 10.1.0.0/16", "-s 128.0.0.0/1"),
  some("-d 192.0.2.7/32", "-d 198.51.100.0/24"),
  some(
    "-p tcp -m tcp --dport 22",
    "-p tcp -m tcp --dport 20:30",
    "-p tcp -m multiport --dports 80,443",
    "-p udp -m udp --dport 53",
    "-p tcp -m tcp ! --dport 22",
    "-p tcp",
    "-p icmp",
  ),
  some("-m conntrack --ctstate NEW", "-m conntrack --ctstate RELATED,ESTABLISHED"),
  fc.constantFrom("", "", "", "", "", "-m limit --limit 5/min"),
);
const ends = fc.constantFrom("ACCEPT", "ACCEPT", "DROP", "REJECT", "RETURN");
const line = (chain: string, targets: fc.Arbitrary<string>) =>
  fc.tuple(parts, targets).map(([words, target]) => {
    const jump = target.startsWith("-") ? target : `-j ${target}`;
    return [`-A ${chain}`, ...words.filter((word) => word !== ""), jump].join(" ");
  });
/** Rows that differ in sources alone. */
const row = fc
  .array(fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom(8, 16, 24), ends), {
    minLength: 8,
    maxLength: 14,
  })
  .map((rules) =>
    rules.map(([a, b, bits, target]) => {
      const network = bits === 8 ? `${10 + a}.0.0.0` : `10.${a}.${bits === 16 ? 0 : b}.0`;
      return `-A INPUT -s ${network}/${bits} -j ${target === "RETURN" ? "DROP" : target}`;
    }),
  );
const nat = fc.array(
  fc.constantFrom(
    "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080",
    "-A PREROUTING -i eth0 -p tcp -m tcp --dport 25 -j DNAT --to-destination 192.0.2.7:22",
    "-A PREROUTING -p tcp -m tcp --dport 400:500 -j DNAT --to-destination 172.17.0.2",
  ),
  { maxLength: 2 },
);

/** A filter table with two user chains, and sometimes NAT. */
export const randomFirewall: fc.Arbitrary<Firewall> = fc
  .record({
    policy: fc.constantFrom("ACCEPT", "DROP"),
    input: fc.array(line("INPUT", fc.oneof(ends, fc.constantFrom("u1", "u2", "-g u1"))), {
      maxLength: 8,
    }),
    row: fc.option(row, { nil: [] }),
    more: fc.array(line("INPUT", ends), { maxLength: 4 }),
    u1: fc.array(line("u1", fc.oneof(ends, fc.constant("u2"))), { maxLength: 4 }),
    u2: fc.array(line("u2", ends), { maxLength: 4 }),
    nat,
  })
  .map((all) => {
    const heads = [`:INPUT ${all.policy} [0:0]`, ":FORWARD DROP [0:0]", ":OUTPUT DROP [0:0]"];
    const users = [":u1 - [0:0]", ":u2 - [0:0]"];
    const rules = [...all.input, ...all.row, ...all.more, ...all.u1, ...all.u2];
    const filter = ["*filter", ...heads, ...users, ...rules, "COMMIT"];
    const natTable = ["*nat", ":PREROUTING ACCEPT [0:0]", ...all.nat, "COMMIT"];
    return facts([savedRules([...natTable, ...filter, ""].join("\n"))]).firewall;
  });
