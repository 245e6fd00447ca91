/**
 * Rewrites `expected.json` of every case, or of the cases whose `collector/case` contains a given text:
 *
 *   node --import tsx test/collectors/rewrite-golden.ts [text]
 *
 * The difference is part of the review. A case that would expect nothing is refused unless its name
 * says so, because a golden file that is empty proves nothing.
 */
import { writeFileSync } from "node:fs";
import { casesOf, expectedPath, mayBeEmpty, runCase, SNAPSHOT_COLLECTORS } from "./case-run.ts";

const wanted = process.argv[2] ?? "";
let written = 0;
for (const one of SNAPSHOT_COLLECTORS.flatMap(casesOf)) {
  const title = `${one.collector.name}/${one.name}`;
  if (!title.includes(wanted)) continue;
  const snapshot = await runCase(one);
  const items = snapshot.events.reduce((sum, event) => sum + event.payload.length, 0);
  if (items === 0 && !mayBeEmpty(one.name)) throw new Error(`${title} reports nothing`);
  writeFileSync(expectedPath(one), `${JSON.stringify(snapshot, undefined, 2)}\n`);
  written += 1;
}
process.stdout.write(`${written} golden files written\n`);
