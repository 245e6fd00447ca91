import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firewallOf } from "../src/parse/firewall/firewall-of.ts";
import { letsIn } from "../src/posture/exposure/lets-in.ts";
import type { Benchmark, Figure, Measurement } from "./benchmark.ts";
import { ruleSet } from "./collectors.ts";
import { absolute, growth, ratio, skipped } from "./figures.ts";

const RULES = [100, 1_000, 10_000];
const REPETITIONS = 7;
/** Large enough to be told well, and measured in a short run too. */
const CHECKED_RULES = 1_000;
const LINES = {
  saving: "iptables-nft-save -c, whole process",
  listing: "nft -j list ruleset, whole process",
  parsingText: "our parser, iptables-save text",
  parsingJson: "our parser, nft JSON",
  asking: "one question: who reaches tcp 22",
} as const;
const NAMESPACE = `gwbench${process.pid}`;
const RIVAL = "@wkronmiller/iptables-parser";

/** FirewallConfiguration against the tools that print rules, and against the one parser on npm. */
export const firewall: Benchmark = {
  name: "firewall",
  question: "How long does it take to read, and to judge, a firewall?",
  hasChecks: true,
  charts: [
    {
      ...{ id: "firewall-time", title: "Reading and judging a firewall", kind: "curves" },
      ...{ xLabel: "rules", yLabel: "time, median and range" },
    },
  ],
  async run(progress, { mode }) {
    if (spawnSync("ip", ["netns", "add", NAMESPACE]).status !== 0) {
      return skipped("needs root and ip netns");
    }
    const rival = mode === "full" ? installRival(progress) : undefined;
    try {
      const figures: Figure[] = [];
      for (const count of mode === "full" ? RULES : RULES.slice(0, 2)) {
        progress(`${count} rules`);
        figures.push(...compare(count, rival?.parse));
      }
      return [...figures, ...growths(figures)];
    } finally {
      spawnSync("ip", ["netns", "delete", NAMESPACE]);
      if (rival !== undefined) rmSync(rival.folder, { recursive: true, force: true });
    }
  },
};

function inNamespace(program: string, args: readonly string[], input = ""): string {
  return execFileSync("ip", ["netns", "exec", NAMESPACE, program, ...args], {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

function time(run: () => void): readonly number[] {
  run();
  return Array.from({ length: REPETITIONS }, () => {
    const startMs = performance.now();
    run();
    return performance.now() - startMs;
  });
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
  const figure = (line: string, values: readonly number[]): Measurement =>
    absolute({
      ...{ name: `${count} rules: ${line}`, unit: "ms", values, command: line },
      point: { chart: "firewall-time", line, x: count },
    });
  const saving = time(() => inNamespace("iptables-nft-save", ["-c"]));
  const listing = time(() => inNamespace("nft", ["-j", "list", "ruleset"]));
  const parsingText = time(() => firewallOf(reading("iptables-nft", text)));
  const parsingJson = time(() => firewallOf(reading("nftables", json)));
  const asking = time(() =>
    letsIn(rules, {
      protocol: "tcp",
      port: 22,
      destinations: ["192.0.2.1"],
      interface: "eth0",
      sources: { family: "ipv4", ranges: [{ from: 0n, to: 0xffffffffn }] },
      host: { addresses: [], routes: [] },
    }),
  );
  const rivals =
    rival === undefined
      ? []
      : [
          figure(
            RIVAL,
            time(() => rival(ruleSet(count))),
          ),
        ];
  return [
    ratio({
      name: `${count} rules: our parser of nft JSON / nft -j list ruleset`,
      command: "firewallOf; nft -j list ruleset, whole process",
      better: "lower",
      of: parsingJson,
      to: listing,
      isChecked: count === CHECKED_RULES,
    }),
    figure(LINES.saving, saving),
    figure(LINES.listing, listing),
    figure(LINES.parsingText, parsingText),
    figure(LINES.parsingJson, parsingJson),
    figure(LINES.asking, asking),
    ...rivals,
  ];
}

function growths(figures: readonly Figure[]): readonly Figure[] {
  return [LINES.parsingText, LINES.parsingJson, LINES.asking].flatMap((line) => {
    const points = figures.flatMap((figure) =>
      "point" in figure && figure.point?.line === line
        ? [{ size: figure.point.x, value: figure.median }]
        : [],
    );
    return growth(`rules, ${line}`, line, points);
  });
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
