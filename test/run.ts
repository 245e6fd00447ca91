/**
 * Runs the test files of the default suite, or of the suite named on the command line.
 *
 *   node --import tsx test/run.ts [suite | file …]
 *
 * A suite is a folder below `test/`; without one, every `*.test.ts` outside `test/slow`, `test/vm`
 * and `test/arm` runs.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function testFilesBelow(folder: string): readonly string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
}

const chosen = process.argv.slice(2);
const files =
  chosen.length > 0
    ? chosen.flatMap((name) => (name.endsWith(".ts") ? [name] : inOrder(name)))
    : ["src", "collectors", "test"]
        .flatMap(testFilesBelow)
        .filter((file) => !/\/test\/(?:slow|vm|arm)\//.test(file));

/** Of virtual machines the long ones first (they happen to be last by name), so that none runs alone at the end. */
function inOrder(suite: string): readonly string[] {
  const found = testFilesBelow(suite);
  return suite === "test/vm" ? [...found].reverse() : found;
}

/** Most files wait more than they work; the slow ones measure, and each virtual machine works. */
function concurrencyOf(suites: readonly string[]): number {
  const processors = availableParallelism();
  if (suites.includes("test/slow")) return Math.max(1, processors - 1);
  // A machine that is played takes a processor, and events come late where it must wait for one.
  if (suites.includes("test/vm")) return Math.max(2, processors);
  return processors + 1;
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const stream = run({
  files: [...files],
  concurrency: concurrencyOf(chosen),
  // A file that hangs fails, instead of holding up everything.
  timeout: 1_800_000,
  execArgv: ["--import", "tsx"],
} as never);
stream.on("test:pass", (event) => {
  if (event.details.type === "suite") return;
  if (event.skip === undefined || event.skip === false) counts.passed += 1;
  else counts.skipped += 1;
});
stream.on("test:fail", (event) => {
  if (event.details.type !== "suite") counts.failed += 1;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on("end", () => {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
});
