import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { createSnapshotSchedule, type JobReport, type ScheduledJob } from "./snapshot-schedule.ts";

function scheduleOf(
  jobs: readonly ScheduledJob[],
  overrides: { readonly fraction?: number; readonly intervalMs?: number } = {},
) {
  const clock = new FakeClock();
  const reports: JobReport[] = [];
  const schedule = createSnapshotSchedule({
    clock,
    random: { fraction: () => overrides.fraction ?? 0, uuid: () => "" },
    jobs: () => jobs,
    firstDelayMs: 10_000,
    jitterMs: 20_000,
    intervalMs: overrides.intervalMs ?? 60_000,
    deadlineMs: 5_000,
    onReport: (report) => reports.push(report),
  });
  return { clock, schedule, reports };
}

function counting(name: string): { readonly job: ScheduledJob; readonly runs: () => number } {
  let runs = 0;
  const job: ScheduledJob = {
    name,
    run: async () => {
      runs += 1;
    },
  };
  return { job, runs: () => runs };
}

describe("the snapshot schedule", () => {
  it("runs a first round after the first delay and its jitter, then one every interval", async () => {
    const ports = counting("ports");
    const { clock, schedule } = scheduleOf([ports.job], { fraction: 0.5 });
    schedule.start();
    await clock.advance(19_999);
    assert.equal(ports.runs(), 0);
    await clock.advance(1);
    assert.equal(ports.runs(), 1);
    await clock.advance(59_999);
    assert.equal(ports.runs(), 1);
    await clock.advance(1);
    assert.equal(ports.runs(), 2);
    await schedule.stop();
  });

  it("applies a shorter interval from the start of the last round", async () => {
    const ports = counting("ports");
    const { clock, schedule } = scheduleOf([ports.job], { intervalMs: 3_600_000 });
    schedule.start();
    await clock.advance(10_000);
    await clock.advance(30_000);
    schedule.changeInterval(5_000);
    await clock.advance(0);
    assert.equal(ports.runs(), 2, "the round that is overdue under the new interval runs at once");
    await clock.advance(5_000);
    assert.equal(ports.runs(), 3);
    await schedule.stop();
  });

  it("keeps going when a job fails, and reports the failure", async () => {
    const broken: ScheduledJob = { name: "broken", run: () => Promise.reject(new Error("no")) };
    const ports = counting("ports");
    const { clock, schedule, reports } = scheduleOf([broken, ports.job]);
    schedule.start();
    await clock.advance(10_000);
    assert.equal(ports.runs(), 1);
    assert.deepEqual(
      reports.map((report) => [report.name, report.outcome, report.detail]),
      [
        ["broken", "failed", "no"],
        ["ports", "done", ""],
      ],
    );
    await schedule.stop();
  });

  it("gives up on a job at its deadline, aborts it, and does not start it twice", async () => {
    let isAborted = false;
    const endless: ScheduledJob = {
      name: "endless",
      run: (signal) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            isAborted = true;
          });
        }),
    };
    const ports = counting("ports");
    const { clock, schedule, reports } = scheduleOf([endless, ports.job]);
    schedule.start();
    await clock.advance(15_000);
    assert.equal(isAborted, true);
    assert.equal(ports.runs(), 1);
    await clock.advance(60_000);
    assert.deepEqual(
      reports.filter((report) => report.name === "endless").map((report) => report.outcome),
      ["overdue", "still-running"],
    );
    await schedule.stop();
  });

  it("lets a heavy job hold up no other", async () => {
    let end: () => void = () => undefined;
    const heavy: ScheduledJob = {
      name: "baseline",
      isHeavy: true,
      run: () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    };
    const ports = counting("ports");
    const { clock, schedule, reports } = scheduleOf([heavy, ports.job]);
    schedule.start();
    await clock.advance(10_000);
    await schedule.runNow(["ports"]);
    assert.equal(ports.runs(), 2);
    end();
    await clock.advance(1);
    assert.ok(reports.some(({ name, outcome }) => name === "baseline" && outcome === "done"));
    await schedule.stop();
  });

  it("misses rounds where they take longer than the interval, and none piles up", async () => {
    let runs = 0;
    const clock = new FakeClock();
    const slow: ScheduledJob = {
      name: "slow",
      run: async () => {
        runs += 1;
        await clock.sleep(4_000);
      },
    };
    const schedule = createSnapshotSchedule({
      clock,
      random: { fraction: () => 0, uuid: () => "" },
      jobs: () => [slow],
      firstDelayMs: 0,
      jitterMs: 0,
      intervalMs: 1_000,
      deadlineMs: 5_000,
      onReport: () => undefined,
    });
    schedule.start();
    for (let at = 0; at < 40; at += 1) await clock.advance(1_000);
    assert.ok(runs <= 11, `${runs} runs`);
    const before = runs;
    schedule.changeInterval(3_600_000);
    for (let at = 0; at < 20; at += 1) await clock.advance(1_000);
    assert.ok(runs - before <= 2, "what waited was one round");
    await schedule.stop();
  });

  it("runs named jobs at once and names those it does not know", async () => {
    const ports = counting("ports");
    const users = counting("users");
    const { schedule } = scheduleOf([ports.job, users.job]);
    const reports = await schedule.runNow(["users", "nonsense"]);
    assert.deepEqual(
      reports.map((report) => [report.name, report.outcome]),
      [
        ["users", "done"],
        ["nonsense", "unknown"],
      ],
    );
    assert.equal(ports.runs(), 0);
    await schedule.stop();
  });

  it("leaves no timer behind when it is stopped, and may be stopped twice", async () => {
    const { clock, schedule } = scheduleOf([counting("ports").job]);
    schedule.start();
    await schedule.stop();
    await schedule.stop();
    assert.equal(clock.armed, 0);
    assert.deepEqual(await schedule.runNow(), []);
  });
});
