import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createMemoryRest, giveMemoryBack, type MemoryRest } from "./memory-rest.ts";

const MB = 1_000_000;
const MINUTE_MS = 60_000;

let clock: FakeClock;
let resident: number;
let given: number;
let rest: MemoryRest;

beforeEach(() => {
  clock = new FakeClock();
  resident = 70 * MB;
  given = 0;
  rest = createMemoryRest({
    clock,
    residentBytes: () => resident,
    giveBack: () => {
      given += 1;
      resident = 40 * MB;
    },
  });
});

async function lookAfter(waitMs: number): Promise<void> {
  await clock.advance(waitMs);
  rest.look();
}

describe("memory at rest", () => {
  it("is given back once the start is over, and not before", async () => {
    await lookAfter(5_000);
    assert.equal(given, 0);
    await lookAfter(15_000);
    assert.equal(given, 1);
  });

  it("stays where it is as long as little was added", async () => {
    await lookAfter(20_000);
    resident += 5 * MB;
    for (let minute = 0; minute < 60; minute += 1) await lookAfter(MINUTE_MS);
    assert.equal(given, 1);
  });

  it("is given back again after work that left much behind, once it is quiet", async () => {
    await lookAfter(20_000);
    resident = 52 * MB;
    await lookAfter(10 * MINUTE_MS);
    assert.equal(given, 1, "it has just grown");
    await lookAfter(MINUTE_MS);
    assert.equal(given, 2);
  });

  it("is given back under work that goes on, when it grows beyond bounds", async () => {
    await lookAfter(20_000);
    for (let step = 0; step < 5; step += 1) {
      resident += 5 * MB;
      await lookAfter(2 * MINUTE_MS);
    }
    assert.equal(given, 2);
  });

  it("waits until what was promised is on disk, and not for a disk that refuses", async () => {
    const steps: string[] = [];
    for (const end of ["kept", "refused"]) {
      rest = createMemoryRest({
        clock,
        residentBytes: () => resident,
        giveBack: () => steps.push("given"),
        prepare: async () => {
          steps.push(end);
          if (end === "refused") throw new Error("no space");
        },
      });
      await lookAfter(20_000);
      await clock.advance(0);
    }
    assert.deepEqual(steps, ["kept", "given", "refused", "given"]);
  });

  it("is not given back more often than every five minutes", async () => {
    await lookAfter(20_000);
    for (let second = 0; second < 299; second += 1) {
      resident = 90 * MB;
      await lookAfter(1_000);
    }
    assert.equal(given, 1);
  });
});

describe("giving memory back", () => {
  it("frees garbage, and leaves the process able to work", () => {
    let garbage: number[][] | undefined = Array.from({ length: 200 }, () => Array(10_000).fill(1));
    const before = process.memoryUsage().heapUsed;
    assert.equal(garbage.length, 200);
    garbage = undefined;
    giveMemoryBack();
    assert.ok(process.memoryUsage().heapUsed < before - 10 * MB);
    assert.equal(JSON.stringify({ a: [1, "x".repeat(3)] }), '{"a":[1,"xxx"]}');
    assert.match("socket:[12]", /^socket:\[(\d+)\]$/);
  });
});
