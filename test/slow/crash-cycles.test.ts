import assert from "node:assert/strict";
import { it } from "node:test";
import { runCrashCycles } from "../support/crash-cycles.ts";

const CYCLES = Number(process.env["GATEWARDEN_CYCLES"] ?? 200);

it(`${CYCLES} kills lose no event whose submit returned`, { timeout: 1_500_000 }, async (test) => {
  const report = await runCrashCycles(CYCLES);
  const { missing, ...counts } = report;
  test.diagnostic(JSON.stringify({ ...counts, missing: missing.length }));
  assert.ok(report.promised > CYCLES * 10, `only ${report.promised} events were produced`);
  assert.deepEqual(missing.slice(0, 20), [], `${missing.length} promised events never arrived`);
  assert.equal(report.conflicting, 0);
});
