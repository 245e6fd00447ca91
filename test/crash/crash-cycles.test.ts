import assert from "node:assert/strict";
import { it } from "node:test";
import { runCrashCycles } from "../support/crash-cycles.ts";

it("an event whose submit returned reaches the hub, however often the agent is killed", async (test) => {
  const report = await runCrashCycles(8);
  test.diagnostic(JSON.stringify(report));
  assert.ok(report.promised > 100, `only ${report.promised} events were produced`);
  assert.deepEqual(report.missing, []);
  assert.equal(report.conflicting, 0);
});
