/** `npm run bench [NAME…]`: runs benchmarks and writes docs/benchmarks/results.{md,json}. */
import { writeFileSync } from "node:fs";
import { baseline } from "./baseline.ts";
import { type Benchmark, type Figure, machineFacts, ROOT } from "./benchmark.ts";
import { firewall } from "./firewall.ts";
import { footprint } from "./footprint.ts";
import { listeningPorts } from "./listening-ports.ts";
import { liveEvents } from "./live-events.ts";
import { memory } from "./memory.ts";
import { packing } from "./packing.ts";
import { posture } from "./posture.ts";
import { spool } from "./spool.ts";

const BENCHMARKS: readonly Benchmark[] = [
  packing,
  memory,
  spool,
  listeningPorts,
  firewall,
  baseline,
  posture,
  footprint,
  liveEvents,
];

interface Section {
  readonly name: string;
  readonly question: string;
  readonly figures: readonly Figure[];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !BENCHMARKS.some((known) => known.name === name));
  if (unknown.length > 0) {
    say(
      `no benchmark ${unknown.join(", ")}; there are ${BENCHMARKS.map((b) => b.name).join(", ")}`,
    );
    process.exitCode = 2;
    return;
  }
  const facts = machineFacts();
  say(facts.join(" · "));
  const sections: Section[] = [];
  for (const benchmark of BENCHMARKS) {
    if (wanted.length > 0 && !wanted.includes(benchmark.name)) continue;
    say(`\n${benchmark.name}: ${benchmark.question}`);
    const figures = await benchmark.run((line) => say(`  … ${line}`));
    for (const { what, value, how } of figures)
      say(`  ${what.padEnd(44)} ${value.padEnd(18)} ${how}`);
    sections.push({ name: benchmark.name, question: benchmark.question, figures });
  }
  if (wanted.length > 0) return;
  const folder = `${ROOT}docs/benchmarks/`;
  writeFileSync(`${folder}results.json`, `${JSON.stringify({ facts, sections }, null, 2)}\n`);
  writeFileSync(`${folder}results.md`, markdown(facts, sections));
}

function markdown(facts: readonly string[], sections: readonly Section[]): string {
  const blocks = sections.map(({ name, question, figures }) => {
    const rows = figures.map(({ what, value, how }) => `| ${what} | ${value} | ${how} |`);
    return [
      `## ${name}`,
      "",
      question,
      "",
      "| figure | value | how |",
      "|---|---|---|",
      ...rows,
    ].join("\n");
  });
  return [
    "# Benchmark results",
    "",
    `${facts.join(" · ")}. Written by \`npm run bench\`.`,
    "",
    ...blocks,
    "",
  ]
    .join("\n\n")
    .replace(/\n{3,}/g, "\n\n");
}

await main();
