import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { localTimestamp, utcTimestamp } from "../../parse/timestamps.ts";
import { timestampMs } from "./event-time.ts";
import { hitsBetween, occurrencesOf, readAlertEvent } from "./occurrence.ts";

const AT_MS = 1_763_710_000_000;

function published(over: JsonObject = {}): JsonObject {
  return {
    Id: "0b6f3c0e-0000-4000-8000-000000000001",
    TimestampUTC: utcTimestamp(AT_MS),
    TimestampLocal: localTimestamp(AT_MS, 60),
    Name: "Login",
    Payload: [{ UserName: "ops", Result: "Fail" }],
    ...over,
  };
}

describe("a timestamp of an event", () => {
  it("reads what the agent writes, in UTC and local time", () => {
    const instants = fc.integer({ min: -60_000_000_000_000, max: 250_000_000_000_000 });
    fc.assert(
      fc.property(instants, fc.integer({ min: -1_439, max: 1_439 }), (ms, offsetMinutes) => {
        assert.equal(timestampMs(utcTimestamp(ms)), ms);
        assert.equal(timestampMs(localTimestamp(ms, offsetMinutes)), ms);
      }),
    );
  });

  it("agrees with the platform's own reading", () => {
    for (const text of [
      "2024-02-29T23:59:59Z",
      "2000-02-29T00:00:00.1234567+05:30",
      "1969-12-31T23:59:59.999-00:01",
      "2026-11-20T21:30:00Z",
    ]) {
      assert.equal(timestampMs(text), Date.parse(text), text);
    }
  });

  it("is refused where it is none", () => {
    for (const text of [
      "",
      "2026-11-20",
      "2026-11-20T21:30:00",
      "2026-13-01T00:00:00Z",
      "2026-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:61Z",
      "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00.Z",
      " 2026-01-01T00:00:00Z",
    ]) {
      assert.equal(timestampMs(text), undefined, text);
    }
  });
});

describe("a published event", () => {
  it("tells one occurrence per payload item", () => {
    const read = readAlertEvent(
      published({ Payload: [{ Result: "Fail" }, { Result: "Success" }] }),
    );
    assert.ok(read.ok);
    const occurrences = occurrencesOf(read.value);
    assert.deepEqual(
      occurrences.map((one) => [one.name, one.item["Result"], one.lastMs, one.hits]),
      [
        ["Login", "Fail", AT_MS, 1],
        ["Login", "Success", AT_MS, 1],
      ],
    );
  });

  it("has its hits and its window where it is an aggregate", () => {
    const details = (own: JsonObject) => {
      const read = readAlertEvent(published({ Payload: [{ ExtraDetails: own }] }));
      assert.ok(read.ok);
      const [one] = occurrencesOf(read.value);
      return [one?.hits, (one?.firstMs ?? 0) - AT_MS, (one?.lastMs ?? 0) - AT_MS];
    };
    const StartTimeUtc = utcTimestamp(AT_MS - 60_000);
    const EndTimeUtc = utcTimestamp(AT_MS - 1_000);
    assert.deepEqual(details({ HitCount: "7", StartTimeUtc, EndTimeUtc }), [7, -60_000, -1_000]);
    assert.deepEqual(
      details({
        HitCount: "7",
        StartTimeLocal: localTimestamp(AT_MS - 60_000, 120),
        EndTimeLocal: localTimestamp(AT_MS - 1_000, 120),
      }),
      [7, -60_000, -1_000],
    );
    assert.deepEqual(details({ HitCount: "7" }), [7, 0, 0]);
    assert.deepEqual(details({ HitCount: "1", StartTimeUtc, EndTimeUtc }), [1, -1_000, -1_000]);
    assert.deepEqual(details({ HitCount: "1e9", StartTimeUtc, EndTimeUtc }), [1, -1_000, -1_000]);
    assert.deepEqual(details({ HitCount: "999999999" }), [1_000_000, 0, 0]);
    assert.deepEqual(
      details({ HitCount: "3", StartTimeUtc: EndTimeUtc, EndTimeUtc: StartTimeUtc }),
      [3, -60_000, -60_000],
    );
  });

  it("is refused where it is none, whatever it is", () => {
    const bad: readonly JsonValue[] = [
      null,
      "x",
      [],
      {},
      published({ Name: 5 }),
      published({ TimestampUTC: "yesterday" }),
      published({ Payload: {} }),
      published({ Payload: [3] }),
    ];
    for (const json of bad) assert.equal(readAlertEvent(json).ok, false, JSON.stringify(json));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json: JsonValue = JSON.parse(JSON.stringify(value));
        readAlertEvent(json);
        const read = readAlertEvent(published({ Payload: [{ ExtraDetails: json }] }));
        assert.ok(read.ok && occurrencesOf(read.value).length === 1);
      }),
    );
  });
});

describe("the hits of an aggregate", () => {
  it("add up over adjoining windows, whatever their size", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.nat({ max: 7 * 86_400_000 }),
        fc.integer({ min: 60_000, max: 86_400_000 }),
        (hits, spanMs, windowMs) => {
          const occurrence = {
            eventId: "",
            name: "",
            item: {},
            hits,
            firstMs: AT_MS,
            lastMs: AT_MS + spanMs,
          };
          let sum = 0;
          const from = Math.floor(AT_MS / windowMs) * windowMs;
          for (let at = from; at <= AT_MS + spanMs; at += windowMs) {
            const part = hitsBetween(occurrence, at, at + windowMs);
            assert.ok(part >= 0);
            sum += part;
          }
          assert.equal(sum, hits);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("are spread evenly, the first and the last where they were", () => {
    const occurrence = { eventId: "", name: "", item: {}, hits: 5, firstMs: 0, lastMs: 400 };
    const parts = [0, 100, 200, 300, 400].map((at) => hitsBetween(occurrence, at, at + 100));
    assert.deepEqual(parts, [1, 1, 1, 1, 1]);
    const pair = { ...occurrence, hits: 2 };
    assert.deepEqual(
      [0, 100, 200, 300, 400].map((at) => hitsBetween(pair, at, at + 100)),
      [1, 0, 0, 0, 1],
    );
  });
});
