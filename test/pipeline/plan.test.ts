import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { METER_BYTES } from "../../src/contract/settings.ts";
import { type Candidates, type Plan, planMessage } from "../../src/pipeline/plan.ts";
import { SECURITY_QUEUES, type SecurityQueue } from "../../src/pipeline/spool/spool-contract.ts";

const FIXED_BYTES = 230;
const metered = (bytes: number, events: number): number =>
  FIXED_BYTES + bytes + Math.max(0, events - 1);

type Queues = Readonly<Record<SecurityQueue, Candidates>>;

function limits(maxBytes: number, maxEvents = Number.MAX_SAFE_INTEGER) {
  return { maxBytes, maxEvents, meteredBytes: metered };
}

function taken(queues: Queues, plan: Plan): readonly number[] {
  return SECURITY_QUEUES.flatMap((queue) => queues[queue].sizes.slice(0, plan[queue]));
}

function sizeOf(sizes: readonly number[]): number {
  return metered(
    sizes.reduce((sum, size) => sum + size, 0),
    sizes.length,
  );
}

function wasteOf(size: number): number {
  return Math.ceil(size / METER_BYTES) * METER_BYTES - size;
}

const none: Candidates = { sizes: [], due: 0 };
const of = (count: number, size: number, due = 0): Candidates => ({
  sizes: Array.from({ length: count }, () => size),
  due,
});

const candidates = fc
  .array(fc.integer({ min: 100, max: 3_000 }), { maxLength: 60 })
  .chain((sizes) =>
    fc.record({ sizes: fc.constant(sizes), due: fc.integer({ min: 0, max: sizes.length }) }),
  );
const anyQueues = fc.record({ high: candidates, operational: candidates, low: candidates });
const anyReason = fc.constantFrom("high-due", "low-due", "size-reached", "flush");
const anyLimit = fc.integer({ min: 8_192, max: 262_144 });

test("no plan exceeds the message limit, the event limit or what waits", () => {
  fc.assert(
    fc.property(
      anyQueues,
      anyReason,
      anyLimit,
      fc.integer({ min: 1, max: 200 }),
      (queues, reason, maxBytes, maxEvents) => {
        const plan = planMessage(queues, reason, limits(maxBytes, maxEvents));
        const sizes = taken(queues, plan);
        assert.ok(sizeOf(sizes) <= maxBytes);
        assert.ok(sizes.length <= maxEvents);
        for (const queue of SECURITY_QUEUES) {
          assert.ok(plan[queue] >= 0 && plan[queue] <= queues[queue].sizes.length);
        }
      },
    ),
  );
});

test("what is due goes when it fits into whole units, and all high goes with it", () => {
  fc.assert(
    fc.property(anyQueues, anyReason, anyLimit, (queues, reason, maxBytes) => {
      const due = SECURITY_QUEUES.flatMap((queue) =>
        queues[queue].sizes.slice(0, queue === "high" ? undefined : queues[queue].due),
      );
      fc.pre(sizeOf(due) <= Math.floor(maxBytes / METER_BYTES) * METER_BYTES);
      const plan = planMessage(queues, reason, limits(maxBytes));
      assert.equal(plan.high, queues.high.sizes.length);
      assert.ok(plan.operational >= queues.operational.due);
      assert.ok(plan.low >= queues.low.due);
    }),
  );
});

test("something goes whenever something is due, even one event larger than whole units", () => {
  const plan = planMessage(
    { high: none, operational: none, low: of(1, 9_500, 1) },
    "low-due",
    limits(10_000),
  );
  assert.equal(plan.low, 1);
});

test("with enough fillers a message is full, or wastes no more than whole units less one event would", () => {
  const fillers = fc.array(fc.integer({ min: 200, max: 900 }), { minLength: 250, maxLength: 400 });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 200, max: 900 }), { minLength: 1, maxLength: 8 }),
      fillers,
      fc.constantFrom("high-due", "low-due", "size-reached", "flush"),
      fc.integer({ min: 8_192, max: 40_000 }),
      (high, low, reason, maxBytes) => {
        const queues = {
          high: { sizes: high, due: 1 },
          operational: none,
          low: { sizes: low, due: 0 },
        };
        const size = sizeOf(taken(queues, planMessage(queues, reason, limits(maxBytes))));
        assert.ok(size >= METER_BYTES);
        const wholeBytes = Math.floor(maxBytes / METER_BYTES) * METER_BYTES;
        const isFull = wasteOf(size) <= METER_BYTES / 10;
        assert.ok(isFull || wasteOf(size) / size <= 901 / (wholeBytes - 901), `${size} bytes`);
      },
    ),
  );
});

test("high that is due takes the first full units and leaves the other fillers for later", () => {
  const queues = { high: of(1, 500, 1), operational: of(2, 400), low: of(100, 500) };
  const plan = planMessage(queues, "high-due", limits(204_800));
  assert.deepEqual(plan, { high: 1, operational: 2, low: 13 });
});

test("a large event at the head of low does not keep an urgent message small", () => {
  const queues = {
    high: of(1, 500, 1),
    operational: none,
    low: { sizes: [25_000, ...of(40, 300).sizes], due: 0 },
  };
  const plan = planMessage(queues, "high-due", limits(204_800));
  assert.ok(plan.low > 1 && plan.low < 41);
  assert.ok(wasteOf(sizeOf(taken(queues, plan))) <= METER_BYTES / 10);
});

test("an event that does not fit does not keep the next queue from filling", () => {
  const queues = { high: of(1, 500, 1), operational: of(1, 7_900), low: of(100, 500) };
  const plan = planMessage(queues, "high-due", limits(8_192));
  assert.deepEqual(plan, { high: 1, operational: 0, low: 14 });
});

test("low that is due together with high takes the last full units instead of the first", () => {
  const queues = { high: of(1, 500, 1), operational: none, low: of(100, 500, 1) };
  const size = sizeOf(taken(queues, planMessage(queues, "high-due", limits(204_800))));
  assert.ok(size > 11 * METER_BYTES && wasteOf(size) <= METER_BYTES / 10, `${size} bytes`);
});

test("of more due events than fit as many go as fill whole units", () => {
  const queues = { high: none, operational: none, low: of(100, 1_500, 100) };
  const size = sizeOf(taken(queues, planMessage(queues, "low-due", limits(10_000))));
  assert.ok(size <= 2 * METER_BYTES && size > 2 * METER_BYTES - 1_501, `${size} bytes`);
});

test("what cannot fill one unit goes as it is", () => {
  const queues = { high: of(1, 500, 1), operational: of(1, 400), low: of(3, 500) };
  assert.deepEqual(planMessage(queues, "high-due", limits(204_800)), {
    high: 1,
    operational: 1,
    low: 3,
  });
});

test("a young remainder that would open a mostly empty unit stays", () => {
  const queues = { high: none, operational: none, low: of(100, 500, 1) };
  const plan = planMessage(queues, "low-due", limits(204_800));
  const size = sizeOf(taken(queues, plan));
  assert.ok(plan.low < 100);
  assert.ok(size % METER_BYTES > METER_BYTES - 502);
});

test("a flush takes all that fits", () => {
  const queues = { high: of(3, 500), operational: of(3, 500), low: of(30, 500) };
  assert.deepEqual(planMessage(queues, "flush", limits(204_800)), {
    high: 3,
    operational: 3,
    low: 30,
  });
});
