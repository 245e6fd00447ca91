import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fail, ok } from "../../src/contract/result.ts";
import type { DesiredUpdate } from "../../src/contract/transport.ts";
import { DEFAULT_TIMING } from "../../src/transport/transport-options.ts";
import { TwinFollower, type TwinRead } from "../../src/transport/twin-follower.ts";
import { FakeClock } from "../support/fake-clock.ts";

function setUp(reads: (TwinRead | (() => TwinRead))[]) {
  const clock = new FakeClock();
  const updates: DesiredUpdate[] = [];
  const anomalies: string[] = [];
  const gaveUp: string[] = [];
  let gets = 0;
  const follower = new TwinFollower({
    clock,
    random: { fraction: () => 0.5, uuid: () => "u" },
    timing: DEFAULT_TIMING,
    get: async () => {
      gets += 1;
      await Promise.resolve();
      const read = reads.shift() ?? { kind: "silent" };
      return typeof read === "function" ? read() : read;
    },
    giveUp: (reason) => gaveUp.push(reason),
    onDesired: (update) => updates.push(update),
    onAnomaly: (what) => anomalies.push(what),
  });
  const seen = (): readonly string[] => updates.map((update) => `${update.kind} ${update.version}`);
  return { clock, follower, updates, anomalies, gaveUp, seen, gets: () => gets };
}

const full = (version: number): TwinRead => ({
  kind: "twin",
  twin: { kind: "full", version, desired: {} },
});
const patch = (version: number) => ok({ kind: "patch", version, desired: {} } as const);

describe("following a twin", () => {
  it("holds patches back during the read and drops those the read has", async () => {
    const { follower, seen } = setUp([full(5)]);
    const reading = follower.read();
    for (const version of [6, 4, 5, 7]) follower.onPatch(patch(version));
    await reading;
    assert.deepEqual(seen(), ["full 5", "patch 6", "patch 7"]);
  });

  it("reads again when a version is missing, and takes no patch over the gap", async () => {
    const { clock, follower, seen } = setUp([full(1), full(4)]);
    await follower.read();
    follower.onPatch(patch(2));
    follower.onPatch(patch(4));
    follower.onPatch(patch(4));
    await clock.advance(20_000);
    assert.deepEqual(seen(), ["full 1", "patch 2", "full 4"]);
  });

  it("takes a lower version in a full read: the module may have been created anew", async () => {
    const { clock, follower, seen } = setUp([full(9), full(2)]);
    await follower.read();
    follower.onPatch(fail("malformed", "desired patch", "broken"));
    await clock.advance(20_000);
    follower.onPatch(patch(3));
    assert.deepEqual(seen(), ["full 9", "full 2", "patch 3"]);
  });

  it("waits between failed reads and gives up after two silences in a row", async () => {
    const failed: TwinRead = { kind: "failed", what: "status 429" };
    const silent: TwinRead = { kind: "silent" };
    const { clock, follower, gaveUp, anomalies, gets } = setUp([
      failed,
      silent,
      failed,
      silent,
      silent,
    ]);
    const reading = follower.read();
    await clock.advance(1);
    assert.equal(gets(), 1, "a refused read must not be repeated at once");
    await clock.advance(400_000);
    await reading;
    assert.deepEqual([gaveUp.length, gets(), anomalies.length], [1, 5, 2]);
  });

  it("ends with its connection, also in the middle of a wait", async () => {
    const { clock, follower, gets } = setUp([{ kind: "failed", what: "status 500" }]);
    const reading = follower.read();
    await clock.advance(1);
    follower.close();
    await reading;
    assert.deepEqual([gets(), clock.armed], [1, 0]);
  });

  it("agrees with the hub in the end, in whatever order things arrive", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 30 }),
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        async (order, isDuring) => {
          let latest = 1;
          const { clock, follower, updates } = setUp(
            Array.from({ length: 99 }, () => () => full(latest)),
          );
          const reading = follower.read();
          for (const [at, version] of order.entries()) {
            if (isDuring[at] === true) await clock.advance(1_000);
            latest = Math.max(latest, version);
            follower.onPatch(patch(version));
          }
          await clock.advance(3_000_000);
          await reading;
          assert.equal(updates.at(-1)?.version, latest);
        },
      ),
      { numRuns: 30 },
    );
  });
});
