import assert from "node:assert/strict";
import { it } from "node:test";
import { runSpoolCrashes } from "./crash-run.ts";

it("an event that append returned for waits after any kill until it is released", async (test) => {
  const { missing, doubled, ...counts } = await runSpoolCrashes(10);
  test.diagnostic(JSON.stringify({ ...counts, missing: missing.length }));
  assert.ok(counts.appended > 500, `only ${counts.appended} events were appended`);
  assert.ok(counts.released > 50, `only ${counts.released} events were released`);
  assert.deepEqual(missing.slice(0, 20), [], `${missing.length} events are lost`);
  assert.deepEqual(doubled, []);
});
