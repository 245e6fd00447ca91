import assert from "node:assert/strict";
import { it } from "node:test";
import { compareWithKernel, summaryLine } from "./agreement.ts";
import { missingForTestBed } from "./test-bed.ts";

const PLAN = { seed: 7000, ruleSets: 16, probesEach: 14 };

it("foresees what the kernel does with a sample of rule sets", {
  skip: missingForTestBed() ?? false,
}, async (test) => {
  const agreement = await compareWithKernel(PLAN);
  test.diagnostic(summaryLine(PLAN, agreement));
  assert.equal(agreement.failures.length, 0, agreement.failures.join("\n\n"));
  assert.ok(agreement.allowed > 10 && agreement.denied > 10, "both verdicts must have been tried");
});
