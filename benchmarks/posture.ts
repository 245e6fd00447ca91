import type { SocketFacts } from "../src/contract/probe.ts";
import { firewallOf } from "../src/parse/firewall/firewall-of.ts";
import type { HostNetwork } from "../src/posture/exposure/query.ts";
import { type BaselineResult, judgeBaseline } from "../src/posture/recommendations/baseline.ts";
import type { FirewallFacts } from "../src/posture/recommendations/firewall-facts.ts";
import { judgeFirewallPolicy } from "../src/posture/recommendations/firewall-policy.ts";
import type { ListeningSocket } from "../src/posture/recommendations/listening-socket.ts";
import { judgeOpenPorts } from "../src/posture/recommendations/open-ports.ts";
import {
  judgeInputRules,
  judgeOutputRules,
} from "../src/posture/recommendations/permissive-rules.ts";
import { EMPTY_BOOK, noteVerdicts } from "../src/posture/recommendations/state-book.ts";
import { summarise } from "../src/posture/recommendations/summary.ts";
import { type Benchmark, type Figure, megabytes, spread } from "./benchmark.ts";

/** Sockets and firewall rules. The last is what a device must bear; the others show the growth. */
const SIZES = [
  [2_500, 1_250],
  [5_000, 2_500],
  [10_000, 5_000],
] as const;
const REPETITIONS = 5;
const CHECKS = 240;

/** Recommendations over more sockets and rules than any gateway has. */
export const posture: Benchmark = {
  name: "posture",
  question: "How long does it take to judge all recommendations?",
  async run(progress) {
    const figures: Figure[] = [];
    for (const [sockets, rules] of SIZES) {
      progress(`${sockets} sockets, ${rules} rules`);
      for (const kind of ["ports", "sources", "mixed"] as const)
        figures.push(...measure(sockets, rules, kind));
    }
    return figures;
  },
};

type RuleKind = "ports" | "sources" | "mixed";

/** By port: every rule tells other ports apart. By source: no rule does. Mixed: half of each. */
function ruleSet(count: number, kind: RuleKind): FirewallFacts {
  const rules = Array.from({ length: count }, (_, at) => {
    const verdict = at % 3 === 0 ? "DROP" : "ACCEPT";
    const isByPort = kind === "ports" || (kind === "mixed" && at % 2 === 0);
    const source = `-s 10.${(at >> 8) & 255}.${at & 255}.0/24`;
    const what = isByPort ? `-p tcp -m tcp --dport ${((at * 7) % 60_000) + 1}` : source;
    return `-A INPUT ${what} -j ${verdict}`;
  });
  const head = ["*filter", ":INPUT DROP [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"];
  const text = [...head, ...rules, "COMMIT", ""].join("\n");
  const texts = [{ backend: "iptables-nft", family: "ip", text, isCut: false }] as const;
  const { firewall } = firewallOf({ texts, unknown: [], problems: [] });
  return { firewall, unknown: [] };
}

function socketsOf(count: number): readonly ListeningSocket[] {
  return Array.from({ length: count }, (_, at) => {
    const socket: SocketFacts = {
      protocol: "tcp",
      family: "ipv4",
      state: 10,
      localAddress: at % 4 === 0 ? "192.0.2.7" : "0.0.0.0",
      localPort: ((at * 5) % 60_000) + 1,
      remoteAddress: "0.0.0.0",
      remotePort: 0,
      userId: 0,
      inode: at,
      interfaceIndex: 0,
    };
    return { socket, process: { processId: at, name: "server" } };
  });
}

const HOST: HostNetwork = {
  addresses: ["eth0", "eth1", "docker0"].map((name, at) => ({
    interface: name,
    address: `192.0.${at + 2}.7`,
    prefixLength: 24,
  })),
  routes: [],
};

function checks(): readonly BaselineResult[] {
  return Array.from({ length: CHECKS }, (_, at) => ({
    ruleId: `1.${at}`,
    title: `check ${at}`,
    verdict: at % 4 === 0 ? "fail" : "pass",
    severity: "Warning",
    isWaived: false,
  }));
}

function measure(socketCount: number, ruleCount: number, kind: RuleKind): readonly Figure[] {
  const list = socketsOf(socketCount);
  const firewall = ruleSet(ruleCount, kind);
  const results = checks();
  const judges = {
    IoT_OpenPorts: () => judgeOpenPorts({ sockets: { list }, firewall, host: HOST, allowed: [] }),
    IoT_PermissiveFirewallPolicy: () => judgeFirewallPolicy(firewall, HOST),
    IoT_PermissiveInputFirewallRules: () => judgeInputRules(firewall),
    IoT_PermissiveOutputFirewallRules: () => judgeOutputRules(firewall),
    IoT_Baseline: () => judgeBaseline(results),
  };
  const all = () => {
    const verdicts = Object.values(judges).map((judge) => judge());
    return summarise(noteVerdicts(EMPTY_BOOK, verdicts, 0).book);
  };
  const what = `${socketCount} sockets, ${ruleCount} rules by ${kind}`;
  const isLargest = socketCount === SIZES[SIZES.length - 1]?.[0];
  return [
    time(`${what}: all`, all),
    ...(isLargest
      ? Object.entries(judges).map(([name, run]) => time(`${what}: ${name}`, run))
      : []),
    ...(isLargest ? [heapGrowth(what, all)] : []),
  ];
}

function time(what: string, run: () => unknown): Figure {
  const times = Array.from({ length: REPETITIONS }, () => {
    const startMs = performance.now();
    run();
    return performance.now() - startMs;
  });
  const { median, low, high } = spread(times);
  return {
    what,
    value: `${median.toFixed(1)} ms`,
    how: `median of ${REPETITIONS} (${low.toFixed(1)}-${high.toFixed(1)})`,
  };
}

function heapGrowth(what: string, run: () => unknown): Figure {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const kept = run();
  const grown = Math.max(process.memoryUsage().heapUsed - before, 0);
  const size = JSON.stringify(kept).length;
  return {
    what: `${what}: heap while judging`,
    value: megabytes(grown),
    how: `${globalThis.gc === undefined ? "without" : "after"} a forced collection; the summary has ${size} bytes`,
  };
}
