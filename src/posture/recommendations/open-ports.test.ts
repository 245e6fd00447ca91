import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { facts, nftRules, savedRules, unreadable } from "../../../test/posture/firewall-texts.ts";
import { assertSound } from "../../../test/posture/sound-verdict.ts";
import type { SocketFacts } from "../../contract/probe.ts";
import type { HostNetwork } from "../exposure/query.ts";
import { type AllowedPort, isAllowed, parseAllowedPort } from "./allowed-ports.ts";
import type { ListeningSocket } from "./listening-socket.ts";
import { judgeOpenPorts, type OpenPortsInput } from "./open-ports.ts";
import { exposeSockets } from "./socket-exposure.ts";

const HOST: HostNetwork = {
  addresses: [
    { interface: "lo", address: "127.0.0.1", prefixLength: 8 },
    { interface: "lo", address: "::1", prefixLength: 128 },
    { interface: "eth0", address: "192.0.2.7", prefixLength: 24 },
    { interface: "eth0", address: "fe80::7", prefixLength: 64 },
    { interface: "eth1", address: "198.51.100.7", prefixLength: 24 },
    { interface: "docker0", address: "172.17.0.1", prefixLength: 16 },
    { interface: "br-0123456789ab", address: "172.18.0.1", prefixLength: 16 },
  ],
  routes: [],
};

/** `tcp 0.0.0.0 22` as a socket that waits. */
function socket(text: string, more: Partial<ListeningSocket> = {}): ListeningSocket {
  const [protocol, localAddress = "", port] = text.split(" ");
  const isTcp = protocol === "tcp";
  const socket: SocketFacts = {
    protocol: isTcp ? "tcp" : "udp",
    family: localAddress.includes(":") ? "ipv6" : "ipv4",
    state: isTcp ? 10 : 7,
    localAddress,
    localPort: Number(port),
    remoteAddress: localAddress.includes(":") ? "::" : "0.0.0.0",
    remotePort: 0,
    userId: 0,
    inode: 1,
    interfaceIndex: 0,
  };
  return { socket, ...more };
}
const input = (...lines: readonly string[]) =>
  savedRules(["*filter", ":INPUT DROP [0:0]", ...lines, "COMMIT", ""].join("\n"));
const SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT";
const SIX = savedRules("*filter\n:INPUT DROP [0:0]\nCOMMIT\n", "iptables-nft", "ip6");

function judge(change: Partial<OpenPortsInput>) {
  const verdict = judgeOpenPorts({
    sockets: { list: [] },
    firewall: facts([]),
    host: HOST,
    allowed: [],
    ...change,
  });
  assertSound(verdict);
  return verdict;
}
const allow = (text: string): AllowedPort => {
  const parsed = parseAllowedPort(text);
  return parsed.ok ? parsed.value : assert.fail(parsed.problem.detail);
};

type Row = readonly [
  name: string,
  socket: ListeningSocket,
  texts: Parameters<typeof facts>[0],
  exposure: string,
  interfaces?: string,
];

const ROWS: readonly Row[] = [
  ["no firewall", socket("tcp 0.0.0.0 22"), [], "reachable", "eth0,eth1"],
  ["UDP without a firewall", socket("udp 0.0.0.0 68"), [], "reachable", "eth0,eth1"],
  ["loopback", socket("tcp 127.0.0.1 631"), [], "loopback"],
  ["another loopback address", socket("udp 127.0.0.53 53"), [], "loopback"],
  ["loopback of IPv6", socket("tcp ::1 631"), [], "loopback"],
  ["mapped loopback", socket("tcp ::ffff:127.0.0.1 80"), [], "loopback"],
  ["interface lo", socket("tcp 0.0.0.0 80", { interfaceName: "lo" }), [], "loopback"],
  ["the bridge of docker", socket("tcp 172.17.0.1 80"), [], "container", "docker0"],
  ["a bridge of a docker network", socket("tcp 172.18.0.1 80"), [], "container", "br-0123456789ab"],
  ["one address of the device", socket("tcp 192.0.2.7 80"), [], "reachable"],
  ["a link address", socket("udp fe80::7 546"), [], "reachable", "eth0"],
  ["dropped by policy", socket("tcp 0.0.0.0 23"), [input(SSH)], "blocked"],
  ["let in by a rule", socket("tcp 0.0.0.0 22"), [input(SSH)], "reachable", "eth0,eth1"],
  [
    "let in on one interface",
    socket("tcp 0.0.0.0 22"),
    [input("-A INPUT -i eth1 -j ACCEPT")],
    "reachable",
    "eth1",
  ],
  [
    "let in from containers alone",
    socket("tcp 0.0.0.0 22"),
    [input("-A INPUT -i docker0 -j ACCEPT")],
    "container",
    "docker0",
  ],
  [
    "let in from loopback alone",
    socket("tcp 0.0.0.0 22"),
    [input("-A INPUT -s 127.0.0.0/8 -j ACCEPT")],
    "blocked",
  ],
  [
    "let in from the device itself alone",
    socket("tcp 0.0.0.0 22"),
    [input("-A INPUT -s 192.0.2.7/32 -j ACCEPT")],
    "blocked",
  ],
  [
    "let in at a rate",
    socket("tcp 0.0.0.0 22"),
    [input("-A INPUT -m limit --limit 1/s -j ACCEPT")],
    "unknown",
    "eth0,eth1",
  ],
  ["both families, IPv4 open", socket("tcp :: 22"), [SIX], "reachable", "eth0,eth1"],
  ["IPv6 alone, dropped", socket("tcp :: 22", { isIpv6Only: true }), [SIX], "blocked"],
  ["both families dropped", socket("tcp :: 22"), [SIX, input()], "blocked"],
  [
    "nftables",
    socket("tcp 0.0.0.0 22"),
    [nftRules([{ hook: "input", policy: "drop", rules: ["ip saddr 10.0.0.0/8 accept"] }])],
    "reachable",
  ],
];

describe("the exposure of a socket", () => {
  for (const [name, listener, texts, exposure, interfaces] of ROWS) {
    it(`is ${exposure}: ${name}`, () => {
      const verdict = judge({ sockets: { list: [listener] }, firewall: facts(texts) });
      const [record] = verdict.evidence;
      assert.equal(record?.["exposure"], exposure);
      if (interfaces !== undefined) assert.equal(record?.["interfaces"], interfaces);
      const states: Readonly<Record<string, string>> = {
        reachable: "unhealthy",
        unknown: "unknown",
      };
      assert.equal(verdict.state, states[exposure] ?? "healthy");
    });
  }

  it("says from where, and by which rule", () => {
    const rule = "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT";
    const process = {
      processId: 7,
      name: "sshd",
      executable: "/usr/sbin/sshd",
      unit: "ssh.service",
    };
    const list = [socket("tcp 0.0.0.0 22", { process })];
    assert.deepEqual(judge({ sockets: { list }, firewall: facts([input(rule)]) }).evidence, [
      {
        protocol: "tcp",
        address: "0.0.0.0",
        port: "22",
        exposure: "reachable",
        interfaces: "eth0,eth1",
        sources: "10.0.0.0/8",
        rule: `INPUT: ${rule}`,
        process: "sshd",
        executable: "/usr/sbin/sshd",
        pid: "7",
        unit: "ssh.service",
      },
    ]);
    const [open] = judge({ sockets: { list: [socket("tcp :: 80")] } }).evidence;
    assert.equal(open?.["sources"], "any");
    assert.equal(open["reason"], "no rule of a firewall speaks of it");
  });

  it("does not count a socket of IPv6 beside one of IPv4 as serving both", () => {
    const list = [socket("tcp 0.0.0.0 80"), socket("tcp :: 80")];
    const exposures = exposeSockets({ sockets: list, firewall: facts([SIX]).firewall, host: HOST });
    assert.deepEqual(
      exposures.map(({ kind }) => kind),
      ["reachable", "blocked"],
    );
  });

  it("asks the interface that a socket is bound to, and no other", () => {
    const bound = { ...socket("tcp 0.0.0.0 22").socket, interfaceIndex: 2 };
    const rules = facts([input("-A INPUT -i eth1 -j ACCEPT")]);
    const kindAt = (interfaceName: string) =>
      exposeSockets({
        sockets: [{ socket: bound, interfaceName }],
        firewall: rules.firewall,
        host: HOST,
      })[0]?.kind;
    assert.equal(kindAt("eth0"), "blocked");
    assert.equal(kindAt("eth1"), "reachable");
  });

  it("follows NAT to a container, and names the port of each socket that shares an answer", () => {
    const nat = savedRules(
      "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 8000:8999 -j DNAT --to-destination 172.17.0.2\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.3:8080\nCOMMIT\n",
    );
    const list = [socket("tcp 0.0.0.0 80"), socket("tcp 0.0.0.0 8001"), socket("tcp 0.0.0.0 8002")];
    const exposures = exposeSockets({ sockets: list, firewall: facts([nat]).firewall, host: HOST });
    assert.deepEqual(
      exposures.map(({ arrivesAt }) => arrivesAt),
      ["172.17.0.3 port 8080", "172.17.0.2 port 8001", "172.17.0.2 port 8002"],
    );
  });

  it("is the device's own where no interface but loopback has an address", () => {
    const host = { addresses: HOST.addresses.slice(0, 2), routes: [] };
    assert.equal(judge({ sockets: { list: [socket("tcp 0.0.0.0 22")] }, host }).state, "healthy");
  });
});

describe("IoT_OpenPorts", () => {
  const list = [socket("tcp 0.0.0.0 22"), socket("tcp 127.0.0.1 25")];

  it("is healthy when all that is open is allowed", () => {
    const { state, evidence } = judge({ sockets: { list }, allowed: [allow("tcp/22")] });
    assert.equal(state, "healthy");
    assert.equal(evidence[0]?.["isAllowed"], "true");
  });

  it("counts what is open, and lists it before the rest", () => {
    const verdict = judge({ sockets: { list: [...list, socket("udp 0.0.0.0 68")] } });
    assert.equal(verdict.count, 2);
    assert.deepEqual(
      verdict.evidence.map((record) => record["port"]),
      ["22", "68", "25"],
    );
  });

  it("names one of several sockets that share a port", () => {
    const shared = [
      list[0] ?? socket("tcp ::1 1"),
      socket("tcp 0.0.0.0 22", { process: { name: "sshd" } }),
    ];
    const verdict = judge({ sockets: { list: shared } });
    assert.equal(verdict.count, 1);
    assert.equal(verdict.evidence[0]?.["process"], "sshd");
  });

  it("leaves out what does not wait for strangers", () => {
    const connected = { ...socket("udp 0.0.0.0 5000").socket, remotePort: 53, state: 1 };
    const closing = { ...socket("tcp 0.0.0.0 22").socket, state: 6 };
    assert.equal(
      judge({ sockets: { list: [{ socket: connected }, { socket: closing }] } }).state,
      "healthy",
    );
  });

  it("is unknown with what is missing", () => {
    assert.match(judge({ sockets: undefined }).missing[0] ?? "", /sockets/);
    const unread = judge({ sockets: { list }, firewall: undefined });
    assert.equal(unread.state, "unknown");
    assert.match(unread.missing[0] ?? "", /firewall/);
    const cut = judge({ sockets: { list }, firewall: facts([], [unreadable()]) });
    assert.equal(cut.state, "unknown");
    assert.match(cut.missing[0] ?? "", /iptables-legacy/);
    const problem = { code: "malformed", subject: "/proc/net/tcp", detail: "line 3" } as const;
    assert.equal(judge({ sockets: { list: [], problems: [problem] } }).state, "unknown");
  });

  it("is healthy in spite of an unread backend where what is read drops all", () => {
    const firewall = facts([input()], [unreadable()]);
    assert.equal(judge({ sockets: { list }, firewall }).state, "healthy");
  });

  it("asks without an interface where the device's addresses are not known", () => {
    const without = (text: string) =>
      judge({ sockets: { list }, host: undefined, firewall: facts([input(text)]) });
    assert.equal(without(SSH).state, "unhealthy");
    const unsure = without("-A INPUT -i eth0 -j ACCEPT");
    assert.equal(unsure.state, "unknown");
    assert.ok(unsure.missing.includes("the addresses of the device"));
  });
});

describe("the list of allowed ports", () => {
  const nginx = { process: { name: "nginx", executable: "/usr/sbin/nginx" } };
  const rows: readonly (readonly [string, ListeningSocket, boolean])[] = [
    ["22", socket("tcp 0.0.0.0 22"), true],
    ["22", socket("udp :: 22"), true],
    ["tcp/22", socket("udp :: 22"), false],
    ["udp/32768-60999", socket("udp 0.0.0.0 40000"), true],
    ["udp/32768-60999", socket("udp 0.0.0.0 61000"), false],
    ["tcp/22@192.0.2.0/24", socket("tcp 192.0.2.7 22"), true],
    ["tcp/22@192.0.2.0/24", socket("tcp 0.0.0.0 22"), false],
    ["tcp/22@fe80::/10", socket("tcp fe80::7 22"), true],
    ["tcp/80 nginx", socket("tcp :: 80", nginx), true],
    ["tcp/80 /usr/sbin/nginx", socket("tcp :: 80", nginx), true],
    ["tcp/80 /usr/sbin/other", socket("tcp :: 80", nginx), false],
    ["tcp/80 nginx", socket("tcp :: 80"), false],
  ];
  for (const [text, listener, expected] of rows) {
    it(`"${text}" ${expected ? "allows" : "does not allow"} ${listener.socket.protocol} ${listener.socket.localAddress} ${listener.socket.localPort}`, () => {
      assert.equal(isAllowed(listener, [allow(text)]), expected);
    });
  }

  it("refuses what is not of its form", () => {
    for (const text of [
      "",
      "ssh",
      "0",
      "70000",
      "30-20",
      "tcp/22@300.0.0.1",
      "tcp/22@10.0.0.1/33",
      "icmp/1",
      "1".repeat(600),
    ])
      assert.equal(parseAllowedPort(text).ok, false, text);
  });
});
