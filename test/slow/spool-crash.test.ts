import assert from "node:assert/strict";
import { it } from "node:test";
import { runSpoolCrashes } from "../spool/crash-run.ts";

const CYCLES = Number(process.env["GATEWARDEN_CYCLES"] ?? 200);

it(`${CYCLES} kills take nothing that append returned for`, { timeout: 600_000 }, async (test) => {
  const { missing, doubled, ...counts } = await runSpoolCrashes(CYCLES);
  test.diagnostic(JSON.stringify({ ...counts, missing: missing.length }));
  assert.ok(counts.appended > CYCLES * 50, `only ${counts.appended} events were appended`);
  assert.deepEqual(missing.slice(0, 20), [], `${missing.length} events are lost`);
  assert.deepEqual(doubled, []);
});
