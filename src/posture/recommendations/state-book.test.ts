import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonValue } from "../../contract/json.ts";
import { RECOMMENDATION_TYPES, type RecommendationType } from "./catalogue.ts";
import { EMPTY_BOOK, noteVerdicts, readStateBook, type StateBook } from "./state-book.ts";
import { summarise } from "./summary.ts";
import { type HealthState, type Verdict, verdictOf } from "./verdict.ts";

function verdict(
  state: HealthState,
  type: RecommendationType = "IoT_OpenPorts",
  count = 1,
): Verdict {
  return verdictOf(type, { state, count, missing: state === "unknown" ? ["x"] : [] });
}

/** The book after the states, one second apart from 1 s on, and the changes of the last look. */
function after(...states: readonly HealthState[]) {
  let result: ReturnType<typeof noteVerdicts> = { book: EMPTY_BOOK, changes: [] };
  for (const [at, state] of states.entries())
    result = noteVerdicts(result.book, [verdict(state)], (at + 1) * 1000);
  return { entry: result.book.entries[0], changes: result.changes };
}

describe("noteVerdicts", () => {
  it("tells the first state and then only changes", () => {
    assert.equal(after("healthy").changes[0]?.from, undefined);
    assert.equal(after("healthy", "healthy").changes.length, 0);
    const { changes } = after("healthy", "unhealthy");
    assert.deepEqual([changes[0]?.from, changes[0]?.verdict.state], ["healthy", "unhealthy"]);
  });

  it("remembers since when, and first and last sight of what is wrong", () => {
    const { entry } = after("healthy", "unhealthy", "unhealthy", "unhealthy");
    assert.deepEqual(entry, {
      type: "IoT_OpenPorts",
      state: "unhealthy",
      count: 1,
      sinceMs: 2000,
      firstSeenMs: 2000,
      lastSeenMs: 4000,
      hasCleared: false,
    });
  });

  it("goes on with a spell after an unknown look, and starts a new one after a healthy look", () => {
    assert.equal(after("unhealthy", "unknown", "unhealthy").entry?.firstSeenMs, 1000);
    assert.equal(after("unhealthy", "healthy", "unhealthy").entry?.firstSeenMs, 3000);
    assert.equal(after("unhealthy", "healthy", "unknown", "unhealthy").entry?.firstSeenMs, 4000);
    assert.equal(after("unhealthy", "healthy").entry?.lastSeenMs, 1000);
  });

  it("keeps what has no verdict this time", () => {
    const first = noteVerdicts(EMPTY_BOOK, [verdict("unhealthy")], 1);
    const second = noteVerdicts(first.book, [verdict("healthy", "IoT_Baseline")], 2);
    assert.deepEqual(
      second.book.entries.map(({ type, state }) => [type, state]),
      [
        ["IoT_Baseline", "healthy"],
        ["IoT_OpenPorts", "unhealthy"],
      ],
    );
  });

  it("stays in order when the clock is set back", () => {
    const first = noteVerdicts(EMPTY_BOOK, [verdict("unhealthy")], 9000);
    const [entry] = noteVerdicts(first.book, [verdict("unhealthy")], 1000).book.entries;
    assert.deepEqual([entry?.firstSeenMs, entry?.lastSeenMs], [9000, 9000]);
  });

  it("is the same after it was stored, bounded, and told of every change", () => {
    const step = fc.record({
      type: fc.constantFrom(...RECOMMENDATION_TYPES),
      state: fc.constantFrom<HealthState>("healthy", "unhealthy", "unknown"),
      nowMs: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let book: StateBook = EMPTY_BOOK;
        for (const { type, state, nowMs } of steps) {
          const before = book.entries.find((entry) => entry.type === type)?.state;
          const result = noteVerdicts(book, [verdict(state, type)], nowMs);
          assert.equal(result.changes.length, before === state ? 0 : 1);
          const stored: JsonValue = JSON.parse(JSON.stringify(result.book));
          assert.deepEqual(readStateBook(stored), result.book);
          book = result.book;
        }
        assert.ok(book.entries.length <= RECOMMENDATION_TYPES.length);
      }),
    );
  });

  it("reads any stored value without failing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (junk) => {
        // fast-check's JSON is JSON; its type says unknown.
        assert.deepEqual(readStateBook(junk as JsonValue), EMPTY_BOOK);
      }),
    );
    const stored = { entries: [{ type: "IoT_Gone", state: "healthy", sinceMs: 1 }, 3, null] };
    assert.deepEqual(readStateBook(stored), EMPTY_BOOK);
  });
});

describe("summarise", () => {
  const states = ["unhealthy", "healthy", "unknown"] as const;
  const verdicts = RECOMMENDATION_TYPES.map((type, at) =>
    verdict(states[at % 3] ?? "healthy", type, 12),
  );
  const { book } = noteVerdicts(EMPTY_BOOK, verdicts, 1_700_000_000_000);

  it("has state, count and time by type", () => {
    const summary = summarise(book);
    assert.deepEqual(Object.keys(summary), [...RECOMMENDATION_TYPES].sort());
    assert.deepEqual(summary["IoT_OpenPorts"], {
      state: "unhealthy",
      count: 12,
      since: "2023-11-14T22:13:20.000Z",
    });
    assert.equal(summary["IoT_PermissiveFirewallPolicy"]?.count, undefined);
  });

  it("never takes more than its bound, and keeps what is unhealthy longest", () => {
    for (let bound = 0; bound <= 900; bound += 10) {
      const summary = summarise(book, bound);
      assert.ok(JSON.stringify(summary).length <= Math.max(bound, 2));
    }
    const kept = Object.values(summarise(book, 150)).map((entry) => entry.state);
    assert.ok(kept.length > 0 && kept.every((state) => state === "unhealthy"));
    assert.ok(JSON.stringify(summarise(book)).length < 900);
  });
});
