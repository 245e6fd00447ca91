import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../support/fake-clock.ts";
import {
  ACKNOWLEDGED,
  bench,
  type HubScript,
  login,
  low,
  MINUTE_MS,
  marksOf,
  settingsWith,
} from "./pipeline-bench.ts";

const refuseAll: HubScript = () => ({ status: "refused", reason: "no" });

test("high priority goes within its interval and not before", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(7 * MINUTE_MS - 1);
  assert.equal(b.attempts.length, 0);
  await b.clock.advance(1);
  assert.deepEqual(b.arrived, ["a"]);
  assert.equal(b.sent[0]?.reason, "high-due");
});

test("low priority fills the message that high priority needs", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submit([...Array.from({ length: 40 }, (_, at) => low(`low-${at}`, 200)), login("a")]);
  await b.clock.advance(7 * MINUTE_MS);
  assert.equal(b.attempts.length, 1);
  const size = b.attempts[0]?.meteredBytes ?? 0;
  assert.ok(size > 7_500 && size <= 8_192, `${size} bytes`);
  assert.equal(b.arrived[0], "a");
  assert.equal(b.arrived[1], "low-0");
});

test("open aggregation windows fill a message that would be small", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submit(
    Array.from({ length: 30 }, (_, at) => ({
      name: "ProcessCreate" as const,
      payload: [{ UserName: `p-${at}`, CommandLine: `tool ${at}`, Executable: "/bin/tool" }],
    })),
  );
  b.pipeline.submit([login("a")]);
  await b.clock.advance(7 * MINUTE_MS);
  assert.equal(b.attempts.length, 1, "one message, although composing wakes the sender again");
  assert.ok((b.attempts[0]?.meteredBytes ?? 0) > 7_500);
  assert.equal(new Set(b.arrived).size, b.arrived.length);
});

test("low priority alone waits for its own interval", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submit([low("a")]);
  await b.clock.advance(300 * MINUTE_MS - 1);
  assert.equal(b.attempts.length, 0);
  await b.clock.advance(1);
  assert.equal(b.sent[0]?.reason, "low-due");
});

test("a whole message goes as soon as it has come together", async (t) => {
  const b = bench(t, settingsWith({ maxMessageBytes: 16_384 }));
  b.pipeline.setConnected(true);
  for (let at = 0; at < 40; at += 1) b.pipeline.submit([low(`${at}`, 300)]);
  await settle();
  assert.equal(b.sent[0]?.reason, "size-reached");
  assert.ok(b.sent.every(({ message }) => message.meteredBytes <= 16_384));
  assert.ok((b.sent[0]?.fillRatio ?? 0) > 0.9);
});

test("a cache hardly larger than a message is emptied before it evicts", async (t) => {
  const b = bench(t, settingsWith({ maxMessageBytes: 8_192, maxCacheBytes: 8_192 }));
  b.pipeline.setConnected(true);
  for (let at = 0; at < 200; at += 1) {
    b.pipeline.submit([low(`${at}`, 50)]);
    await settle();
  }
  await b.pipeline.flush(1_000);
  assert.equal(b.arrived.length, 200);
});

test("a flush sends everything at once and says what is left", async (t) => {
  const b = bench(t);
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a"), low("b")]);
  assert.deepEqual(await b.pipeline.flush(1_000), { sent: 1, waiting: 0 });
  assert.deepEqual(b.arrived, ["a", "b"]);
  assert.equal(b.sent[0]?.reason, "flush");
  b.pipeline.setConnected(false);
  b.pipeline.submit([login("c")]);
  assert.deepEqual(await b.pipeline.flush(1_000), { sent: 0, waiting: 1 });
});

test("a flush ends at its deadline although the hub is silent", async (t) => {
  const b = bench(t);
  b.setHub(() => new Promise(() => {}));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(7 * MINUTE_MS);
  const flushed = b.pipeline.flush(1_000);
  await b.clock.advance(1_000);
  assert.deepEqual(await flushed, { sent: 0, waiting: 1 });
});

test("a flush does not wait for a pause between attempts", async (t) => {
  const b = bench(t);
  b.setHub(() => ({ status: "retry", reason: "busy" }));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(30 * MINUTE_MS);
  b.setHub(() => ACKNOWLEDGED);
  assert.deepEqual(await b.pipeline.flush(1), { sent: 1, waiting: 0 });
});

test("a message lost with the connection goes again unchanged", async (t) => {
  const b = bench(t);
  b.setHub(() => {
    b.pipeline.setConnected(false);
    return { status: "retry", reason: "connection lost" };
  });
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(7 * MINUTE_MS);
  assert.equal(b.attempts.length, 1);
  b.pipeline.submit([login("b")]);
  b.setHub(() => ACKNOWLEDGED);
  b.pipeline.setConnected(true);
  await settle();
  const [first, second] = b.attempts;
  assert.equal(second?.messageId, first?.messageId);
  assert.deepEqual(second?.body, first?.body);
  assert.deepEqual(b.arrived, ["a"]);
});

test("what is on its way is not evicted, before and after the connection is lost", async (t) => {
  const b = bench(t, settingsWith({ maxMessageBytes: 8_192, maxCacheBytes: 8_192 }));
  let lose = (): void => {};
  b.setHub(
    () =>
      new Promise((resolve) => {
        lose = () => resolve({ status: "retry", reason: "connection lost" });
      }),
  );
  b.pipeline.setConnected(true);
  b.pipeline.submit([low("first", 4_000)]);
  await settle();
  assert.equal(b.attempts.length, 1);
  b.pipeline.submit(Array.from({ length: 5 }, (_, at) => low(`later-${at}`, 2_000)));
  b.pipeline.setConnected(false);
  lose();
  await settle();
  b.pipeline.submit(Array.from({ length: 5 }, (_, at) => low(`last-${at}`, 2_000)));
  b.setHub(() => ACKNOWLEDGED);
  b.pipeline.setConnected(true);
  await settle();
  assert.equal(b.arrived[0], "first");
  const dropped = b.spool.takeCounts().reduce((sum, counts) => sum + counts.droppedEvents, 0);
  const waiting = b.spool.state("low").events;
  assert.equal(b.arrived.length + waiting + dropped, 11, "nothing both arrived and was dropped");
});

test("a reconnection ends a pause between attempts", async (t) => {
  const b = bench(t);
  b.setHub(() => ({ status: "retry", reason: "busy" }));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(60 * MINUTE_MS);
  b.pipeline.setConnected(false);
  b.setHub(() => ACKNOWLEDGED);
  b.pipeline.setConnected(true);
  await settle();
  assert.deepEqual(b.arrived, ["a"]);
});

test("the pause that the hub asks for is kept and spread by up to a quarter", async (t) => {
  const b = bench(t);
  b.setHub(() => ({ status: "retry", reason: "throttled", afterMs: 30_000 }));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(7 * MINUTE_MS);
  b.setHub(() => ACKNOWLEDGED);
  await b.clock.advance(30_000);
  assert.equal(b.attempts.length, 1);
  await b.clock.advance(7_500);
  assert.equal(b.attempts.length, 2);
  assert.equal(b.attempts[1]?.messageId, b.attempts[0]?.messageId);
  assert.deepEqual(b.ledger.take(), { messagesSent: 1, messagesUnder4Kb: 1, totalFailed: 1 });
});

test("a hub that asks for an endless pause is tried again after an hour and a quarter", async (t) => {
  const b = bench(t);
  b.setHub(() => ({ status: "retry", reason: "throttled", afterMs: Number.MAX_SAFE_INTEGER }));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(7 * MINUTE_MS);
  b.setHub(() => ACKNOWLEDGED);
  await b.clock.advance(75 * MINUTE_MS);
  assert.deepEqual(b.arrived, ["a"]);
});

test("a refused message is taken apart until only the event at fault is dropped", async (t) => {
  const b = bench(t);
  b.setHub((message) =>
    marksOf(message).includes("poison") ? { status: "refused", reason: "no" } : ACKNOWLEDGED,
  );
  b.pipeline.setConnected(true);
  const marks = Array.from({ length: 21 }, (_, at) => (at === 13 ? "poison" : `m-${at}`));
  b.pipeline.submit(marks.map((mark) => login(mark)));
  await b.clock.advance(8 * MINUTE_MS);
  assert.deepEqual(b.refused, ["Login: no"]);
  assert.deepEqual(
    b.arrived,
    marks.filter((mark) => mark !== "poison"),
  );
  assert.ok(b.attempts.length < 20, `${b.attempts.length} attempts`);
});

test("a hub that refuses everything is asked ever more slowly", async (t) => {
  const b = bench(t);
  b.setHub(refuseAll);
  b.pipeline.setConnected(true);
  b.pipeline.submit(Array.from({ length: 500 }, (_, at) => login(`${at}`)));
  await b.clock.advance(67 * MINUTE_MS);
  assert.ok(b.attempts.length < 60, `${b.attempts.length} attempts in an hour`);
  assert.ok(b.refused.length < 60);
  assert.ok(b.spool.state("high").events > 400);
});

test("a hub that asks for retries gets a bounded number of attempts", async (t) => {
  for (const outcome of [
    { status: "retry", reason: "x" } as const,
    { status: "retry", reason: "x", afterMs: 0 } as const,
  ]) {
    const b = bench(t);
    b.setHub(() => outcome);
    b.pipeline.setConnected(true);
    b.pipeline.submit([login("a")]);
    await b.clock.advance(8 * MINUTE_MS);
    assert.ok(b.attempts.length >= 3 && b.attempts.length <= 121, `${b.attempts.length} attempts`);
    await b.pipeline.stop();
  }
});

test("without a connection nothing is sent and no timer runs", async (t) => {
  const b = bench(t);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(600 * MINUTE_MS);
  assert.equal(b.attempts.length, 0);
  assert.equal(b.clock.armed, 0);
  b.pipeline.setConnected(true);
  await settle();
  assert.deepEqual(b.arrived, ["a"], "what fell due in the meantime goes at once");
});

test("a transport that throws is a fault with a pause and the same message", async (t) => {
  const b = bench(t);
  b.setHub(() => Promise.reject(new Error("bug")));
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(8 * MINUTE_MS);
  assert.ok(b.faults.length >= 2 && b.faults.length < 20, `${b.faults.length} faults`);
  b.setHub(() => ACKNOWLEDGED);
  await b.clock.advance(5 * MINUTE_MS);
  assert.deepEqual(b.arrived, ["a"]);
  assert.equal(new Set(b.attempts.map(({ messageId }) => messageId)).size, 1);
});

test("a spool that fails is a fault with growing pauses, and a flush over it ends", async (t) => {
  const b = bench(t);
  b.pipeline.submit([login("a")]);
  const peek = b.spool.peek.bind(b.spool);
  b.spool.peek = () => {
    throw new Error("disk gone");
  };
  b.pipeline.setConnected(true);
  await b.clock.advance(67 * MINUTE_MS);
  assert.ok(b.faults.length >= 3 && b.faults.length < 50, `${b.faults.length} faults`);
  assert.deepEqual(await b.pipeline.flush(1_000), { sent: 0, waiting: 1 });
  b.spool.peek = peek;
  await b.clock.advance(3 * MINUTE_MS);
  assert.deepEqual(b.arrived, ["a"]);
});

test("a stop gives up the message under way and leaves its events in the spool", async (t) => {
  const b = bench(t);
  let wasAborted = false;
  b.setHub(
    (_, signal) =>
      new Promise(() => {
        signal.addEventListener("abort", () => {
          wasAborted = true;
        });
      }),
  );
  b.pipeline.setConnected(true);
  b.pipeline.submit([login("a")]);
  await b.clock.advance(7 * MINUTE_MS);
  b.pipeline.submit([{ name: "ProcessCreate", payload: [{ Executable: "/bin/true" }] }]);
  await b.pipeline.stop();
  assert.ok(wasAborted);
  assert.equal(b.attempts.length, 1);
  assert.equal(b.spool.state("high").events, 1);
  assert.equal(b.spool.state("low").events, 1, "the open window is in the spool");
  assert.equal(b.clock.armed, 0);
  await b.pipeline.stop();
});
