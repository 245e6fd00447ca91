/**
 * `npm run bench [NAME…]`: runs benchmarks beside their peers.
 *
 * Without names the results go to docs/benchmarks; with names only with `--record`, which replaces their
 * sections, or with `--out FOLDER`, which writes there instead.
 */
import { parseArgs } from "node:util";
import {
  type Benchmark,
  type Figure,
  isMeasurement,
  machineFacts,
  ROOT,
  type RunOptions,
} from "./benchmark.ts";
import { BENCHMARKS } from "./catalogue.ts";
import { formatLimit, formatSpread, formatValue } from "./report/format.ts";
import { mergeResults, readResults, type Section } from "./report/results.ts";
import { writeResults } from "./report/write-results.ts";

const FOLDER = `${ROOT}docs/benchmarks/`;
const USAGE = `npm run bench -- [NAME…] [--quick] [--out FOLDER | --record] [--remark TEXT] [--load-minutes N] [--charts]
  NAME         ${BENCHMARKS.map(({ name }) => name).join(", ")}
  --quick      fewer repetitions and smaller sizes
  --out        writes results.md, results.json and charts there
  --record     with names: replaces their sections of docs/benchmarks
  --remark     a sentence for the reader, such as "on a busy machine"
  --load-minutes  length of the footprint's accelerated load; 60 in a full run, 1 in a quick one
  --charts     measures nothing; writes the page and the charts anew from results.json`;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const { values: flags, positionals: names } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      out: { type: "string" },
      record: { type: "boolean", default: false },
      remark: { type: "string" },
      "load-minutes": { type: "string" },
      charts: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const order = BENCHMARKS.map(({ name }) => name);
  const unknown = names.filter((name) => !order.includes(name));
  if (flags.help || unknown.length > 0) {
    say(unknown.length > 0 ? `no benchmark ${unknown.join(", ")}\n${USAGE}` : USAGE);
    process.exitCode = unknown.length > 0 ? 2 : 0;
    return;
  }
  const folder = flags.out ?? FOLDER;
  if (flags.charts) {
    writeResults(folder, readResults(`${folder}/results.json`));
    return;
  }
  const isWritten = flags.out !== undefined || flags.record || (names.length === 0 && !flags.quick);
  const minutes = Number(flags["load-minutes"]);
  const options: RunOptions = {
    mode: flags.quick ? "quick" : "full",
    ...(minutes > 0 ? { loadMinutes: minutes } : {}),
  };
  const wanted = BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name));
  say(machineFacts().join(" · "));
  for (const benchmark of wanted) {
    const section = await measure(benchmark, options, flags.remark).catch((error: unknown) => {
      // The others may still tell something.
      say(`  FAILED: ${error instanceof Error ? error.stack : String(error)}`);
      process.exitCode = 1;
    });
    if (!isWritten || section === undefined) continue;
    // After each one: hours of measuring are not lost with the last of them.
    const recorded = readResults(`${folder}/results.json`);
    writeResults(folder, mergeResults(recorded, [section], order));
  }
  if (!isWritten) say("\nnothing written: --record or --out FOLDER does");
}

async function measure(
  { name, question, charts = [], run }: Benchmark,
  options: RunOptions,
  remark: string | undefined,
): Promise<Section> {
  say(`\n${name}: ${question}`);
  const figures = await run((line) => say(`  … ${line}`), options);
  for (const figure of figures) say(`  ${lineOf(figure)}`);
  return {
    name,
    question,
    facts: machineFacts(),
    date: new Date().toISOString().slice(0, 10),
    mode: options.mode,
    ...(remark === undefined ? {} : { remark }),
    charts,
    figures,
  };
}

function lineOf(figure: Figure): string {
  if (!isMeasurement(figure)) {
    return `${figure.what.padEnd(58)} ${figure.value.padEnd(16)} ${figure.how}`;
  }
  const value = formatValue(figure.median, figure.unit).padEnd(16);
  const limit = formatLimit(figure);
  return `${figure.name.padEnd(58)} ${value} ${formatSpread(figure)}${limit === undefined ? "" : `   ${limit}`}`;
}

await main();
