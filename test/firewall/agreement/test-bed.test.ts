import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RuleLoader, type RuleSet, ruleLoader } from "./rule-set.ts";
import { missingForTestBed, type Observation, openTestBed, type TestBed } from "./test-bed.ts";

const skip = missingForTestBed() ?? false;

type Where = Observation["at"];

/** Protocol, source, destination, port, and where the packet must be seen. */
type Case = readonly ["tcp" | "udp", string, string, number, Where];

const filter = (...rules: readonly string[]): string =>
  ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ...rules, "COMMIT", ""].join("\n");

describe("the test bed on which predictions are compared with the kernel", { skip }, () => {
  let bed: TestBed;
  let loader: RuleLoader;
  before(async () => {
    bed = await openTestBed();
    loader = ruleLoader(bed);
  });
  after(() => bed?.close());

  async function check(ruleSet: Omit<RuleSet, "kind" | "undecidable">, cases: readonly Case[]) {
    await loader.load({ kind: "by hand", undecidable: [], ...ruleSet });
    const probes = cases.map(([protocol, source, destination, port]) => ({
      protocol,
      source,
      destination,
      port,
      sourcePort: bed.freshSourcePort(),
    }));
    const expected = new Map(probes.map((probe, index) => [probe, cases[index]?.[4]]));
    const seen = await bed.observe(probes, (probe) => expected.get(probe) !== "nowhere");
    assert.deepEqual(
      seen.map((observation, index) => ({ ...probes[index], at: observation.at })),
      probes.map((probe) => ({ ...probe, at: expected.get(probe) })),
    );
    return seen;
  }

  it("sees everything arrive where there are no rules", async () => {
    await check({}, [
      ["tcp", "10.77.0.10", "10.77.0.1", 22, "gateway"],
      ["udp", "203.0.113.9", "10.77.0.2", 53, "gateway"],
      ["tcp", "192.168.60.9", "10.77.0.1", 443, "gateway"],
      ["udp", "fd79::50", "fd77::1", 123, "gateway"],
      ["tcp", "2001:db8:5::7", "fd17::1", 8080, "gateway"],
    ]);
  });

  for (const backend of ["legacy", "iptablesNft"] as const)
    it(`sees what ${backend} rules drop and accept`, async () => {
      await check(
        {
          [backend]: {
            ipv4: filter(
              "-A INPUT -p tcp --dport 22 -s 10.77.0.0/24 -j ACCEPT",
              "-A INPUT -i eth1 -p udp -m multiport --dports 53,123 -j ACCEPT",
              "-A INPUT -p tcp --dport 443 -j REJECT",
            ),
            ipv6: filter("-A INPUT -p udp --dport 53 -j ACCEPT"),
          },
        },
        [
          ["tcp", "10.77.0.11", "10.77.0.1", 22, "gateway"],
          ["tcp", "10.78.0.10", "10.77.0.1", 22, "nowhere"],
          ["tcp", "10.77.0.11", "10.77.0.1", 80, "nowhere"],
          ["tcp", "10.77.0.11", "10.77.0.1", 443, "nowhere"],
          ["udp", "10.79.0.50", "10.77.0.1", 53, "gateway"],
          ["udp", "10.77.0.11", "10.77.0.1", 53, "nowhere"],
          ["udp", "fd77::11", "fd77::1", 53, "gateway"],
          ["tcp", "fd77::11", "fd77::1", 53, "nowhere"],
        ],
      );
    });

  it("counts a connection as let in when only its answer is dropped", async () => {
    await check(
      { nft: "table inet f { chain o { type filter hook output priority 0; policy drop; }; }" },
      [
        ["tcp", "10.77.0.10", "10.77.0.1", 22, "gateway"],
        ["tcp", "fd77::10", "fd77::1", 22, "gateway"],
        ["udp", "10.77.0.10", "10.77.0.1", 53, "gateway"],
      ],
    );
  });

  it("counts a connection as let in when the rules refuse what follows its first packet", async () => {
    const rule = "-A INPUT -m conntrack --ctstate NEW -j ACCEPT";
    await check({ legacy: { ipv4: filter(rule), ipv6: filter(rule) } }, [
      ["tcp", "10.77.0.10", "10.77.0.1", 22, "gateway"],
      ["tcp", "fd77::10", "fd77::1", 22, "gateway"],
    ]);
  });

  it("sees published ports arrive at the container, and redirected ones at another port", async () => {
    const nat = [
      "*nat",
      "-A PREROUTING -p tcp -m addrtype --dst-type LOCAL --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
      "-A PREROUTING -p udp --dport 5000 -j DNAT --to-destination 172.17.0.2:5000",
      "-A PREROUTING -p tcp --dport 8081 -j REDIRECT --to-ports 443",
      "COMMIT",
      "",
    ].join("\n");
    const rules = filter(
      "-A INPUT -p tcp --dport 443 -j ACCEPT",
      "-A FORWARD -o docker0 -p tcp -d 172.17.0.2 --dport 80 -j ACCEPT",
    );
    const seen = await check({ iptablesNft: { ipv4: nat + rules } }, [
      ["tcp", "10.77.0.10", "10.77.0.1", 8080, "container"],
      ["udp", "10.77.0.10", "10.77.0.1", 5000, "nowhere"],
      ["tcp", "10.79.0.10", "10.79.0.1", 8081, "gateway"],
      ["tcp", "10.79.0.10", "10.79.0.1", 8080, "container"],
    ]);
    assert.deepEqual(
      seen.map((observation) => observation.port),
      [80, undefined, 443, 80],
    );
  });

  it("sees a connection arrive at the container although its answer is refused", async () => {
    const nft = `
      table ip n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80; }; }
      table inet f { chain f { type filter hook forward priority 0; iifname "docker0" reject; }; }
    `;
    await check({ nft }, [["tcp", "10.77.0.10", "10.77.0.1", 8080, "container"]]);
    const reset = nft.replace("reject;", "reject with tcp reset;");
    await check({ nft: reset }, [["tcp", "10.77.0.10", "10.77.0.1", 8080, "container"]]);
  });

  it("loads native, legacy and translated rules side by side, and takes each away again", async () => {
    await check(
      {
        legacy: { ipv4: filter("-A INPUT -p tcp -j ACCEPT") },
        iptablesNft: { ipv4: filter("-A INPUT -s 10.77.0.0/16 -j ACCEPT") },
        nft: "table inet f { chain i { type filter hook input priority 5; tcp dport != 22 drop; }; }",
      },
      [
        ["tcp", "10.77.0.10", "10.77.0.1", 22, "gateway"],
        ["tcp", "10.78.0.10", "10.77.0.1", 22, "nowhere"],
        ["tcp", "10.77.0.10", "10.77.0.1", 80, "nowhere"],
        ["udp", "10.77.0.10", "10.77.0.1", 53, "nowhere"],
        ["tcp", "fd77::10", "fd77::1", 22, "gateway"],
        ["tcp", "fd77::10", "fd77::1", 80, "nowhere"],
      ],
    );
    const loaded = await loader.load({ kind: "none", undecidable: [] });
    assert.doesNotMatch(JSON.stringify(loaded), /-A |"rule"/);
  });

  it("never sees a packet after it was counted as dropped", () => {
    assert.deepEqual(bed.lateArrivals(), []);
  });
});
