import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { RecordingLog } from "../../test/support/recording-log.ts";
import type { DiagnosticFinding } from "../contract/agent-facts.ts";
import type { JsonValue } from "../contract/json.ts";
import { beginRun, type JsonCell, type PreviousEnd, type RunRecordStore } from "./run-record.ts";
import { superviseAgent } from "./supervisor.ts";

const WATCHDOG_MS = 60_000;

function cell(): JsonCell {
  let kept: JsonValue | undefined;
  return {
    read: () => kept,
    write: (value) => {
      kept = value;
    },
  };
}

/** A device that starts, ends and starts the agent again. */
function device() {
  let nowMs = 1_000_000;
  let store: RunRecordStore = { kept: cell(), volatile: cell() };
  let boot = 1;
  return {
    pass: (ms: number) => {
      nowMs += ms;
    },
    reboot: () => {
      boot += 1;
      store = { kept: store.kept, volatile: cell() };
    },
    begin: () =>
      beginRun({ store, nowMs: () => nowMs, bootId: `boot-${boot}`, watchdogMs: WATCHDOG_MS }),
  };
}

describe("the record of a run", () => {
  it("has nothing to tell of a first run and of a clean stop", () => {
    const gateway = device();
    const first = gateway.begin();
    assert.equal(first.previous.kind, "none");
    first.end();
    assert.equal(gateway.begin().previous.kind, "none");
  });

  it("tells a loss of power from a kill", () => {
    const gateway = device();
    gateway.begin();
    gateway.pass(35_000);
    assert.equal(gateway.begin().previous.kind, "killed");
    gateway.reboot();
    assert.equal(gateway.begin().previous.kind, "power");
  });

  it("tells the watchdog by a silence as long as its interval", () => {
    const gateway = device();
    gateway.begin().note(undefined);
    gateway.pass(WATCHDOG_MS + 5_000);
    const { previous } = gateway.begin();
    assert.deepEqual(previous, { kind: "watchdog", silentMs: 65_000, reason: undefined });
  });

  it("tells what was stuck, where the agent knew", () => {
    const gateway = device();
    gateway.begin().note("a message is neither sent nor given up");
    gateway.pass(20_000);
    const { previous } = gateway.begin();
    assert.equal(
      previous.kind === "watchdog" && previous.reason,
      "a message is neither sent nor given up",
    );
  });
});

function rig(previous: PreviousEnd = { kind: "none" }) {
  const clock = new FakeClock();
  const told: string[] = [];
  const reports: DiagnosticFinding[] = [];
  let stuck: string | undefined;
  const supervisor = superviseAgent({
    agent: {
      stuck: () => stuck,
      statusLine: () => "connected; events waiting: 0",
      report: (finding) => reports.push(finding),
    },
    listener: { alive: () => told.push("alive"), status: (line) => told.push(line) },
    record: { previous, note: (what) => told.push(`note ${what ?? "well"}`), end: () => undefined },
    clock,
    log: new RecordingLog(),
    watchdogMs: WATCHDOG_MS,
  });
  const get = { clock, told, reports, supervisor };
  return {
    ...get,
    becomeStuck: (what: string) => {
      stuck = what;
    },
  };
}

describe("the supervisor", () => {
  it("gives a sign of life twice per interval", async () => {
    const { clock, told, supervisor } = rig();
    await clock.advance(5 * WATCHDOG_MS);
    assert.equal(told.filter((one) => one === "alive").length, 11);
    assert.equal(told.filter((one) => one.startsWith("connected")).length, 1);
    supervisor.stop();
    await clock.advance(WATCHDOG_MS);
    assert.equal(told.filter((one) => one === "alive").length, 11);
  });

  it("is silent while work does not go on, and says so", async () => {
    const { clock, told, becomeStuck } = rig();
    becomeStuck("a message hangs");
    told.length = 0;
    await clock.advance(3 * WATCHDOG_MS);
    assert.ok(!told.includes("alive"));
    assert.ok(told.includes("stuck: a message hangs"));
    assert.ok(told.includes("note a message hangs"));
  });

  it("reports an end that was not asked for, by severity", () => {
    assert.equal(rig().reports.length, 0);
    assert.equal(rig({ kind: "power" }).reports[0]?.severity, "Warning");
    const silent = rig({ kind: "watchdog", silentMs: 65_000, reason: undefined }).reports[0];
    assert.equal(silent?.severity, "Error");
    assert.match(silent?.message ?? "", /its event loop did not run/);
    assert.equal(silent?.details["SilentSeconds"], "65");
  });
});
