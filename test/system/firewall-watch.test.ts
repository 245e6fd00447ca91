/** Changes of the kernel's rules are told, and counters are no change. Namespaces run side by side. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type Namespace, openNamespace, reasonToSkip } from "./firewall-namespace.ts";

const skip = reasonToSkip();
/** Legacy tables are compared every three seconds, and a change is told a second later. */
const SOON_MS = 5_000;

async function watched(test: TestContext, commands: readonly string[]): Promise<Namespace> {
  const space = await openNamespace();
  test.after(() => space.close());
  space.run("ip link set lo up");
  for (const command of commands) space.run(command);
  assert.deepEqual(await space.ask("watch"), { isWatching: true });
  return space;
}

describe("a watch on the firewall", { skip, concurrency: true }, () => {
  it("tells of rules that iptables-nft and nft add and remove", async (test) => {
    const space = await watched(test, ["nft add table inet own", "nft add chain inet own one"]);
    const commands = [
      "iptables-nft -A INPUT -p tcp --dport 22 -j ACCEPT",
      "ip6tables-nft -A INPUT -j DROP",
      "nft add rule inet own one counter drop",
      "nft flush chain inet own one",
      "iptables-nft -P INPUT DROP",
    ];
    for (const command of commands) {
      space.run(command);
      assert.ok((await space.change(SOON_MS)) !== undefined, command);
    }
  });

  it("tells of a rule that iptables-legacy adds", async (test) => {
    const space = await watched(test, ["iptables-legacy -A INPUT -s 10.1.1.1 -j DROP"]);
    space.run("iptables-legacy -R INPUT 1 -s 10.1.1.2 -j DROP");
    assert.ok((await space.change(SOON_MS)) !== undefined);
  });

  it("tells of a rule that ip6tables-legacy adds", async (test) => {
    const space = await watched(test, ["ip6tables-legacy -A INPUT -i lo -j ACCEPT"]);
    space.run("ip6tables-legacy -A INPUT -s 2001:db8::1 -j DROP");
    assert.ok((await space.change(SOON_MS)) !== undefined);
  });

  it("is silent while packets are counted", async (test) => {
    const space = await watched(test, [
      "iptables-legacy -A INPUT -m limit --limit 3/min -j ACCEPT",
      "ip6tables-legacy -A INPUT -j ACCEPT",
      "iptables-nft -A INPUT -i lo",
      "nft add table inet own",
      "nft add set inet own seen {type ipv4_addr; flags dynamic; timeout 2s;}",
      "nft add chain inet own in {type filter hook input priority 0;}",
      "nft add rule inet own in counter update @seen {ip saddr}",
    ]);
    const before = space.run("iptables-legacy-save -c");
    await space.ask("send-packets");
    // Two comparisons, and the end of an element that a packet added.
    assert.equal(await space.change(7_000), undefined);
    assert.notEqual(space.run("iptables-legacy-save -c").replace(/^#.*$/gm, ""), before);
    assert.match(space.run("nft list ruleset"), /counter packets [1-9]/);
    space.run("nft add table inet other");
    assert.ok((await space.change(SOON_MS)) !== undefined, "it was not silent for want of ears");
  });

  it("is silent after it was stopped", async (test) => {
    const space = await watched(test, []);
    assert.deepEqual(await space.ask("stop"), { isWatching: false });
    space.run("nft add table inet own");
    assert.equal(await space.change(2_000), undefined);
  });
});

/** Matches that keep a state of their own. A kernel without one of them does not run its part. */
const STATEFUL = [
  "-m limit --limit 3/min --limit-burst 4",
  "-m quota --quota 100000",
  "-m statistic --mode nth --every 3 --packet 1",
  "-m hashlimit --hashlimit-above 5/sec --hashlimit-name gw --hashlimit-mode srcip",
  "-m recent --name gw --set",
  "-m connlimit --connlimit-above 3",
  "-m conntrack --ctstate NEW",
];

describe("the fingerprint of a legacy table", { skip }, () => {
  it("stays the same under traffic, and differs after every edit", async (test) => {
    const space = await openNamespace();
    test.after(() => space.close());
    space.run("ip link set lo up");
    space.run("ip6tables-legacy -A INPUT -s ::1 -j ACCEPT");
    space.run("iptables-legacy -A INPUT -s 10.1.2.3 -j DROP");
    const prints = async (): Promise<readonly string[]> =>
      (await space.ask("fingerprints")).fingerprints ?? [];
    const known = STATEFUL.filter((match) => {
      try {
        space.run(`iptables-legacy -A INPUT ${match}`);
        return true;
      } catch {
        return false;
      }
    });
    test.diagnostic(`matches: ${known.join("; ")}`);
    assert.ok(known.length >= 2, "too few matches with a state");

    const [ip, ip6] = await prints();
    assert.match(`${ip}${ip6}`, /^[A-Za-z0-9+/]{43}=[A-Za-z0-9+/]{43}=$/);
    await space.ask("send-packets");
    assert.match(space.run("iptables-legacy-save -c"), /^\[[1-9]\d*:\d+\] -A INPUT -m limit/m);
    assert.deepEqual(await prints(), [ip, ip6]);
    space.run("iptables-legacy -Z");
    assert.deepEqual(await prints(), [ip, ip6]);

    const seen = new Set([ip]);
    const edits = [
      "iptables-legacy -R INPUT 1 -s 10.1.2.4 -j DROP",
      "iptables-legacy -R INPUT 1 -s 10.1.2.4 -j ACCEPT",
      "iptables-legacy -R INPUT 1 -s 10.1.2.4/31 -j ACCEPT",
      "iptables-legacy -R INPUT 1 ! -s 10.1.2.4/31 -j ACCEPT",
      "iptables-legacy -R INPUT 2 -m limit --limit 4/min --limit-burst 4",
      "iptables-legacy -P FORWARD DROP",
      "iptables-legacy -N other",
      "iptables-legacy -E other another",
      "iptables-legacy -A another -j RETURN",
    ];
    for (const edit of edits) {
      space.run(edit);
      const [now] = await prints();
      assert.ok(!seen.has(now), edit);
      seen.add(now);
    }
    assert.equal((await prints())[1], ip6);
    space.run("ip6tables-legacy -R INPUT 1 -s ::2 -j ACCEPT");
    assert.notEqual((await prints())[1], ip6);
  });
});
