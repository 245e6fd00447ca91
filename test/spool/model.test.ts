/** The spool against a simple model, over random histories with kills and damage. */
import assert from "node:assert/strict";
import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import fc from "fast-check";
import { RECORD_OVERHEAD_BYTES } from "../../src/pipeline/spool/queue-files.ts";
import { QUEUES, type Queue, type Spool } from "../../src/pipeline/spool/spool-contract.ts";
import { entry, idsIn, spoolRig } from "./spool-rig.ts";

type Step =
  | {
      readonly do: "append";
      readonly queue: Queue;
      readonly count: number;
      readonly padding: number;
    }
  | { readonly do: "release"; readonly queue: Queue; readonly share: number }
  | { readonly do: "reopen" }
  | { readonly do: "resize"; readonly bytes: number }
  | { readonly do: "hold"; readonly queue: Queue; readonly share: number }
  | { readonly do: "take" };

const queue = fc.constantFrom(...QUEUES);
/** Whole percents: doubles are drawn by their bits, so nearly all would be next to nothing. */
const share = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      queue,
      count: fc.integer({ min: 1, max: 12 }),
      padding: fc.integer({ min: 0, max: 900 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("release" as const),
      queue,
      share,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("hold" as const),
      queue,
      share,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("resize" as const),
      bytes: fc.integer({ min: 8_192, max: 30_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("take" as const) }) },
);

it("holds, in order, exactly what was appended and neither released nor counted as dropped", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const rig = spoolRig();
      try {
        live(rig.open(10_000), steps, (bytes) => rig.open(bytes));
      } finally {
        await rig.closeAll();
        rig.remove();
      }
    }),
    { numRuns: 150 },
  );
});

function live(first: Spool, steps: readonly Step[], reopen: (bytes: number) => Spool): void {
  let spool = first;
  let maxBytes = 10_000;
  let nextId = 1;
  const appended: Record<Queue, number[]> = { high: [], operational: [], low: [], extension: [] };
  const released: Record<Queue, Set<number>> = {
    high: new Set(),
    operational: new Set(),
    low: new Set(),
    extension: new Set(),
  };
  let collected = 0;
  let dropped = 0;
  let held: { readonly queue: Queue; readonly ids: readonly number[] } | undefined;

  let isLoweredUnderHold = false;

  for (const action of steps) {
    if (action.do === "append") {
      const ids = Array.from({ length: action.count }, (_, index) => nextId + index);
      nextId += action.count;
      appended[action.queue].push(...ids);
      spool.append(ids.map((id) => entry(action.queue, id, action.padding)));
    } else if (action.do === "release") {
      const waiting = spool.peek(action.queue, 1_000_000);
      const upTo = waiting[Math.floor(action.share * waiting.length) - 1];
      if (upTo === undefined) continue;
      for (const id of idsIn(spool, action.queue).slice(0, waiting.indexOf(upTo) + 1)) {
        released[action.queue].add(id);
      }
      spool.release(action.queue, upTo.sequence);
    } else if (action.do === "hold") {
      const waiting = spool.peek(action.queue, 1_000_000);
      const upTo = waiting[Math.floor(action.share * waiting.length) - 1];
      const count = upTo === undefined ? 0 : waiting.indexOf(upTo) + 1;
      const ids = idsIn(spool, action.queue).slice(0, count);
      held = count === 0 ? undefined : { queue: action.queue, ids };
      spool.hold(upTo === undefined ? {} : { [action.queue]: upTo.sequence });
    } else if (action.do === "reopen") {
      // What is on its way is a matter of one run: a restart holds nothing.
      held = undefined;
      spool = reopen(maxBytes);
    } else if (action.do === "resize") {
      maxBytes = action.bytes;
      spool.resize(maxBytes);
    } else {
      for (const counts of spool.takeCounts()) {
        collected += counts.collectedEvents;
        dropped += counts.droppedEvents;
      }
    }
    if (held === undefined) isLoweredUnderHold = false;
    else if (action.do === "resize") isLoweredUnderHold = true;
    // A held prefix keeps what lies behind it, so a bound that was lowered is reached later.
    if (!isLoweredUnderHold) checkBound(spool, maxBytes);
    if (held !== undefined) {
      const { queue: holding, ids } = held;
      const present = new Set(idsIn(spool, holding));
      const evicted = ids.filter((id) => !present.has(id) && !released[holding].has(id));
      assert.deepEqual(evicted, [], "what is held is not evicted");
    }
  }
  for (const counts of spool.takeCounts()) {
    collected += counts.collectedEvents;
    dropped += counts.droppedEvents;
  }
  let gone = 0;
  for (const name of QUEUES) {
    const waiting = idsIn(spool, name);
    assert.deepEqual(
      waiting,
      [...waiting].sort((a, b) => a - b),
      "order within a queue",
    );
    assert.equal(waiting.length, spool.state(name).events);
    for (const id of waiting)
      assert.equal(released[name].has(id), false, "released stays released");
    const present = new Set(waiting);
    gone += appended[name].filter((id) => !present.has(id) && !released[name].has(id)).length;
  }
  assert.equal(gone, dropped, "what is gone was counted as dropped");
  assert.equal(collected, nextId - 1, "everything appended was counted");
}

/** Bytes on disk, record for record. */
function checkBound(spool: Spool, maxBytes: number): void {
  const bytes = QUEUES.reduce((sum, name) => {
    const { bytes: jsonBytes, events } = spool.state(name);
    return sum + jsonBytes + events * RECORD_OVERHEAD_BYTES;
  }, 0);
  assert.ok(bytes <= maxBytes, `${bytes} bytes wait; the bound is ${maxBytes}`);
}

it("opens after any cut of its newest file, and loses only from the end of that queue", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(), queue, async (count, cut, name) => {
      const rig = spoolRig();
      try {
        rig.open().append(Array.from({ length: count }, (_, index) => entry(name, index + 1, 50)));
        const file = readdirSync(rig.folder).find((candidate) => candidate.startsWith(name)) ?? "";
        const path = join(rig.folder, file);
        truncateSync(path, cut % (statSync(path).size + 1));
        const spool = rig.open();
        const left = idsIn(spool, name);
        assert.deepEqual(
          left,
          left.map((_, index) => index + 1),
        );
        spool.append([entry(name, 1_000)]);
        assert.deepEqual(idsIn(rig.open(), name), [...left, 1_000]);
      } finally {
        await rig.closeAll();
        rig.remove();
      }
    }),
    { numRuns: 100 },
  );
});
