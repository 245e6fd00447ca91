import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MethodReply } from "../../src/contract/transport.ts";
import { MethodServer } from "../../src/transport/method-server.ts";
import { FakeClock } from "../support/fake-clock.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function setUp(onMethod: () => Promise<MethodReply>) {
  const clock = new FakeClock();
  const published: [string, string][] = [];
  const server = new MethodServer({
    clock,
    deadlineMs: 30_000,
    onMethod,
    publish: async (topic, payload) => published.push([topic, payload]),
  });
  return { clock, server, published };
}

describe("direct methods", () => {
  it("answer 504 when the handler is late, once", async () => {
    const { clock, server, published } = setUp(() => new Promise(() => undefined));
    const call = server.onCall("slow", "7", bytes("{}"));
    await clock.advance(30_000);
    await call;
    assert.deepEqual(published, [
      ["$iothub/methods/res/504/?$rid=7", '{"error":"no answer within the deadline"}'],
    ]);
    assert.equal(clock.armed, 0);
  });

  it("answer 429 beyond eight calls at a time", async () => {
    const { clock, server } = setUp(() => new Promise(() => undefined));
    const calls = Array.from({ length: 9 }, () => server.answer("slow", bytes("")));
    await clock.advance(30_000);
    const statuses = (await Promise.all(calls)).map((reply) => reply.status);
    assert.deepEqual(statuses, [504, 504, 504, 504, 504, 504, 504, 504, 429]);
  });

  it("refuse a payload over 128 KB before it is parsed", async () => {
    const { server } = setUp(() => Promise.resolve({ status: 200, payload: null }));
    const reply = await server.answer("m", bytes(`"${"x".repeat(131_072)}"`));
    assert.equal(reply.status, 400);
    assert.equal((await server.answer("m", bytes(" "))).status, 200);
  });

  it("survive a handler that throws before it returns a promise", async () => {
    const { server } = setUp(() => {
      throw new Error("broken");
    });
    assert.deepEqual(await server.answer("m", bytes("1")), {
      status: 500,
      payload: { error: "broken" },
    });
  });
});
