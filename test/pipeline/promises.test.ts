import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { OutgoingMessage } from "../../src/contract/message.ts";
import {
  ACKNOWLEDGED,
  type Bench,
  low,
  MINUTE_MS,
  makeBench,
  settingsWith,
} from "./pipeline-bench.ts";

const HUB_DELAY_MS = 400;

/** What the hub would meter, counted from the message itself. */
function metered(message: OutgoingMessage): number {
  const values = [message.messageId, message.contentType, message.contentEncoding];
  const texts = [...values, ...Object.entries(message.properties).flat()];
  return message.body.length + Buffer.byteLength(texts.join(""));
}

async function withBench(limit: number, use: (b: Bench) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-promises-"));
  try {
    await use(makeBench(folder, settingsWith({ maxMessageBytes: limit })));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const step = fc.record({
  kind: fc.constantFrom("high", "low", "process"),
  count: fc.integer({ min: 1, max: 20 }),
  text: fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "binary", maxLength: 80 }).map((part) => part.repeat(200)),
  ),
  waitMs: fc.integer({ min: 0, max: 60 * MINUTE_MS }),
  nextLimit: fc.option(fc.integer({ min: 8_192, max: 60_000 })),
});

test("with a hub that accepts, no message is over the limit, none overlap, and high is on time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), (steps) =>
      withBench(20_480, async (b) => {
        let limit = 20_480;
        let inFlight = 0;
        const arrivedAtMs = new Map<string, number>();
        b.setHub(async (message) => {
          inFlight += 1;
          assert.equal(inFlight, 1, "messages under way");
          assert.equal(message.meteredBytes, metered(message));
          assert.ok(message.meteredBytes <= limit, `${message.meteredBytes} > ${limit}`);
          await b.clock.sleep(HUB_DELAY_MS);
          inFlight -= 1;
          for (const [mark] of Buffer.from(message.body)
            .toString("utf8")
            .matchAll(/high-\d+-\d+/g))
            arrivedAtMs.set(mark, b.clock.monotonicMs());
          return ACKNOWLEDGED;
        });
        b.pipeline.setConnected(true);
        const submittedAtMs = new Map<string, number>();
        for (const [round, { kind, count, text, waitMs, nextLimit }] of steps.entries()) {
          for (let at = 0; at < count; at += 1) {
            const mark = `${kind}-${round}-${at}`;
            const payload = [{ UserName: mark, CommandLine: `${text}${at}` }];
            if (kind === "high") {
              submittedAtMs.set(mark, b.clock.monotonicMs());
              b.pipeline.submit([{ name: "Login", payload }]);
            } else if (kind === "low") b.pipeline.submit([low(mark, text.length)]);
            else b.pipeline.submit([{ name: "ProcessCreate", payload }]);
          }
          await b.clock.advance(waitMs);
          if (nextLimit !== null) {
            limit = Math.max(limit, nextLimit);
            const changed = b.pipeline.applySettings(settingsWith({ maxMessageBytes: nextLimit }));
            await b.clock.advance(MINUTE_MS);
            await changed;
            limit = nextLimit;
          }
        }
        await b.clock.advance(8 * MINUTE_MS);
        assert.deepEqual(b.faults, []);
        for (const [mark, atMs] of submittedAtMs) {
          const waitMs = (arrivedAtMs.get(mark) ?? Number.POSITIVE_INFINITY) - atMs;
          assert.ok(waitMs <= 7 * MINUTE_MS + 1_000 + backlogMs(b), `${mark} took ${waitMs} ms`);
        }
        await b.pipeline.stop();
      }),
    ),
    { numRuns: 60 },
  );
});

/** A burst of several messages takes the hub's time for each: one is under way at a time. */
function backlogMs(b: Bench): number {
  return b.attempts.length * HUB_DELAY_MS;
}
