import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { backoffDelayMs, boundsFor } from "../../src/transport/backoff.ts";

const bounds = fc
  .tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 0, max: 3_600_000 }))
  .map(([floorMs, moreMs]) => ({ floorMs, capMs: floorMs + moreMs }));
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const attempt = fc.integer({ min: 1, max: 2_000_000_000 });

describe("backoff", () => {
  it("stays between floor and cap for any number of failures", () => {
    fc.assert(
      fc.property(attempt, bounds, fraction, (failures, within, chance) => {
        const delayMs = backoffDelayMs(failures, within, { fraction: () => chance });
        assert.ok(delayMs >= within.floorMs && delayMs <= within.capMs, `${delayMs}`);
      }),
    );
  });

  it("never shrinks its window as failures go on", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        bounds,
        fraction,
        (failures, within, chance) => {
          const random = { fraction: () => chance };
          const now = backoffDelayMs(failures, within, random);
          assert.ok(backoffDelayMs(failures + 1, within, random) >= now);
        },
      ),
    );
  });

  it("spreads the first wait over three floors and reaches the cap", () => {
    const within = { floorMs: 1_000, capMs: 300_000 };
    assert.equal(backoffDelayMs(1, within, { fraction: () => 0 }), 1_000);
    assert.equal(backoffDelayMs(1, within, { fraction: () => 1 }), 4_000);
    assert.equal(backoffDelayMs(2, within, { fraction: () => 1 }), 8_000);
    assert.equal(backoffDelayMs(8, within, { fraction: () => 1 }), 300_000);
  });

  it("is more patient with a hub that pushes back", () => {
    const normal = { floorMs: 1_000, capMs: 300_000 };
    assert.deepEqual(boundsFor("normal", normal), normal);
    assert.deepEqual(boundsFor("throttled", normal), { floorMs: 5_000, capMs: 300_000 });
    assert.deepEqual(boundsFor("credentials", normal), { floorMs: 5_000, capMs: 300_000 });
    assert.deepEqual(boundsFor("evicted", normal), { floorMs: 30_000, capMs: 900_000 });
  });
});
