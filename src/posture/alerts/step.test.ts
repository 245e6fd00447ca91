import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { utcTimestamp } from "../../parse/timestamps.ts";
import type { Alert } from "./finding.ts";
import type { ItemFields } from "./occurrence.ts";
import { readSecurityGroups } from "./read-security-group.ts";
import { prepareRules, type Ruleset, type RulesetOptions } from "./ruleset.ts";
import { type AlertState, newAlertState, oldestOpenMs, readAlertState } from "./state.ts";
import { type AlertInput, stepAlerts } from "./step.ts";

const MINUTE_MS = 60_000;
/** 12:00:00 UTC of a day, a whole number of any window used here. */
const NOON_MS = 1_763_640_000_000;

function at(minutes: number): number {
  return NOON_MS + minutes * MINUTE_MS;
}

function rulesOf(properties: JsonObject, options: RulesetOptions = {}): Ruleset {
  const reading = readSecurityGroups({ name: "edge", properties });
  assert.ok(reading.ok, JSON.stringify(reading));
  const [group] = reading.groups;
  assert.ok(group !== undefined);
  return prepareRules(group, options);
}

function range(ruleType: string, min: number, max: number, size = "PT05M"): JsonObject {
  const thresholds = { minThreshold: min, maxThreshold: max };
  return { timeWindowRules: [{ ruleType, isEnabled: true, ...thresholds, timeWindowSize: size }] };
}

function list(ruleType: string, ...allowlistValues: readonly string[]): JsonObject {
  return { allowlistRules: [{ ruleType, isEnabled: true, allowlistValues }] };
}

let nextId = 0;
function event(name: string, minutes: number, ...items: readonly ItemFields[]): AlertInput {
  nextId += 1;
  return { kind: "event", event: { id: `event-${nextId}`, name, atMs: at(minutes), items } };
}

const tick = (minutes: number): AlertInput => ({ kind: "tick", atMs: at(minutes) });
const wake = (minutes: number): AlertInput => ({ kind: "wake", atMs: at(minutes) });
const refused = { Result: "Fail", UserName: "root", Operation: "sshd", RemoteAddress: "192.0.2.9" };
const refusedAt = (minutes: number) => event("Login", minutes, refused);

/** A tick each minute, as the agent gives them. */
function ticks(from: number, to: number): readonly AlertInput[] {
  return Array.from({ length: to - from + 1 }, (_, index) => tick(from + index));
}

function run(
  rules: Ruleset,
  inputs: readonly AlertInput[],
  start: AlertState = newAlertState("gw-1", at(0)),
): { readonly alerts: readonly Alert[]; readonly state: AlertState } {
  let state = start;
  const alerts: Alert[] = [];
  for (const input of inputs) {
    const step = stepAlerts(rules, state, input);
    const stored: JsonValue = JSON.parse(JSON.stringify(step.state));
    const restored = readAlertState(stored);
    assert.ok(restored.ok, JSON.stringify(restored));
    state = restored.value;
    alerts.push(...step.alerts);
  }
  return { alerts, state };
}

const short = (alerts: readonly Alert[]) =>
  alerts.map(({ evidence, windowStartMs, count }) => [
    evidence.reason,
    (windowStartMs - NOON_MS) / MINUTE_MS,
    count,
  ]);

describe("a range rule", () => {
  const failed = "FailedLocalLoginsNotInAllowedRange";

  it("raises once per window with too many, when the window is over and late events had their time", () => {
    const rules = rulesOf(range(failed, 0, 2));
    const inputs = [0.1, 1, 2, 4.9, 6, 7].map(refusedAt);
    const before = run(rules, [...inputs, ...ticks(1, 6)]);
    assert.deepEqual(before.alerts, []);
    const after = run(rules, ticks(7, 30), before.state);
    assert.deepEqual(short(after.alerts), [["too-many", 0, 4]]);
    const [alert] = after.alerts;
    assert.ok(alert !== undefined);
    assert.equal(alert.alertType, "IoT_CA_FailedLocalLoginsNotInAllowedRange");
    assert.equal(alert.severity, "Low");
    assert.equal(alert.group, "edge");
    assert.equal(alert.subject, "gw-1");
    assert.equal(alert.windowEndMs - alert.windowStartMs, 5 * MINUTE_MS);
    assert.match(alert.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const { samples, isWatchComplete, maxThreshold, minThreshold } = alert.evidence;
    assert.equal(samples.length, 3);
    assert.equal(samples[0]?.detail, "sshd as root from 192.0.2.9");
    assert.deepEqual([isWatchComplete, minThreshold, maxThreshold], [true, 0, 2]);
  });

  it("has both ends of its range in it", () => {
    for (const [count, expected] of [
      [0, "too-few"],
      [1, undefined],
      [2, undefined],
      [3, "too-many"],
    ] as const) {
      const inputs = Array.from({ length: count }, () => refusedAt(1));
      const { alerts } = run(rulesOf(range(failed, 1, 2)), [...inputs, ...ticks(1, 7)]);
      assert.deepEqual(
        alerts.map((alert) => alert.evidence.reason),
        expected === undefined ? [] : [expected],
        `${count}`,
      );
    }
  });

  it("raises for each silent window that somebody watched all the way, and for no other", () => {
    const rules = rulesOf(range(failed, 1, 9));
    const started = newAlertState("gw-1", at(1));
    // The window of the start was not watched whole; 5 to 10 and 15 to 20 were silent.
    const inputs = [...ticks(2, 11), refusedAt(11), ...ticks(12, 24)];
    assert.deepEqual(short(run(rules, inputs, started).alerts), [
      ["too-few", 5, 0],
      ["too-few", 15, 0],
    ]);
  });

  it("does not take a sleep for silence, nor what follows a restart", () => {
    const rules = rulesOf(range(failed, 1, 9));
    const slept = [...ticks(1, 6), ...ticks(18, 40)];
    assert.deepEqual(short(run(rules, slept).alerts), [
      ["too-few", 0, 0],
      ["too-few", 20, 0],
      ["too-few", 25, 0],
      ["too-few", 30, 0],
    ]);
    const restarted = [...ticks(1, 12), wake(12.5), ...ticks(13, 24)];
    assert.deepEqual(short(run(rules, restarted).alerts), [
      ["too-few", 0, 0],
      ["too-few", 5, 0],
      ["too-few", 15, 0],
    ]);
  });

  it("judges the silence after a sleep, though the sleep is not forgotten yet", () => {
    const rules = rulesOf(range(failed, 1, 9, "PT1M"), { latenessMs: 10 * MINUTE_MS });
    const inputs = [tick(1), tick(2), wake(3.5), tick(8.5), tick(13.5), tick(18.4)];
    assert.deepEqual(
      short(run(rules, inputs).alerts).map(([, minute]) => minute),
      [0, 1, 4, 5, 6, 7],
    );
  });

  it("takes events from just before the first start that its lateness allows", () => {
    const rules = rulesOf(range(failed, 0, 0));
    const inputs = [refusedAt(4.5), refusedAt(-1), ...ticks(6, 8)];
    const { alerts, state } = run(rules, inputs, newAlertState("gw-1", at(5.5)));
    assert.deepEqual(short(alerts), [["too-many", 0, 1]]);
    assert.equal(state.lateCount, 1);
  });

  it("does not take a window for silent that it had no room for", () => {
    const rules = rulesOf(range(failed, 1, 9, "PT1M"), { latenessMs: 180 * MINUTE_MS });
    const minutes = Array.from({ length: 150 }, (_, index) => index);
    const inputs = minutes.flatMap((minute) => [refusedAt(minute + 0.5), tick(minute + 1)]);
    const { alerts, state } = run(rules, [...inputs, ...ticks(151, 200)]);
    assert.deepEqual(alerts, []);
    assert.equal(state.lateCount, 150 - 96);
  });

  it("does not take the silence of events that nobody collects for silence", () => {
    const rules = rulesOf(range(failed, 1, 9), { unwatched: ["Login"] });
    assert.deepEqual(run(rules, ticks(1, 30)).alerts, []);
    const { state } = run(rules, ticks(1, 11));
    // Switched on at minute 11: the first window watched whole is that from 15 to 20.
    const collected = rulesOf(range(failed, 1, 9));
    assert.deepEqual(short(run(collected, ticks(11, 24), state).alerts), [["too-few", 15, 0]]);
  });

  it("raises for too many even in a window that was watched in part, and says so", () => {
    const rules = rulesOf(range(failed, 0, 0));
    const { alerts } = run(rules, [refusedAt(0.5), tick(1), wake(3), ...ticks(4, 12)]);
    assert.deepEqual(short(alerts), [["too-many", 0, 1]]);
    assert.equal(alerts[0]?.evidence.isWatchComplete, false);
  });

  it("counts what is caught up after a sleep into the windows where it belongs", () => {
    const rules = rulesOf(range(failed, 0, 1));
    const caughtUp = [refusedAt(21), refusedAt(22), refusedAt(31)];
    const { alerts, state } = run(rules, [tick(1), wake(60), ...caughtUp, ...ticks(61, 70)]);
    assert.deepEqual(short(alerts), [["too-many", 20, 2]]);
    assert.equal(state.lateCount, 0);
  });

  it("is judged all the same by an agent that restarts all the time", () => {
    const rules = rulesOf(range(failed, 0, 0));
    const restarts = Array.from({ length: 20 }, (_, index) => wake(1 + index));
    const { alerts } = run(rules, [refusedAt(0.5), ...restarts]);
    assert.deepEqual(short(alerts), [["too-many", 0, 1]]);
  });

  it("counts what comes after its window was judged as late, and nothing else", () => {
    const rules = rulesOf(range(failed, 0, 0));
    const { alerts, state } = run(rules, [tick(5), tick(7), refusedAt(4), refusedAt(5), tick(12)]);
    assert.deepEqual(short(alerts), [["too-many", 5, 1]]);
    assert.equal(state.lateCount, 1);
  });

  it("does not believe events from the future", () => {
    const rules = rulesOf(range(failed, 0, 0));
    const { alerts, state } = run(rules, [tick(1), refusedAt(600), ...ticks(2, 20)]);
    assert.deepEqual(alerts, []);
    assert.equal(state.earlyCount, 1);
  });

  it("goes on when the clock jumps forward from 1970 or back from a wrong future", () => {
    const rules = rulesOf(range(failed, 1, 1));
    const boot = run(rules, [], newAlertState("gw-1", 12_000)).state;
    const { alerts } = run(rules, [tick(0.5), refusedAt(1), refusedAt(2), ...ticks(1, 8)], boot);
    assert.deepEqual(short(alerts), [["too-many", 0, 2]]);
    const future = run(rules, [tick(2_000_000), refusedAt(2_000_000)], boot).state;
    const back = [tick(0.5), ...ticks(1, 4), refusedAt(6), refusedAt(7), ...ticks(5, 13)];
    assert.deepEqual(short(run(rules, back, future).alerts), [["too-many", 5, 2]]);
  });

  it("spreads an aggregated event over its windows", () => {
    const rules = rulesOf(range("ActiveConnectionsNotInAllowedRange", 0, 10));
    const hour = {
      Direction: "Out",
      RemoteAddress: "192.0.2.7",
      ExtraDetails: {
        HitCount: "60",
        StartTimeUtc: utcTimestamp(at(-29.5)),
        EndTimeUtc: utcTimestamp(at(29.5)),
      },
    };
    const state = newAlertState("gw-1", at(-40));
    const options = { latenessMs: 60 * MINUTE_MS, maxTickGapMs: 86_400_000 };
    const inputs = [tick(29.5), event("ConnectionCreate", 29.5, hour), tick(200)];
    const late = rulesOf(range("ActiveConnectionsNotInAllowedRange", 0, 4), options);
    assert.deepEqual(
      run(rulesOf(range("ActiveConnectionsNotInAllowedRange", 0, 5), options), inputs, state)
        .alerts,
      [],
    );
    const { alerts } = run(late, inputs, state);
    assert.deepEqual(
      alerts.map((alert) => [alert.count, alert.evidence.spreadCount]),
      Array.from({ length: 12 }, () => [5, 5]),
    );
    // Two minutes of lateness are not enough for an hour of aggregation: what was judged is late.
    const watched = run(rules, [...ticks(-39, 29), ...inputs], state);
    assert.equal(watched.state.lateCount, 55);
  });

  it("forgets the count of a window whose size changes, and keeps it when only the range does", () => {
    const { state } = run(rulesOf(range(failed, 0, 5)), [refusedAt(1), refusedAt(2), tick(3)]);
    const narrower = run(rulesOf(range(failed, 0, 1)), ticks(4, 8), state);
    assert.deepEqual(short(narrower.alerts), [["too-many", 0, 2]]);
    const longer = run(rulesOf(range(failed, 0, 1, "PT10M")), ticks(4, 20), state);
    assert.deepEqual(longer.alerts, []);
  });

  it("that is disabled, or of the hub, does nothing", () => {
    const rules = rulesOf({
      timeWindowRules: [
        { ruleType: failed, isEnabled: false, minThreshold: 0, maxThreshold: 0 },
        {
          ruleType: "TwinUpdatesNotInAllowedRange",
          isEnabled: true,
          minThreshold: 1,
          maxThreshold: 1,
        },
      ],
    });
    assert.deepEqual(rules.rules, []);
    assert.deepEqual(run(rules, [refusedAt(1), ...ticks(1, 20)]).alerts, []);
  });
});

describe("a list rule", () => {
  const started = (minutes: number, Executable: string) =>
    event("ProcessCreate", minutes, { Executable, UserName: "www" });

  it("raises once per value and window, with the count of that window", () => {
    const rules = rulesOf(list("ProcessNotAllowed", "sshd"));
    const inputs = [
      started(0.1, "/usr/bin/nc"),
      started(0.2, "/usr/bin/nc"),
      started(0.3, "/usr/bin/curl"),
      started(0.4, "/usr/sbin/sshd"),
      started(6, "/usr/bin/nc"),
    ];
    const { alerts } = run(rules, [...inputs, ...ticks(1, 20)]);
    assert.deepEqual(
      alerts.map((alert) => [alert.evidence.value, alert.count, alert.windowStartMs - NOON_MS]),
      [
        ["/usr/bin/curl", 1, 0],
        ["/usr/bin/nc", 2, 0],
        ["/usr/bin/nc", 1, 5 * MINUTE_MS],
      ],
    );
    assert.equal(alerts[1]?.evidence.samples[0]?.detail, "/usr/bin/nc as www");
    assert.equal(new Set(alerts.map((alert) => alert.id)).size, 3);
    assert.ok(alerts.every((alert) => alert.evidence.reason === "not-allowed"));
  });

  it("with an empty list allows nothing", () => {
    const { alerts } = run(rulesOf(list("LocalUserNotAllowed")), [
      event("Login", 1, { Result: "Success", UserName: "root" }),
      ...ticks(1, 8),
    ]);
    assert.deepEqual(
      alerts.map((alert) => alert.evidence.value),
      ["root"],
    );
  });

  it("counts apart what does not tell what decides", () => {
    const { alerts, state } = run(rulesOf(list("ProcessNotAllowed")), [
      started(1, ""),
      ...ticks(1, 8),
    ]);
    assert.deepEqual(alerts, []);
    assert.equal(state.unknownCount, 1);
  });

  it("has a window of its own size", () => {
    const rules = rulesOf(list("ProcessNotAllowed"), { listWindowMs: MINUTE_MS, latenessMs: 0 });
    const { alerts } = run(rules, [started(0.5, "/bin/nc"), tick(1)]);
    assert.equal(alerts.length, 1);
  });

  it("keeps few values apart and counts the others together", () => {
    const rules = rulesOf(list("ProcessNotAllowed"));
    const inputs = Array.from({ length: 200 }, (_, index) => started(1, `/tmp/${index % 100}`));
    const { alerts } = run(rules, [...inputs, ...ticks(1, 8)]);
    assert.equal(alerts.length, 17);
    const overflow = alerts.filter((alert) => alert.evidence.isOverflow === true);
    assert.deepEqual(
      overflow.map((alert) => [alert.count, alert.evidence.value]),
      [[168, undefined]],
    );
    assert.ok(alerts.slice(0, 16).every((alert) => alert.count === 2));
  });

  it("shows hostile values as one harmless line", () => {
    const rules = rulesOf(list("ProcessNotAllowed"));
    const hostile = `/tmp/\u0000\n\u202e${"x".repeat(5_000)}`;
    const { alerts } = run(rules, [started(1, hostile), ...ticks(1, 8)]);
    const value = alerts[0]?.evidence.value ?? "";
    assert.equal(value.length, 128);
    assert.ok(value.startsWith("/tmp/\ufffd\ufffd\ufffdxxx"));
    assert.ok((alerts[0]?.evidence.samples[0]?.detail ?? "").length <= 160);
  });
});

describe("the id of an alert", () => {
  it("differs by subject, group, rule, window and value, and by nothing else", () => {
    const properties = {
      ...range("FailedLocalLoginsNotInAllowedRange", 0, 0),
      ...list("LocalUserNotAllowed"),
    };
    const inputs = [
      refusedAt(1),
      event("Login", 1, { Result: "Success", UserName: "a" }),
      event("Login", 1, { Result: "Success", UserName: "b" }),
      refusedAt(6),
      ...ticks(1, 14),
    ];
    const ids = (state: AlertState) =>
      run(rulesOf(properties), inputs, state).alerts.map((alert) => alert.id);
    const own = ids(newAlertState("gw-1", at(0)));
    assert.equal(new Set(own).size, 4);
    assert.deepEqual(ids(newAlertState("gw-1", at(0))), own);
    assert.equal(new Set([...own, ...ids(newAlertState("gw-2", at(0)))]).size, 8);
  });
});

describe("the state", () => {
  it("tells the oldest window with something in it", () => {
    const rules = rulesOf(range("FailedLocalLoginsNotInAllowedRange", 0, 9));
    assert.equal(oldestOpenMs(run(rules, [tick(1)]).state), undefined);
    const { state } = run(rules, [...ticks(1, 4), refusedAt(1), refusedAt(6), ...ticks(5, 6)]);
    assert.equal(oldestOpenMs(state), at(0));
    assert.equal(oldestOpenMs(run(rules, [tick(7)], state).state), at(5));
    assert.equal(oldestOpenMs(run(rules, ticks(7, 12), state).state), undefined);
  });

  it("that was not stored by us is refused", () => {
    for (const stored of [null, {}, [], { ...newAlertState("x", 0), version: 2 }]) {
      assert.equal(readAlertState(stored).ok, false);
    }
  });
});
