import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLedger, unitsOf } from "../../src/pipeline/ledger.ts";
import { FakeClock } from "../support/fake-clock.ts";

const HOUR_MS = 3_600_000;
const NOTHING = { messages: 0, messagesUnder4Kb: 0, bytes: 0, units: 0, fillRatio: 1 };

test("a message costs one unit per started 4096 bytes, at least one", () => {
  assert.deepEqual([0, 1, 4_096, 4_097, 8_192, 8_193].map(unitsOf), [1, 1, 1, 2, 2, 3]);
});

test("counters start anew when taken, the day does not", () => {
  const ledger = createLedger(new FakeClock());
  ledger.sent(4_095);
  ledger.sent(4_096);
  ledger.sent(8_000);
  ledger.failed();
  assert.deepEqual(ledger.take(), { messagesSent: 3, messagesUnder4Kb: 1, totalFailed: 1 });
  assert.deepEqual(ledger.take(), { messagesSent: 0, messagesUnder4Kb: 0, totalFailed: 0 });
  const { fillRatio, ...sums } = ledger.day();
  assert.deepEqual(sums, { messages: 3, messagesUnder4Kb: 1, bytes: 16_191, units: 4 });
  assert.equal(fillRatio, 16_191 / (4 * 4_096));
});

test("what is a day old no longer counts", async () => {
  const clock = new FakeClock();
  const ledger = createLedger(clock);
  assert.deepEqual(ledger.day(), NOTHING);
  ledger.sent(5_000);
  await clock.advance(12 * HOUR_MS);
  ledger.sent(6_000);
  await clock.advance(11 * HOUR_MS);
  assert.equal(ledger.day().messages, 2);
  await clock.advance(HOUR_MS);
  assert.equal(ledger.day().bytes, 6_000);
  await clock.advance(12 * HOUR_MS);
  assert.deepEqual(ledger.day(), NOTHING);
});

test("the day survives a restart and a clock that is wrong for a while", async () => {
  const clock = new FakeClock();
  const before = createLedger(clock);
  before.sent(5_000);
  await clock.advance(HOUR_MS);
  before.sent(3_000);
  const after = createLedger(clock);
  after.restore(JSON.parse(JSON.stringify(before.toJson())));
  assert.deepEqual(after.day(), before.day());
  clock.jumpWall(-400 * 24 * HOUR_MS);
  after.sent(4_000);
  assert.equal(after.day().messages, 1);
  const rebooted = createLedger(clock);
  rebooted.restore(JSON.parse(JSON.stringify(after.toJson())));
  clock.jumpWall(400 * 24 * HOUR_MS);
  assert.equal(rebooted.day().messages, 2);
});

test("what is kept stays bounded over years", async () => {
  const clock = new FakeClock();
  const ledger = createLedger(clock);
  for (let hour = 0; hour < 500; hour += 1) {
    ledger.sent(4_096);
    await clock.advance(HOUR_MS);
  }
  assert.ok(JSON.stringify(ledger.toJson()).length < 5_000);
});

test("anything may be restored and what is not a bucket is ignored", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (saved) => {
      const ledger = createLedger(new FakeClock());
      ledger.restore(JSON.parse(JSON.stringify(saved)));
      ledger.restore({ buckets: JSON.parse(JSON.stringify([saved])) });
      assert.deepEqual(ledger.day(), NOTHING);
    }),
  );
});

test("a bucket with impossible figures is ignored", () => {
  const hour = Math.floor(new FakeClock().nowMs() / HOUR_MS);
  const good = { hour, messages: 2, under: 1, bytes: 5_000, units: 2 };
  const bad = [
    { ...good, messages: -1 },
    { ...good, under: 3 },
    { ...good, bytes: 9_000_000 },
    { ...good, units: 0 },
    { ...good, bytes: "5" },
    null,
    [],
  ];
  const ledger = createLedger(new FakeClock());
  ledger.restore({ buckets: bad });
  assert.deepEqual(ledger.day(), NOTHING);
  ledger.restore({ buckets: [...bad, good] });
  assert.equal(ledger.day().messages, 2);
});
