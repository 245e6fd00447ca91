import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { localTimestamp, utcTimestamp } from "./timestamps.ts";

const instant = fc.integer({ min: -62_000_000_000_000, max: 253_000_000_000_000 });

describe("timestamps", () => {
  it("write UTC as the platform's own calendar does", () => {
    fc.assert(
      fc.property(instant, (ms) => {
        assert.equal(utcTimestamp(ms), new Date(ms).toISOString());
      }),
    );
  });

  it("write local time with the offset that leads back to the same instant", () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: -840, max: 840 }), (ms, offset) => {
        assert.equal(new Date(localTimestamp(ms, offset)).getTime(), ms);
      }),
    );
    assert.equal(localTimestamp(1_795_210_200_000, 60), "2026-11-20T22:30:00.000+01:00");
    assert.equal(localTimestamp(0, -210), "1969-12-31T20:30:00.000-03:30");
  });

  it("stay valid for times no calendar has", () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300, 0.5]) {
      assert.match(utcTimestamp(odd), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
  });
});
