import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventDraft } from "../../src/contract/event.ts";
import { EVENT_KINDS, EVENT_NAMES } from "../../src/contract/event.ts";
import { createStamp } from "../../src/pipeline/stamp.ts";
import { FakeClock } from "../support/fake-clock.ts";

const ID = "00000000-0000-4000-8000-000000000001";
const random = { fraction: () => 0, uuid: () => ID };

function stamped(draft: EventDraft) {
  const result = createStamp(new FakeClock(), random)(draft);
  assert.ok(result.ok);
  return result.value;
}

test("a draft becomes an event with identity, both times and the kind of its name", () => {
  const event = stamped({ name: "Login", payload: [{ UserName: "root", ProcessId: 7 }] });
  assert.deepEqual(event, {
    Id: ID,
    TimestampLocal: "2026-01-15T13:00:00.000+01:00",
    TimestampUTC: "2026-01-15T12:00:00.000Z",
    Category: "Triggered",
    Name: "Login",
    EventType: "Security",
    IsEmpty: false,
    PayloadSchemaVersion: "1.0",
    Payload: [{ UserName: "root", ProcessId: 7 }],
  });
});

test("the time of the occurrence wins over the time of the hand-over", () => {
  const event = stamped({ name: "Login", payload: [{}], occurredAtMs: Date.UTC(2025, 0, 1) });
  assert.equal(event.TimestampUTC, "2025-01-01T00:00:00.000Z");
  assert.equal(event.TimestampLocal, "2025-01-01T01:00:00.000+01:00");
});

test("absent fields are left out and values of ExtraDetails become text", () => {
  const details: Record<string, string> = JSON.parse(
    '{"hits": 3, "on": true, "none": null, "a": "b"}',
  );
  const event = stamped({
    name: "Login",
    payload: [{ UserName: undefined, ExtraDetails: details }],
  });
  assert.equal(
    JSON.stringify(event.Payload),
    '[{"ExtraDetails":{"hits":"3","on":"true","a":"b"}}]',
  );
});

test("an empty payload is an empty periodic event, and no triggered event at all", () => {
  const stamp = createStamp(new FakeClock(), random);
  for (const name of EVENT_NAMES) {
    const result = stamp({ name, payload: [] });
    assert.equal(result.ok, EVENT_KINDS[name].category === "Periodic", name);
    if (result.ok) assert.equal(result.value.IsEmpty, true);
    else assert.equal(result.problem.code, "malformed");
  }
});

test("a draft with a key has the Id that follows from it, and another one under another key", () => {
  const login = (key: string): string =>
    stamped({ name: "Login", payload: [{}], key, occurredAtMs: 1 }).Id;
  assert.equal(login("journal 7"), login("journal 7"));
  assert.notEqual(login("journal 7"), login("journal 8"));
  assert.match(
    login("journal 7"),
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});
