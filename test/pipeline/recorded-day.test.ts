import assert from "node:assert/strict";
import { test } from "node:test";
import { loadGatewayDay } from "../../benchmarks/trace/gateway-day.ts";
import { DEFAULT_SETTINGS } from "../../src/contract/settings.ts";
import { replayDay } from "./day-replay.ts";
import { SNAPSHOT_DRAFTS } from "./synthetic-day.ts";

test("a recorded gateway day goes out in full metering units", async () => {
  const trace = loadGatewayDay();
  assert.ok(trace.length > 5_000, `${trace.length} recorded occurrences`);
  const day = await replayDay(trace, DEFAULT_SETTINGS, { snapshotDrafts: SNAPSHOT_DRAFTS });
  assert.deepEqual(day.failures, []);
  assert.ok(day.shareAtLeast4Kb >= 0.95, `share of messages from 4 KB: ${day.shareAtLeast4Kb}`);
  assert.ok(day.fillRatio >= 0.9, `fill ratio ${day.fillRatio}`);
});
