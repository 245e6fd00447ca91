import { fileURLToPath } from "node:url";
import type { Benchmark, ChartPlan, Figure } from "./benchmark.ts";
import { type CurvePlan, measureCurve } from "./collectors/curve.ts";
import { skipped } from "./figures.ts";
import { bundleDriver } from "./support/bundle-driver.ts";
import { type HeldNamespace, holdNamespace, whyNoNamespaces } from "./support/namespace.ts";

const HOLDER = fileURLToPath(new URL("support/holder.pl", import.meta.url));
const SOCKETS_PER_PROCESS = 10;
const SOCKETS_BESIDE_PROCESSES = 100;
const START = ["/bin/true"];

function hold(sockets: number, processes: number): Promise<HeldNamespace> {
  return holdNamespace(["perl", HOLDER, String(sockets), String(processes)]);
}

/** The rules of the firewall benchmark: a source, a port, a state and a comment each. */
export function ruleSet(count: number): string {
  const rules = Array.from({ length: count }, (_, at) => {
    const source = `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}/32`;
    const port = (at % 60_000) + 1;
    return `-A INPUT -s ${source} -p tcp -m conntrack --ctstate NEW -m tcp --dport ${port} -m comment --comment "rule ${at}" -j ACCEPT`;
  });
  return ["*filter", ":INPUT DROP [0:0]", ...rules, "COMMIT", ""].join("\n");
}

const PLANS: readonly CurvePlan[] = [
  {
    what: "sockets",
    collector: "listeningPorts",
    settings: {},
    peers: [
      ["ss", "-lntup"],
      ["lsof", "-nP", "-i"],
      ["systeminformation.networkConnections()"],
      START,
    ],
    rival: "ss -lntup",
    warmLimit: 5,
    coldLimit: 1,
    hold: (sockets) => hold(sockets, Math.max(1, sockets / SOCKETS_PER_PROCESS)),
  },
  {
    what: "processes",
    collector: "listeningPorts",
    settings: {},
    peers: [["ss", "-lntup"], ["ps", "-ef"], ["systeminformation.processes()"], START],
    rival: "ss -lntup",
    warmLimit: 5,
    coldLimit: 1,
    hold: (processes) => hold(SOCKETS_BESIDE_PROCESSES, processes),
  },
  {
    what: "rules",
    collector: "firewall",
    settings: { maxRules: 100_000 },
    peers: [["iptables-save"], ["nft", "-j", "list", "ruleset"], START],
    rival: "iptables-save",
    async hold(rules) {
      const space = await hold(10, 1);
      space.run(["iptables-restore"], ruleSet(rules));
      return space;
    },
  },
];

const TITLES: Readonly<Record<string, string>> = {
  sockets: "A snapshot of listening sockets with their processes",
  processes: "A snapshot of 100 listening sockets beside more and more processes",
  rules: "A snapshot of the firewall",
};

function chartsOf({ what }: CurvePlan): readonly ChartPlan[] {
  const title = TITLES[what] ?? what;
  return [
    { id: `${what}-time`, title, kind: "curves", xLabel: what, yLabel: "time, median and range" },
    {
      ...{ id: `${what}-cpu`, title: `${title}: processor time`, kind: "curves", xLabel: what },
      yLabel: "CPU time, children included",
    },
  ];
}

/** Collectors at four sizes against what people run instead, in namespaces made for it. */
export const collectors: Benchmark = {
  name: "collectors",
  question: "What does a snapshot cost, and how does that grow with sockets, processes and rules?",
  charts: PLANS.flatMap(chartsOf),
  hasChecks: true,
  async run(progress, { mode }) {
    const reason = whyNoNamespaces();
    if (reason !== undefined) return skipped(reason);
    const driver = await bundleDriver("collectors/driver.ts");
    const figures: Figure[] = [];
    for (const plan of PLANS) figures.push(...(await measureCurve(plan, driver, mode, progress)));
    return figures;
  },
};
