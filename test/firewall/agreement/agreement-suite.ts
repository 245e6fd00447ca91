import assert from "node:assert/strict";
import { it } from "node:test";
import { compareWithKernel, summaryLine } from "./agreement.ts";
import { missingForTestBed } from "./test-bed.ts";

/** Other rule sets than the usual ones, or one again that failed. */
const seed = Number(process.env["AGREEMENT_SEED"] ?? 1);
const ruleSets = Number(process.env["AGREEMENT_RULE_SETS"] ?? 300);
const plan = { seed, ruleSets, probesEach: 16 };

it("foresees what the kernel does with hundreds of rule sets of every backend", {
  skip: missingForTestBed() ?? false,
}, async (test) => {
  const agreement = await compareWithKernel(plan);
  test.diagnostic(summaryLine(plan, agreement));
  assert.equal(agreement.failures.length, 0, agreement.failures.join("\n\n"));
});
