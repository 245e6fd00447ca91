import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SecurityEvent } from "../../src/contract/event.ts";
import { isJsonObject, type JsonObject } from "../../src/contract/json.ts";
import { splitOversize } from "../../src/pipeline/oversize.ts";

const ID = "0b8b7d9e-1111-4222-8333-444455556666";

function event(payload: readonly JsonObject[]): SecurityEvent {
  return {
    Id: ID,
    TimestampLocal: "2026-01-15T13:00:00.000+01:00",
    TimestampUTC: "2026-01-15T12:00:00.000Z",
    Category: "Periodic",
    Name: "ListeningPorts",
    EventType: "Security",
    IsEmpty: false,
    PayloadSchemaVersion: "1.0",
    Payload: payload,
  };
}

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
const details = (item: JsonObject | undefined): JsonObject => {
  const found = item?.["ExtraDetails"];
  return isJsonObject(found) ? found : {};
};

test("an event that fits is returned as it is", () => {
  const small = event([{ Port: "1" }]);
  assert.deepEqual(splitOversize(small, bytes(small)), [small]);
  assert.deepEqual(splitOversize(event([]), 10), [event([])]);
});

test("a large event becomes whole events that name the original and their place", () => {
  const items = Array.from({ length: 100 }, (_, at) => ({ Port: String(at), Pad: "x".repeat(90) }));
  const parts = splitOversize(event(items), 2_048);
  assert.ok(parts.length >= 5);
  for (const [at, part] of parts.entries()) {
    assert.match(part.Id, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const item of part.Payload) {
      assert.deepEqual(details(item), { PartOf: ID, Part: `${at + 1}/${parts.length}` });
    }
  }
  assert.equal(new Set(parts.map((part) => part.Id)).size, parts.length);
});

test("the same event always gives the same parts", () => {
  const items = Array.from({ length: 50 }, (_, at) => ({ Port: String(at), Pad: "x".repeat(200) }));
  assert.deepEqual(splitOversize(event(items), 2_048), splitOversize(event(items), 2_048));
});

test("a part that must be split again still names the original event", () => {
  const items = Array.from({ length: 60 }, (_, at) => ({ Port: String(at), Pad: "x".repeat(100) }));
  const [first] = splitOversize(event(items), 6_000);
  assert.ok(first !== undefined);
  const again = splitOversize(first, 2_048);
  assert.ok(again.length > 1);
  assert.equal(details(again[0]?.Payload[0])["PartOf"], ID);
  assert.match(String(details(again[1]?.Payload[0])["Part"]), /^1\/\d+\.2\/\d+$/);
});

test("a text that is too long is cut between characters and says how much is missing", () => {
  const [part, ...more] = splitOversize(
    event([{ CommandLine: "🔑".repeat(5_000), Pid: 1 }]),
    2_048,
  );
  assert.equal(more.length, 0);
  assert.equal(part?.Id, ID);
  const item = part?.Payload[0];
  assert.equal(details(item)["Truncated"], "true");
  const found = /^((?:🔑)+)…\[truncated (\d+) bytes\]$/u.exec(String(item?.["CommandLine"]));
  assert.ok(found !== null);
  assert.equal(Buffer.byteLength(found[1] ?? "") + Number(found[2]), 20_000);
  assert.ok(bytes(part) > 1_800, "no more is cut than needed");
  assert.equal(item?.["Pid"], 1);
});

test("an item of countless small fields loses its last ones and says how many", () => {
  const extra = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`key-${at}`, "v"]));
  const [part] = splitOversize(event([{ Executable: "/bin/sh", ExtraDetails: extra }]), 2_048);
  const item = part?.Payload[0];
  assert.ok(bytes(part) <= 2_048);
  assert.equal(item?.["Executable"], "/bin/sh");
  const kept = Object.keys(details(item)).filter((name) => name.startsWith("key-")).length;
  assert.ok(kept > 20);
  assert.equal(Number(details(item)["OmittedFields"]), 900 - kept);
});

test("every part fits, no item is lost or moved, and what was cut is marked", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: "binary", maxLength: 40 }).map((value) => value.repeat(300)),
  );
  const item = fc.record({
    CommandLine: text,
    Executable: text,
    ExtraDetails: fc.dictionary(fc.string({ maxLength: 60 }), text, { maxKeys: 12 }),
  });
  fc.assert(
    fc.property(
      fc.array(item, { minLength: 1, maxLength: 15 }),
      fc.integer({ min: 2_048, max: 9_000 }),
      (items, limit) => {
        const numbered = items.map((fields, at) => ({ At: at, ...fields }));
        const parts = splitOversize(event(numbered), limit);
        for (const part of parts) assert.ok(bytes(part) <= limit, `${bytes(part)} > ${limit}`);
        const back = parts.flatMap((part) => part.Payload);
        assert.deepEqual(
          back.map((found) => found["At"]),
          numbered.map(({ At }) => At),
        );
        for (const [at, found] of back.entries()) {
          const isWhole = found["CommandLine"] === numbered[at]?.CommandLine;
          assert.ok(isWhole || details(found)["Truncated"] === "true");
        }
      },
    ),
    { numRuns: 150 },
  );
});
