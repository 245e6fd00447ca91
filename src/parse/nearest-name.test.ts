import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nearestName } from "./nearest-name.ts";

const NAMES = ["snapshotFrequency", "eventPriorityLogin", "eventPriorityLocalUsers"];

describe("the nearest name", () => {
  it("is found over swapped, missing and changed letters and over case", () => {
    assert.equal(nearestName("snapshotFrequecny", NAMES), "snapshotFrequency");
    assert.equal(nearestName("SnapShotfrequency", NAMES), "snapshotFrequency");
    assert.equal(nearestName("eventPriorityLogins", NAMES), "eventPriorityLogin");
    assert.equal(nearestName("eventPrioritLocalUser", NAMES), "eventPriorityLocalUsers");
  });

  it("is not invented when nothing is near", () => {
    assert.equal(nearestName("colour", NAMES), undefined);
    assert.equal(nearestName("", NAMES), undefined);
    assert.equal(nearestName("x".repeat(5_000), NAMES), undefined);
    assert.equal(nearestName("snapshotFrequency", []), undefined);
  });

  it("is the name itself when it is known, whatever the others are", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), {
          minLength: 1,
          selector: (name) => name.toLowerCase(),
        }),
        (names) => {
          for (const name of names) assert.equal(nearestName(name, names), name);
        },
      ),
      { numRuns: 50 },
    );
  });
});
