import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createChangeRounds } from "./change-rounds.ts";

function rig() {
  const clock = new FakeClock();
  const runs: number[] = [];
  const startedMs = clock.monotonicMs();
  const rounds = createChangeRounds({
    clock,
    run: () => runs.push(clock.monotonicMs() - startedMs),
  });
  return { clock, rounds, runs };
}

describe("change rounds", () => {
  it("take one snapshot for a burst of changes, at once", async () => {
    const { clock, rounds, runs } = rig();
    for (let at = 0; at < 20; at += 1) rounds.noticed("firewall");
    await clock.advance(5_000);
    assert.deepEqual(runs, [200]);
  });

  it("become seldom while changes go on, and quick again after a quiet minute", async () => {
    const { clock, rounds, runs } = rig();
    for (let second = 0; second < 300; second += 1) {
      rounds.noticed("firewall");
      await clock.advance(1_000);
    }
    const gaps = runs.slice(1).map((at, index) => at - (runs[index] ?? 0));
    assert.deepEqual(
      gaps.slice(0, 3).map((gap) => Math.round(gap / 1_000)),
      [2, 2, 2],
    );
    assert.ok(gaps.every((gap) => gap <= 61_000));
    assert.ok(runs.length < 20, `${runs.length} snapshots in five minutes`);
    await clock.advance(120_000);
    const before = runs.length;
    rounds.noticed("firewall");
    await clock.advance(600);
    assert.equal(runs.length, before + 1);
  });

  it("forget what waits when they stop", async () => {
    const { clock, rounds, runs } = rig();
    rounds.noticed("firewall");
    rounds.stop();
    await clock.advance(5_000);
    assert.deepEqual(runs, []);
  });
});
