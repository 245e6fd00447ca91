import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withoutEnd } from "../../../test/eventhubs/counting-analyzer.ts";
import { PLACE } from "../../../test/fleet/sample-alert.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingLog } from "../../../test/support/recording-log.ts";
import { ok } from "../../contract/result.ts";
import { createDeliverer } from "./deliverer.ts";
import type { AlertOutput, Delivery } from "./output.ts";
import { PartitionRun, type RunEvent } from "./partition-run.ts";
import { RunTotals } from "./run-totals.ts";
import type { SavedPartition } from "./saved-partition.ts";
import type { AnalyzeStore } from "./store.ts";

const DAY_MS = Date.UTC(2026, 0, 15);

/** An event of a device at a second of the day. */
function event(sequenceNumber: number, device: string, second: number): RunEvent {
  return {
    offset: String(sequenceNumber * 64),
    record: {
      source: "endpoint",
      body: {},
      systemProperties: { "iothub-connection-device-id": device },
      properties: {},
      enqueuedAtMs: DAY_MS + second * 1_000,
      sequenceNumber,
    },
  };
}

/** Three of device a in the first minute, two of b in the second, which closes a's window. */
const EVENTS = [
  event(10, "a", 1),
  event(11, "a", 2),
  event(12, "a", 3),
  event(13, "b", 61),
  event(14, "b", 62),
];

class Rig {
  readonly clock = new FakeClock();
  readonly totals = new RunTotals();
  readonly taken: string[] = [];
  saved: SavedPartition | undefined;
  answer: () => Delivery = () => ({ status: "delivered" });

  run(): PartitionRun {
    const { clock, totals } = this;
    const log = new RecordingLog();
    const output: AlertOutput = {
      name: "test",
      maxAlerts: 10,
      hasMemory: false,
      recall: async () => [],
      close: async () => undefined,
      deliver: async (alerts) => {
        const outcome = this.answer();
        if (outcome.status === "delivered") this.taken.push(...alerts.map(({ alert }) => alert.id));
        return outcome;
      },
    };
    const store: Partial<AnalyzeStore> = {
      load: async () => ok(this.saved),
      save: async (_place, saved) => {
        this.saved = saved;
        return ok(undefined);
      },
      lock: async () => ok(() => undefined),
    };
    return new PartitionRun({
      place: PLACE,
      analyzer: withoutEnd(),
      outputs: [output],
      // Only what a run asks of it.
      store: store as AnalyzeStore,
      deliverer: createDeliverer({
        clock,
        random: { fraction: () => 0.5, uuid: () => "" },
        log,
        totals,
        setAside: () => undefined,
      }),
      clock,
      log,
      totals,
      lastSequenceNumber: async () => ok(14),
      checkpointEveryMs: 0,
      tickEveryMs: 0,
      onClosed: () => undefined,
    });
  }
}

const ALERT = `a@${DAY_MS}`;

describe("a partition", () => {
  it("writes no checkpoint past an event that an open window needs", async () => {
    const rig = new Rig();
    const run = rig.run();
    await run.open();
    await run.take(EVENTS.slice(0, 2));
    assert.equal(rig.saved?.position, undefined);
    assert.equal(rig.saved?.neededFrom, 10);
    await run.take(EVENTS.slice(2));
    assert.deepEqual(rig.taken, [ALERT]);
    assert.equal(rig.saved?.neededFrom, 13);
    // Positions are kept of the ends of batches; what lies between is read again and skipped.
    assert.deepEqual(rig.saved?.position, { sequenceNumber: 11, offset: "704" });
    await run.close(true, 0);
  });

  it("writes nothing down that was not delivered, and delivers it in its next life", async () => {
    const rig = new Rig();
    const first = rig.run();
    await first.open();
    await first.take(EVENTS.slice(0, 3));
    const before = rig.saved;
    rig.answer = () => ({ status: "retry", reason: "down" });
    const stuck = first.take(EVENTS.slice(3));
    await new Promise((resolve) => setImmediate(resolve));
    first.abort();
    await stuck;
    await first.close(true, 0);
    assert.equal(rig.saved, before);
    assert.deepEqual(rig.taken, []);

    rig.answer = () => ({ status: "delivered" });
    const second = rig.run();
    await second.open();
    await second.take(EVENTS);
    assert.deepEqual(rig.taken, [ALERT]);
    await second.close(true, 0);
  });

  it("holds back what an output has, when events are judged again", async () => {
    const rig = new Rig();
    const first = rig.run();
    await first.open();
    await first.take(EVENTS);
    // Killed: no close. The position is taken away, so that the whole is judged again.
    assert.deepEqual(rig.saved?.delivered["test"], [[ALERT, 13]]);
    if (rig.saved !== undefined) rig.saved = { ...rig.saved, position: undefined, neededFrom: 0 };
    const second = rig.run();
    await second.open();
    await second.take(EVENTS);
    assert.deepEqual(rig.taken, [ALERT]);
    assert.equal(rig.totals.snapshot().repeated, 1);
    await second.close(true, 0);
  });

  it("judges an event that comes twice once", async () => {
    const rig = new Rig();
    const run = rig.run();
    await run.open();
    await run.take(EVENTS.slice(0, 2));
    await run.take(EVENTS.slice(0, 2));
    await run.take(EVENTS.slice(3));
    assert.deepEqual(rig.taken, []);
    assert.equal(rig.totals.snapshot().read, 4);
    assert.equal(rig.totals.snapshot().lost, 1);
    await run.close(true, 0);
  });

  it("writes no checkpoint for a partition that is somebody else's", async () => {
    const rig = new Rig();
    const run = rig.run();
    await run.open();
    const before = rig.saved;
    await run.close(false, 0);
    assert.equal(rig.saved, before);
  });
});
