import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { answerMethod, type MethodActions } from "./methods.ts";

function actions(overrides: Partial<MethodActions> = {}): MethodActions {
  return {
    status: () => ({ version: "1" }),
    collect: async (names) =>
      (names ?? ["all"]).map((name) => ({ name, outcome: name === "x" ? "unknown" : "done" })),
    flush: async () => ({ sent: 2, waiting: 0 }),
    posture: () => ({ unhealthy: 1 }),
    scan: async () => ({ isComplete: true, unhealthy: 0 }),
    ...overrides,
  };
}

describe("direct methods", () => {
  it("answer status and flush", async () => {
    assert.deepEqual(await answerMethod({ name: "status", payload: null }, actions()), {
      status: 200,
      payload: { version: "1" },
    });
    assert.deepEqual(await answerMethod({ name: "flush", payload: null }, actions()), {
      status: 200,
      payload: { sent: 2, waiting: 0 },
    });
  });

  it("tell the verdicts, as they are or after a scan", async () => {
    assert.deepEqual(await answerMethod({ name: "posture", payload: null }, actions()), {
      status: 200,
      payload: { unhealthy: 1 },
    });
    assert.deepEqual(await answerMethod({ name: "scan", payload: null }, actions()), {
      status: 200,
      payload: { isComplete: true, unhealthy: 0 },
    });
  });

  it("collect everything, or what is named in either form", async () => {
    for (const payload of [["listening-ports"], { collectors: ["listening-ports"] }]) {
      const reply = await answerMethod({ name: "collect", payload }, actions());
      assert.deepEqual(reply, {
        status: 200,
        payload: { collected: [{ name: "listening-ports", outcome: "done" }] },
      });
    }
    const all = await answerMethod({ name: "collect", payload: {} }, actions());
    assert.deepEqual(all.payload, { collected: [{ name: "all", outcome: "done" }] });
  });

  it("say 404 when a named collector is not on, and for unknown methods", async () => {
    const reply = await answerMethod({ name: "collect", payload: ["x"] }, actions());
    assert.equal(reply.status, 404);
    assert.equal((await answerMethod({ name: "reboot", payload: null }, actions())).status, 404);
  });

  it("turn a failure into 500 with its reason", async () => {
    const flush = () => Promise.reject(new Error("disk on fire"));
    const reply = await answerMethod({ name: "flush", payload: null }, actions({ flush }));
    assert.deepEqual(reply, { status: 500, payload: { error: "disk on fire" } });
  });

  it("never throw, whatever name and payload arrive", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.jsonValue(), async (name, payload) => {
        const reply = await answerMethod({ name, payload: payload as never }, actions());
        assert.ok([200, 400, 404].includes(reply.status));
      }),
    );
    const odd = await answerMethod({ name: "collect", payload: [1, 2] }, actions());
    assert.equal(odd.status, 400);
  });
});
