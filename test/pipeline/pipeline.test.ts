import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { record, text } from "../../src/contract/schema.ts";
import { DEFAULT_SETTINGS } from "../../src/contract/settings.ts";
import { settle } from "../support/fake-clock.ts";
import {
  ACKNOWLEDGED,
  bench,
  login,
  low,
  MINUTE_MS,
  makeBench,
  marksOf,
  settingsWith,
} from "./pipeline-bench.ts";

test("an event that is off is not collected", async (t) => {
  const eventPriority = { ...DEFAULT_SETTINGS.eventPriority, Login: "Off" as const };
  const b = bench(t, settingsWith({ eventPriority }));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a"), low("b")]);
  await b.pipeline.flush(1_000);
  assert.deepEqual(b.arrived, ["b"]);
  assert.equal(b.pipeline.quarantined, 0);
});

test("a payload that is not as its schema says is counted and kept away from the hub", async (t) => {
  const schema = record({ UserName: text({ doc: "who" }) });
  const b = bench(t, DEFAULT_SETTINGS, new Map([["Login", schema]]));
  b.pipeline.setConnected(true);
  b.pipeline.submit([
    { name: "Login", payload: [{ UserName: "good" }] },
    { name: "Login", payload: [{ UserName: 5 }] },
    { name: "Login", payload: [{ UserName: "secret", Unknown: "s3cret" }] },
    { name: "Login", payload: [] },
  ]);
  await b.pipeline.flush(1_000);
  assert.deepEqual(b.arrived, ["good"]);
  assert.equal(b.pipeline.quarantined, 3);
  assert.equal(b.quarantined.length, 3);
  assert.ok(!b.quarantined.join().includes("s3cret"));
});

test("what was collected before a change of settings is sent before it applies", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a"), low("b")]);
  await b.pipeline.applySettings(settingsWith({ highPriorityIntervalMs: MINUTE_MS }));
  assert.deepEqual(b.arrived, ["a", "b"]);
  b.pipeline.submit([login("c")]);
  await b.clock.advance(MINUTE_MS);
  assert.deepEqual(b.arrived, ["a", "b", "c"]);
});

test("changes of settings apply in the order they were asked for", async (t) => {
  const b = bench(t);
  b.setHub(() => new Promise(() => {}));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  const eventPriority = { ...DEFAULT_SETTINGS.eventPriority, Login: "Off" as const };
  const first = b.pipeline.applySettings(settingsWith({ eventPriority }));
  const second = b.pipeline.applySettings(DEFAULT_SETTINGS);
  await b.clock.advance(5_000);
  await Promise.all([first, second]);
  b.pipeline.submit([login("b")]);
  assert.equal(b.spool.state("high").events, 2);
});

test("a lower interval brings a waiting event forward", async (t) => {
  const b = bench(t);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(2 * MINUTE_MS);
  await b.pipeline.applySettings(settingsWith({ highPriorityIntervalMs: MINUTE_MS }));
  b.pipeline.setConnected(true);
  await settle();
  assert.deepEqual(b.arrived, ["a"]);
});

test("an event that waits and no longer fits a lowered limit leaves in parts", async (t) => {
  const b = bench(t);
  const items = Array.from({ length: 60 }, (_, at) => ({
    UserName: `u-${at}`,
    Pad: "x".repeat(400),
  }));
  b.pipeline.submit([{ name: "Login", payload: items }, login("after")]);
  assert.equal(b.spool.state("high").events, 2);
  await b.pipeline.applySettings(settingsWith({ maxMessageBytes: 8_192 }));
  b.pipeline.setConnected(true);
  await b.clock.advance(7 * MINUTE_MS);
  assert.ok(b.attempts.length >= 4);
  assert.ok(b.attempts.every((message) => message.meteredBytes <= 8_192));
  const names = b.attempts.flatMap((message) => {
    const body: { Events: { Payload: { UserName: string }[] }[] } = JSON.parse(
      Buffer.from(message.body).toString("utf8"),
    );
    return body.Events.flatMap((event) => event.Payload.map((item) => item.UserName));
  });
  assert.deepEqual(names, [...items.map((item) => item.UserName), "after"]);
  assert.equal(b.spool.state("high").events, 0);
});

test("parts that a lost connection interrupts go on unchanged, and the event leaves with the last", async (t) => {
  const b = bench(t);
  const items = Array.from({ length: 60 }, () => ({ UserName: "u", Pad: "x".repeat(400) }));
  b.pipeline.submit([{ name: "Login", payload: items }]);
  await b.pipeline.applySettings(settingsWith({ maxMessageBytes: 8_192 }));
  b.setHub(() => {
    if (b.attempts.length !== 2) return ACKNOWLEDGED;
    b.pipeline.setConnected(false);
    return { status: "retry", reason: "connection lost" };
  });
  b.pipeline.setConnected(true);
  await b.clock.advance(7 * MINUTE_MS);
  assert.equal(b.spool.state("high").events, 1);
  b.pipeline.setConnected(true);
  await settle();
  assert.equal(b.spool.state("high").events, 0);
  assert.equal(b.attempts[2]?.messageId, b.attempts[1]?.messageId);
  assert.equal(new Set(b.attempts.map(({ messageId }) => messageId)).size, b.attempts.length - 1);
});

test("an event too large for a message is split before it waits", async (t) => {
  const b = bench(t, settingsWith({ maxMessageBytes: 8_192 }));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a", 30_000)]);
  await b.pipeline.flush(1_000);
  assert.deepEqual(b.arrived, ["a"]);
  assert.ok((b.attempts[0]?.meteredBytes ?? 0) <= 8_192);
});

test("high priority about the agent itself does not wait behind low priority", async (t) => {
  const eventPriority = { ...DEFAULT_SETTINGS.eventPriority, Diagnostic: "High" as const };
  const b = bench(t, settingsWith({ eventPriority }));
  b.pipeline.setConnected(true);
  b.pipeline.submit([{ name: "ConfigurationError", payload: [{ UserName: "low" }] }]);
  b.pipeline.submit([{ name: "Diagnostic", payload: [{ UserName: "high" }] }]);
  await b.clock.advance(7 * MINUTE_MS);
  assert.ok(b.arrived.includes("high"));
});

test("what a full disk refused goes on when the disk recovers, without another event", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.spool.isRefusing = true;
  b.pipeline.submit([login("a")]);
  await b.clock.advance(10 * MINUTE_MS);
  assert.equal(b.attempts.length, 0);
  b.spool.isRefusing = false;
  await b.clock.advance(8 * MINUTE_MS);
  assert.deepEqual(b.arrived, ["a"]);
});

test("every event arrives or is counted as refused, and each queue keeps its order", async () => {
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.constant("acknowledge" as const) },
    { weight: 2, arbitrary: fc.constant("retry" as const) },
    { weight: 2, arbitrary: fc.constant("disconnect-lost" as const) },
    { weight: 2, arbitrary: fc.constant("disconnect-arrived" as const) },
    { weight: 1, arbitrary: fc.constant("refuse" as const) },
  );
  const step = fc.record({
    count: fc.integer({ min: 0, max: 12 }),
    isHigh: fc.boolean(),
    padding: fc.integer({ min: 0, max: 3_000 }),
    waitMs: fc.integer({ min: 0, max: 20 * MINUTE_MS }),
    reconnect: fc.boolean(),
    flush: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      fc.array(action, { maxLength: 30 }),
      async (steps, actions) => {
        const folder = mkdtempSync(join(tmpdir(), "gatewarden-pipeline-"));
        try {
          const b = makeBench(folder, settingsWith({ maxMessageBytes: 12_288 }));
          const reached: string[] = [];
          const bodies = new Map<string, string>();
          b.setHub((message) => {
            const next = actions[b.attempts.length - 1] ?? "acknowledge";
            const text_ = Buffer.from(message.body).toString("utf8");
            assert.equal(bodies.get(message.messageId) ?? text_, text_);
            bodies.set(message.messageId, text_);
            const isThere = next === "acknowledge" || next === "disconnect-arrived";
            if (isThere) reached.push(...marksOf(message));
            if (next === "acknowledge") return ACKNOWLEDGED;
            if (next === "refuse") return { status: "refused", reason: "no" };
            if (next !== "retry") b.pipeline.setConnected(false);
            return { status: "retry", reason: next };
          });
          const submitted: Record<"h" | "l", string[]> = { h: [], l: [] };
          for (const { count, isHigh, padding, waitMs, reconnect, flush } of steps) {
            for (let at = 0; at < count; at += 1) {
              const queue = isHigh ? "h" : "l";
              const mark = `${queue}-${submitted[queue].length}`;
              submitted[queue].push(mark);
              b.pipeline.submit([isHigh ? login(mark, padding) : low(mark, padding)]);
            }
            if (reconnect) b.pipeline.setConnected(true);
            const flushed = flush ? b.pipeline.flush(1_000) : undefined;
            await b.clock.advance(waitMs + 1_000);
            await flushed;
          }
          for (let round = 0; round < 40; round += 1) {
            b.pipeline.setConnected(true);
            await b.clock.advance(10 * MINUTE_MS);
          }
          const drained = b.pipeline.flush(1_000);
          await b.clock.advance(1_000);
          assert.equal((await drained).waiting, 0);
          assert.deepEqual(b.faults, []);
          const first = [...new Set(reached)];
          for (const queue of ["h", "l"] as const) {
            const mine = first.filter((mark) => mark.startsWith(queue));
            const expected = submitted[queue].filter((mark) => mine.includes(mark));
            assert.deepEqual(mine, expected, "order by first arrival");
          }
          const missing = [...submitted.h, ...submitted.l].filter((mark) => !first.includes(mark));
          assert.ok(missing.length <= b.refused.length);
          await b.pipeline.stop();
          assert.equal(b.clock.armed, 0);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 60 },
  );
});
