import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS } from "../../src/contract/settings.ts";
import { replayDay } from "./day-replay.ts";
import { calmDay, LARGE_DRAFTS, SNAPSHOT_DRAFTS, syntheticDay } from "./synthetic-day.ts";

const snapshots = { snapshotDrafts: SNAPSHOT_DRAFTS };

for (const [kind, trace, leastEvents] of [
  ["busy", syntheticDay(), 1_000],
  ["calm", calmDay(), 100],
] as const) {
  test(`a ${kind} day goes out in messages of whole units and nothing urgent is late`, async () => {
    const day = await replayDay(trace, DEFAULT_SETTINGS, snapshots);
    assert.deepEqual(day.failures, []);
    assert.ok(day.events >= leastEvents, `${day.events} events arrived`);
    assert.equal(day.dropped, 0);
    assert.ok(day.messages >= 5, `${day.messages} messages`);
    assert.ok(day.shareAtLeast4Kb >= 0.95, `share of messages from 4 KB: ${day.shareAtLeast4Kb}`);
    assert.ok(day.fillRatio >= 0.9, `fill ratio ${day.fillRatio} of ${day.sizes.join(" ")}`);
    assert.ok(day.longestHighWaitMs <= DEFAULT_SETTINGS.highPriorityIntervalMs);
    assert.equal(
      Object.values(day.byReason).reduce((sum, count) => sum + count, 0),
      day.messages,
    );
  });
}

test("large snapshot events do not keep urgent messages from being filled", async () => {
  const snapshotDrafts = [...SNAPSHOT_DRAFTS, ...LARGE_DRAFTS];
  for (const trace of [syntheticDay(), calmDay()]) {
    const day = await replayDay(trace, DEFAULT_SETTINGS, { snapshotDrafts });
    assert.ok(day.shareAtLeast4Kb >= 0.95, `share of messages from 4 KB: ${day.shareAtLeast4Kb}`);
    assert.ok(day.fillRatio >= 0.9, `fill ratio ${day.fillRatio} of ${day.sizes.join(" ")}`);
  }
});

test("small messages and a small cache lose nothing on a busy day", async () => {
  const settings = { ...DEFAULT_SETTINGS, maxMessageBytes: 8_192, maxCacheBytes: 65_536 };
  const day = await replayDay(syntheticDay(), settings, snapshots);
  assert.deepEqual(day.failures, []);
  assert.equal(day.dropped, 0);
  assert.ok(day.events >= 1_000, `${day.events} events arrived`);
  assert.ok(day.sizes.every((size) => size <= 8_192));
  assert.ok(day.fillRatio >= 0.9, `fill ratio ${day.fillRatio}`);
});

test("the same day is packed the same way twice", async () => {
  const [first, second] = await Promise.all([
    replayDay(calmDay(), DEFAULT_SETTINGS, snapshots),
    replayDay(calmDay(), DEFAULT_SETTINGS, snapshots),
  ]);
  assert.deepEqual(first, second);
});
