import assert from "node:assert/strict";
import { it } from "node:test";
import { runMemory } from "../../benchmarks/memory-run.ts";

const ALLOWED_GROWTH_BYTES = 8_000_000;

it("memory stays flat over 100,000 events through the whole pipeline", async (test) => {
  const { samples, arrived } = await runMemory(100_000, () => {});
  const early = samples.find((sample) => sample.events >= 20_000);
  const late = samples.at(-1);
  assert.ok(early !== undefined && late !== undefined);
  test.diagnostic(JSON.stringify({ early, late, arrived }));
  assert.equal(arrived, 100_000);
  assert.ok(
    late.heapUsed - early.heapUsed < ALLOWED_GROWTH_BYTES,
    `the heap grew from ${early.heapUsed} to ${late.heapUsed} bytes`,
  );
});
