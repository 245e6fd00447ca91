import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createPacer } from "./pacer.ts";

/** A clock on which only work and sleep take time. */
function rig() {
  let nowMs = 0;
  const slept: number[] = [];
  let pauses = 0;
  return {
    slept,
    pauses: () => pauses,
    work(ms: number) {
      nowMs += ms;
    },
    options: {
      clock: {
        monotonicMs: () => nowMs,
        sleep: async (ms: number) => {
          slept.push(ms);
          nowMs += ms;
        },
      },
      pause: async () => {
        pauses += 1;
      },
      signal: new AbortController().signal,
    },
  };
}

describe("a pacer", () => {
  it("rests three times as long as it worked for a quarter of a processor", async () => {
    const { options, work, slept } = rig();
    const pacer = createPacer({ ...options, budget: { cpuShare: 0.25 } });
    for (let round = 0; round < 10; round += 1) {
      work(4);
      await pacer.step(1);
    }
    // A portion is eight milliseconds: two steps, then a rest.
    assert.deepEqual(slept, [24, 24, 24, 24, 24]);
    assert.equal(pacer.restedMs, 120);
  });

  it("keeps to the items per second, however fast they are", async () => {
    const { options, slept } = rig();
    const budget = { cpuShare: 1, itemsPerSecond: 100 };
    const pacer = createPacer({ ...options, budget, portionItems: 10 });
    for (let item = 0; item < 100; item += 1) await pacer.step(1);
    assert.equal(
      slept.reduce((sum, ms) => sum + ms, 0),
      1000,
    );
  });

  it("lets others run between portions even when nothing bids it rest", async () => {
    const { options, slept, pauses } = rig();
    const pacer = createPacer({ ...options, budget: { cpuShare: 1 }, portionItems: 5 });
    for (let item = 0; item < 20; item += 1) await pacer.step(1);
    assert.deepEqual([slept, pauses()], [[], 4]);
  });

  it("does not rest for hours after the machine slept", async () => {
    const { options, work, slept } = rig();
    const pacer = createPacer({ ...options, budget: { cpuShare: 0.1 } });
    work(3_600_000);
    await pacer.step(1);
    assert.deepEqual(slept, [5_000]);
  });

  it("rests no longer than it may in all, and goes on without", async () => {
    const { options, work, slept, pauses } = rig();
    const pacer = createPacer({ ...options, budget: { cpuShare: 0.1 }, maxRestedMs: 200 });
    for (let round = 0; round < 4; round += 1) {
      work(10);
      await pacer.step(1);
    }
    assert.deepEqual([slept, pauses()], [[90, 90, 20], 1]);
  });

  it("does not wait once the signal has aborted", async () => {
    const { options, work, slept, pauses } = rig();
    const pacer = createPacer({
      ...options,
      signal: AbortSignal.abort(),
      budget: { cpuShare: 0.1 },
    });
    work(100);
    await pacer.step(1000);
    assert.deepEqual([slept, pauses()], [[], 0]);
  });
});
