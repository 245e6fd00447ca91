/**
 * `npm run bench:check [NAME…]`: measures the ratios again and names what got worse by more than 15 % since
 * they were recorded. Exit code 1 when something did, or when a recorded ratio can no longer be measured.
 */
import { type Benchmark, ROOT, type RunOptions } from "./benchmark.ts";
import { BENCHMARKS } from "./catalogue.ts";
import { bestOf, type Compared, compareRatios, TOLERANCE } from "./report/compare.ts";
import { formatValue } from "./report/format.ts";
import { readResults, type Section } from "./report/results.ts";

const REPEATS = 2;
const OPTIONS: RunOptions = { mode: "check" };

type Measured = readonly Pick<Section, "name" | "figures">[];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function measure(benchmarks: readonly Benchmark[]): Promise<Measured> {
  const sections: Pick<Section, "name" | "figures">[] = [];
  for (const { name, run } of benchmarks) {
    say(`${name} …`);
    sections.push({ name, figures: await run(() => undefined, OPTIONS) });
  }
  return sections;
}

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  const checked = BENCHMARKS.filter(
    ({ name, hasChecks }) => hasChecks === true && (names.length === 0 || names.includes(name)),
  );
  const recorded = readResults(`${ROOT}docs/benchmarks/results.json`).sections.filter(({ name }) =>
    checked.some((benchmark) => benchmark.name === name),
  );
  let now = await measure(checked);
  let comparison = compareRatios(recorded, now);
  // Another program on the same cores makes a figure worse: blamed is what stays worse.
  for (let repeat = 0; repeat < REPEATS && comparison.worse.length > 0; repeat += 1) {
    const suspects = new Set(comparison.worse.map(({ benchmark }) => benchmark));
    say(`again, for ${comparison.worse.map(({ name }) => name).join("; ")}`);
    const again = await measure(checked.filter(({ name }) => suspects.has(name)));
    now = bestOf(now, again);
    comparison = compareRatios(recorded, now);
  }
  const { worse, better, same, missing, added } = comparison;
  for (const pair of same) say(`same     ${lineOf(pair)}`);
  for (const pair of better) say(`better   ${lineOf(pair)}`);
  for (const { benchmark, name } of added) say(`new      ${benchmark}: ${name}, not recorded yet`);
  for (const { benchmark, name } of missing) say(`MISSING  ${benchmark}: ${name}, recorded before`);
  for (const pair of worse) say(`WORSE    ${lineOf(pair)}`);
  const compared = worse.length + better.length + same.length;
  say(
    `${compared} ratios compared: ${worse.length} worse by more than ${TOLERANCE * 100} %, ${better.length} better, ${missing.length} missing, ${added.length} new`,
  );
  process.exitCode = worse.length > 0 || missing.length > 0 || compared === 0 ? 1 : 0;
}

function lineOf({ benchmark, name, recorded, now }: Compared): string {
  const [before, after] = [recorded, now].map(({ median, unit }) => formatValue(median, unit));
  return `${benchmark}: ${name}: ${before} recorded, ${after} now (${now.better} is better)`;
}

await main();
