import assert from "node:assert/strict";
import { it } from "node:test";
import { runCrashCycles } from "../support/crash-cycles.ts";

it("an event whose submit returned reaches the hub, however often the agent is killed", async (test) => {
  const report = await runCrashCycles(8);
  const { missing, ...counts } = report;
  test.diagnostic(JSON.stringify({ ...counts, missing: missing.length }));
  assert.ok(report.promised > 100, `only ${report.promised} events were produced`);
  assert.deepEqual(missing.slice(0, 20), [], `${missing.length} promised events never arrived`);
  assert.equal(report.conflicting, 0);
});
