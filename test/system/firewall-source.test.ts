/** Which backends are in force, held against the kernel and the tools in a namespace of its own. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { FirewallReading } from "../../src/contract/firewall-source.ts";
import { type Namespace, openNamespace, reasonToSkip } from "./firewall-namespace.ts";

const skip = reasonToSkip();

/** `backend family` of each text and, with a question mark, of what is unknown. */
function shown(reading: FirewallReading): readonly string[] {
  const texts = reading.texts.map(({ backend, family }) => `${backend} ${family}`);
  return [...texts, ...reading.unknown.map(({ backend, family }) => `${backend} ${family}?`)];
}

function textOf(reading: FirewallReading, backend: string, family: string): string {
  const found = reading.texts.find((one) => one.backend === backend && one.family === family);
  assert.ok(found !== undefined, `no text of ${backend} ${family}: ${shown(reading)}`);
  return found.text;
}

describe("the firewall of a network namespace", { skip }, () => {
  let space: Namespace;
  before(async () => {
    space = await openNamespace();
  });
  after(() => space.close());
  afterEach(() => space.run("nft flush ruleset"));

  it("without any rule takes no tool, and nothing is unknown", async () => {
    assert.deepEqual(await space.read(), { texts: [], unknown: [], problems: [] });
  });

  it("of nft alone is shown by nft alone", async () => {
    space.run("nft add table inet own");
    const reading = await space.read();
    assert.deepEqual(shown(reading), ["nftables all"]);
    assert.match(textOf(reading, "nftables", "all"), /"family": "inet", "name": "own"/);
  });

  it("of iptables-nft alone is shown by its save, with counters", async () => {
    space.run("iptables-nft -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT");
    space.run("ip6tables-nft -t nat -A PREROUTING -p tcp --dport 80:90 -j REDIRECT");
    const reading = await space.read();
    assert.deepEqual(shown(reading), ["iptables-nft ip", "iptables-nft ip6"]);
    const ip = textOf(reading, "iptables-nft", "ip");
    assert.match(ip, /^\[0:0\] -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT$/m);
    assert.match(
      textOf(reading, "iptables-nft", "ip6"),
      /^\*nat$[\s\S]*-A PREROUTING .*REDIRECT$/m,
    );
  });

  it("of nft beside iptables-nft is shown by both tools", async () => {
    space.run("ip6tables-nft -A INPUT -i lo -j ACCEPT");
    space.run("nft add table ip6 own");
    assert.deepEqual(shown(await space.read()), ["iptables-nft ip6", "nftables all"]);
  });

  /** What iptables-nft-save 1.8.9 shows of each, and what is meant. */
  const foreign: Readonly<Record<string, readonly string[]>> = {
    "a set": [
      "nft add set ip filter bad {type ipv4_addr;}",
      "nft add rule ip filter INPUT ip saddr @bad drop",
    ],
    "a set without a name": ["nft add rule ip filter INPUT tcp dport {80,443} accept"],
    "a verdict map": ["nft add rule ip filter INPUT tcp dport vmap {80:accept}"],
    "a range of addresses": ["nft add rule ip filter INPUT ip daddr 10.0.0.1-10.0.0.9 accept"],
    "a mask of ports": ["nft add rule ip filter INPUT tcp dport & 1 == 1 drop"],
    "a base chain of its own": [
      "nft add chain ip filter input {type filter hook input priority 0; policy drop;}",
    ],
  };
  for (const [what, commands] of Object.entries(foreign)) {
    it(`with ${what} in a table named like one of iptables is left to nft`, async () => {
      space.run("iptables-nft -A INPUT -i lo -j ACCEPT");
      assert.deepEqual(shown(await space.read()), ["iptables-nft ip"]);
      for (const command of commands) space.run(command);
      assert.deepEqual(shown(await space.read()), ["nftables all"]);
    });
  }

  it("shows tables of iptables beside one that only bears such a name", async () => {
    space.run("iptables-nft -t nat -A POSTROUTING -o eth0 -j MASQUERADE");
    space.run("nft add table ip filter");
    space.run("nft add set ip filter bad {type ipv4_addr;}");
    const reading = await space.read();
    assert.deepEqual(shown(reading), ["iptables-nft ip", "nftables all"]);
    const save = textOf(reading, "iptables-nft", "ip");
    assert.match(save, /^\*nat$/m);
    assert.doesNotMatch(save, /^\*filter$/m);
  });

  it("leaves to nft what iptables-nft-save refuses to show", async () => {
    space.run("iptables-nft -A INPUT -i lo -j ACCEPT");
    space.run("nft add rule ip filter INPUT ct state established accept");
    assert.ok(shown(await space.read()).includes("nftables all"));
  });

  it("is shown by nft where the native library is missing", async () => {
    const none = await space.ask("read-without-library");
    assert.deepEqual(none.reading && shown(none.reading), ["nftables all"]);
    assert.equal(none.reading?.problems[0]?.subject, "koffi");
    space.run("iptables-nft -A INPUT -i lo -j ACCEPT");
    const { reading } = await space.ask("read-without-library");
    assert.ok(reading !== undefined);
    assert.match(textOf(reading, "nftables", "all"), /"chain": "INPUT"/);
  });
});

describe("legacy tables of a network namespace", { skip }, () => {
  it("are shown by their own tools, per family, beside all others", async (test) => {
    const space = await openNamespace();
    test.after(() => space.close());
    space.run("ip6tables-legacy -A INPUT -s 2001:db8::1 -j DROP");
    const six = await space.read();
    assert.deepEqual(shown(six), ["iptables-legacy ip6"]);
    const text = textOf(six, "iptables-legacy", "ip6");
    assert.match(text, /^\[0:0\] -A INPUT -s 2001:db8::1\/128 -j DROP$/m);
    space.run("iptables-legacy -t nat -A POSTROUTING -j MASQUERADE");
    space.run("iptables-nft -A FORWARD -j DROP");
    space.run("nft add table inet own");
    assert.deepEqual(shown(await space.read()), [
      "iptables-legacy ip",
      "iptables-legacy ip6",
      "iptables-nft ip",
      "nftables all",
    ]);
  });
});

/** Everything that could hold rules, said to be unknown: never an empty answer. */
const ALL_UNKNOWN = ["iptables-legacy ip?", "iptables-legacy ip6?", "nftables all?"];

describe("without the rights to ask", { skip }, () => {
  it("all is unknown to another user, and it is said what would help", async (test) => {
    const space = await openNamespace();
    test.after(() => space.close());
    space.run("iptables-legacy -A INPUT -j DROP");
    space.run("ip6tables-legacy -A INPUT -j DROP");
    space.run("nft add table inet own");
    // Loads the native library, which the other user may not be able to reach.
    assert.equal((await space.read()).texts.length, 3);
    await space.ask("become-nobody");
    const reading = await space.read();
    assert.deepEqual(shown(reading), ALL_UNKNOWN);
    for (const { problem } of reading.unknown) {
      assert.equal(problem.code, "not-permitted");
      assert.match(problem.detail, /CAP_(?:NET_ADMIN|DAC_READ_SEARCH) allows it$/);
    }
    const other = await space.ask("read-without-library");
    assert.deepEqual(other.reading?.texts, []);
    assert.ok(other.reading?.unknown.some(({ backend }) => backend === "nftables"));
  });

  it("root without capabilities knows as little", async (test) => {
    const space = await openNamespace(["setpriv", "--bounding-set=-all"]);
    test.after(() => space.close());
    space.run("iptables-legacy -A INPUT -j DROP");
    const reading = await space.read();
    assert.deepEqual(reading.texts, []);
    assert.deepEqual(shown(reading), ["iptables-legacy ip?", "nftables all?"]);
    assert.match(reading.unknown[0]?.problem.detail ?? "", /CAP_NET_RAW/);
  });

  it("CAP_NET_ADMIN alone is enough for nftables", async (test) => {
    const space = await openNamespace(["setpriv", "--bounding-set=-all,+net_admin"]);
    test.after(() => space.close());
    space.run("iptables-nft -A INPUT -i lo -j ACCEPT");
    space.run("nft add table inet own");
    space.run("iptables-legacy -A INPUT -j DROP");
    const reading = await space.read();
    const expected = ["iptables-nft ip", "nftables all", "iptables-legacy ip?"];
    assert.deepEqual(shown(reading), expected);
  });
});
