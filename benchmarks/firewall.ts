import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firewallOf } from "../src/parse/firewall/firewall-of.ts";
import { letsIn } from "../src/posture/exposure/lets-in.ts";
import { type Benchmark, type Figure, spread } from "./benchmark.ts";

const RULES = [100, 1_000, 10_000];
const REPETITIONS = 7;
const NAMESPACE = `gwbench${process.pid}`;
const RIVAL = "@wkronmiller/iptables-parser";

/** FirewallConfiguration against the tools that print rules, and against the one parser on npm. */
export const firewall: Benchmark = {
  name: "firewall",
  question: "How long does it take to read, and to judge, a firewall?",
  async run(progress) {
    if (spawnSync("ip", ["netns", "add", NAMESPACE]).status !== 0) {
      return [{ what: "skipped", value: "-", how: "needs root and ip netns" }];
    }
    const rival = installRival(progress);
    try {
      const figures: Figure[] = [];
      for (const count of RULES) {
        progress(`${count} rules`);
        figures.push(...compare(count, rival?.parse));
      }
      return figures;
    } finally {
      spawnSync("ip", ["netns", "delete", NAMESPACE]);
      if (rival !== undefined) rmSync(rival.folder, { recursive: true, force: true });
    }
  },
};

function ruleSet(count: number): string {
  const rules = Array.from({ length: count }, (_, at) => {
    const source = `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}/32`;
    const port = (at % 60_000) + 1;
    return `-A INPUT -s ${source} -p tcp -m conntrack --ctstate NEW -m tcp --dport ${port} -m comment --comment "rule ${at}" -j ACCEPT`;
  });
  return ["*filter", ":INPUT DROP [0:0]", ...rules, "COMMIT", ""].join("\n");
}

function inNamespace(program: string, args: readonly string[], input = ""): string {
  return execFileSync("ip", ["netns", "exec", NAMESPACE, program, ...args], {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

function time(repetitions: number, run: () => void): string {
  const times = Array.from({ length: repetitions }, () => {
    const startMs = performance.now();
    run();
    return performance.now() - startMs;
  });
  const { median, low, high } = spread(times);
  return `${median.toFixed(1)} ms (${low.toFixed(1)}-${high.toFixed(1)})`;
}

type RivalParse = (text: string) => unknown;

function compare(count: number, rival: RivalParse | undefined): readonly Figure[] {
  inNamespace("iptables-nft-restore", [], ruleSet(count));
  const text = inNamespace("iptables-nft-save", ["-c"]);
  const json = inNamespace("nft", ["-j", "list", "ruleset"]);
  const reading = (backend: "iptables-nft" | "nftables", body: string) => ({
    texts: [
      {
        backend,
        family: backend === "nftables" ? ("all" as const) : ("ip" as const),
        text: body,
        isCut: false,
      },
    ],
    unknown: [],
    problems: [],
  });
  const { firewall: rules } = firewallOf(reading("iptables-nft", text));
  const how = `${count} rules, median of ${REPETITIONS} (lowest-highest)`;
  const figure = (what: string, run: () => void): Figure => ({
    what: `${count} rules: ${what}`,
    value: time(REPETITIONS, run),
    how,
  });
  return [
    figure("iptables-nft-save, whole process", () => inNamespace("iptables-nft-save", ["-c"])),
    figure("nft -j list ruleset, whole process", () =>
      inNamespace("nft", ["-j", "list", "ruleset"]),
    ),
    figure("our parser, iptables-save text", () => firewallOf(reading("iptables-nft", text))),
    figure("our parser, nft JSON", () => firewallOf(reading("nftables", json))),
    figure("one question: who reaches tcp 22", () =>
      letsIn(rules, {
        protocol: "tcp",
        port: 22,
        destinations: ["192.0.2.1"],
        interface: "eth0",
        sources: { family: "ipv4", ranges: [{ from: 0n, to: 0xffffffffn }] },
        host: { addresses: [], routes: [] },
      }),
    ),
    ...(rival === undefined
      ? []
      : [figure(`${RIVAL} (text without counters)`, () => rival(ruleSet(count)))]),
  ];
}

/** Fetched into a folder of its own for the run; without a registry the comparison is left out. */
function installRival(
  progress: (line: string) => void,
): { readonly parse: RivalParse; readonly folder: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-rival-"));
  const args = [
    "install",
    "--prefix",
    folder,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    RIVAL,
  ];
  const installed = spawnSync("npm", args, { encoding: "utf8", timeout: 60_000 });
  const load = createRequire(join(folder, "index.js"));
  if (installed.status !== 0 || !existsSync(join(folder, "node_modules", RIVAL))) {
    progress(`${RIVAL} is not to be had, left out`);
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
  const { parseIptablesDoc: parse }: { readonly parseIptablesDoc?: RivalParse } = load(RIVAL);
  if (parse !== undefined) return { parse, folder };
  progress(`${RIVAL} has no parser of that name, left out`);
  return undefined;
}
