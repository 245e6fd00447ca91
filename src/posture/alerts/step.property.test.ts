import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonValue } from "../../contract/json.ts";
import { localTimestamp, utcTimestamp } from "../../parse/timestamps.ts";
import type { Alert } from "./finding.ts";
import type { ItemFields } from "./occurrence.ts";
import { readSecurityGroups } from "./read-security-group.ts";
import { prepareRules } from "./ruleset.ts";
import { type AlertState, newAlertState, readAlertState } from "./state.ts";
import { type AlertInput, stepAlerts } from "./step.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_763_640_000_000;
/** Lateness of the rules below: how far events may come out of order. */
const LATENESS_MS = 2 * MINUTE_MS;
/** State of any history: what a store must have room for. */
const MAX_STATE_BYTES = 512 * 1024;

function allRules() {
  const reading = readSecurityGroups({
    name: "edge",
    properties: {
      timeWindowRules: [
        {
          ruleType: "ActiveConnectionsNotInAllowedRange",
          isEnabled: true,
          minThreshold: 1,
          maxThreshold: 3,
          timeWindowSize: "PT1M",
        },
        {
          ruleType: "FailedLocalLoginsNotInAllowedRange",
          isEnabled: true,
          minThreshold: 1,
          maxThreshold: 2,
          timeWindowSize: "PT5M",
        },
      ],
      allowlistRules: [
        {
          ruleType: "ConnectionToIpNotAllowed",
          isEnabled: true,
          allowlistValues: ["10.0.0.0/8", "2001:db8::/32"],
        },
        { ruleType: "LocalUserNotAllowed", isEnabled: true, allowlistValues: ["ops"] },
        { ruleType: "ProcessNotAllowed", isEnabled: true, allowlistValues: ["sshd"] },
        { ruleType: "ConnectionFromIpNotAllowed", isEnabled: true, allowlistValues: [] },
      ],
    },
  });
  assert.ok(reading.ok);
  const [group] = reading.groups;
  assert.ok(group !== undefined);
  return prepareRules(group, { latenessMs: LATENESS_MS });
}

const rules = allRules();

interface Happening {
  /** Since the start. */
  readonly offsetMs: number;
  /** How long after it happened it is told. */
  readonly delayMs: number;
  readonly name: string;
  readonly item: ItemFields;
}

const addresses = ["10.1.2.3", "192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "fe80::1", "::1"];
const connection = fc.record({
  Direction: fc.constantFrom("In", "Out"),
  RemoteAddress: fc.constantFrom(...addresses),
  RemotePort: fc.constantFrom("22", "443"),
});
const login = fc.record({
  Result: fc.constantFrom("Fail", "Success"),
  UserName: fc.constantFrom("ops", "root", "guest", ""),
});
// More programs than values that are kept apart.
const program = fc.record({ Executable: fc.nat({ max: 40 }).map((index) => `/opt/${index}`) });
const [MINUTES, MAX_EVENTS] = [20, 60];

function happening(name: string, item: fc.Arbitrary<ItemFields>): fc.Arbitrary<Happening> {
  return fc.record({
    offsetMs: fc.nat({ max: MINUTES * MINUTE_MS }),
    delayMs: fc.nat({ max: LATENESS_MS - 1 }),
    name: fc.constant(name),
    item: fc
      .tuple(item, fc.option(fc.integer({ min: 2, max: 9 })))
      .map(([fields, hits]) =>
        hits === null ? fields : { ...fields, ExtraDetails: { HitCount: String(hits) } },
      ),
  });
}

const history = fc.array(
  fc.oneof(
    happening("ConnectionCreate", connection),
    happening("Login", login),
    happening("ProcessCreate", program),
  ),
  { maxLength: MAX_EVENTS },
);

/** Events as they are told, `delays` or at once, with a tick each minute. */
function inputsOf(happenings: readonly Happening[], isDelayed: boolean): readonly AlertInput[] {
  const told = happenings.map((one, index) => ({
    toldMs: START_MS + one.offsetMs + (isDelayed ? one.delayMs : 0),
    input: {
      kind: "event" as const,
      event: {
        id: `event-${index}`,
        name: one.name,
        atMs: START_MS + one.offsetMs,
        items: [one.item],
      },
    },
  }));
  const ticks = Array.from({ length: MINUTES + 20 }, (_, index) => {
    const atMs = START_MS + (index + 1) * MINUTE_MS;
    return { toldMs: atMs, input: { kind: "tick" as const, atMs } };
  });
  return [...told, ...ticks].sort((a, b) => a.toldMs - b.toldMs).map((one) => one.input);
}

interface Outcome {
  readonly alerts: readonly Alert[];
  readonly state: AlertState;
}

function run(inputs: readonly AlertInput[], restartAt: number = -1): Outcome {
  let state = newAlertState("gw-1", START_MS);
  const alerts: Alert[] = [];
  for (const [index, input] of inputs.entries()) {
    if (index === restartAt) state = storedAndRead(state);
    const step = stepAlerts(rules, state, input);
    state = step.state;
    alerts.push(...step.alerts);
  }
  return { alerts, state };
}

function storedAndRead(state: AlertState): AlertState {
  const stored: JsonValue = JSON.parse(JSON.stringify(state));
  const read = readAlertState(stored);
  assert.ok(read.ok, JSON.stringify(read));
  return read.value;
}

describe("the alerts of any history", () => {
  it("do not depend on the order in which events come within the lateness", () => {
    let seen = 0;
    fc.assert(
      fc.property(history, (happenings) => {
        const prompt = run(inputsOf(happenings, false));
        const delayed = run(inputsOf(happenings, true));
        assert.deepEqual(delayed.alerts, prompt.alerts);
        assert.equal(delayed.state.lateCount, 0);
        seen += prompt.alerts.filter((alert) => alert.evidence.reason !== "too-few").length;
      }),
      { numRuns: 100 },
    );
    assert.ok(seen > 100, `only ${seen} alerts were compared`);
  });

  it("do not depend on it either where there are more values than room", () => {
    const crowd = fc.array(program, { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(
        crowd.chain((items) =>
          fc.tuple(
            fc.constant(items),
            fc.shuffledSubarray(items, { minLength: items.length, maxLength: items.length }),
          ),
        ),
        ([items, shuffled]) => {
          const told = (order: readonly ItemFields[]) =>
            inputsOf(
              order.map((item) => ({ offsetMs: 0, delayMs: 0, name: "ProcessCreate", item })),
              false,
            ).map((input) =>
              input.kind === "event" ? { ...input, event: { ...input.event, id: "" } } : input,
            );
          assert.deepEqual(run(told(shuffled)), run(told(items)));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("are the same after a restart at any point", () => {
    fc.assert(
      fc.property(history, fc.nat({ max: MAX_EVENTS + MINUTES }), (happenings, restartAt) => {
        const inputs = inputsOf(happenings, true);
        assert.deepEqual(run(inputs, restartAt), run(inputs));
      }),
      { numRuns: 100 },
    );
  });

  it("are the same when a restart repeats what was not stored", () => {
    fc.assert(
      fc.property(
        history,
        fc.nat({ max: MAX_EVENTS }),
        fc.nat({ max: 20 }),
        (all, crashAt, lost) => {
          const inputs = inputsOf(all, true);
          const storedAt = Math.max(crashAt - lost, 0);
          const before = run(inputs.slice(0, storedAt));
          const atCrash = run(inputs.slice(0, crashAt));
          let state = storedAndRead(before.state);
          const alerts: Alert[] = [...atCrash.alerts];
          for (const input of inputs.slice(storedAt)) {
            const step = stepAlerts(rules, state, input);
            state = step.state;
            alerts.push(...step.alerts);
          }
          // A repeated alert is the same alert, so its id makes it one.
          const once = new Map(alerts.map((alert) => [alert.id, alert]));
          const whole = run(inputs).alerts;
          assert.equal(new Set(whole.map((alert) => alert.id)).size, whole.length);
          assert.deepEqual([...once.values()].sort(byId), [...whole].sort(byId));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("have counts that add up to what happened", () => {
    fc.assert(
      fc.property(history, (happenings) => {
        const { alerts } = run(inputsOf(happenings, true));
        const hitsOf = ({ item }: Happening) => {
          const details = item["ExtraDetails"];
          return typeof details === "object" && details !== null && "HitCount" in details
            ? Number(details.HitCount)
            : 1;
        };
        const started = happenings.filter((one) => one.name === "ProcessCreate");
        const counted = alerts.filter((alert) => alert.ruleType === "ProcessNotAllowed");
        assert.equal(
          counted.reduce((sum, alert) => sum + alert.count, 0),
          started.reduce((sum, one) => sum + hitsOf(one), 0),
        );
      }),
      { numRuns: 50 },
    );
  });
});

function byId(left: Alert, right: Alert): number {
  return left.id < right.id ? -1 : 1;
}

describe("the state of a hostile history", () => {
  it("stays within its bound and can be read again", () => {
    let state = newAlertState("\u0001".repeat(1_000), START_MS);
    const wide = '\u{1f4a5}\\"\u0007'.repeat(600);
    for (let index = 0; index < 600; index += 1) {
      // Asleep again and again, so that nothing is judged for long and every window is caught up.
      const atMs = START_MS + index * 70_000;
      const [StartTimeUtc, EndTimeLocal] = [utcTimestamp(atMs - 3e7), localTimestamp(atMs, 120)];
      const ExtraDetails = { HitCount: "999999999", StartTimeUtc, EndTimeLocal };
      const items: ItemFields[] = [
        { Executable: `/${index}${wide}`, UserName: wide, ExtraDetails },
        { Result: "Success", UserName: `${index}${wide}`, ExtraDetails },
        { Result: "Fail", UserName: wide, RemoteAddress: wide, ExtraDetails },
        { Direction: "Out", RemoteAddress: `2001:db9::${index.toString(16)}`, Executable: wide },
        { Direction: "In", RemoteAddress: `2001:db9::${index.toString(16)}`, Executable: wide },
      ];
      for (const name of ["ProcessCreate", "Login", "ConnectionCreate"]) {
        const event = { id: wide, name, atMs, items };
        state = stepAlerts(rules, state, { kind: "event", event }).state;
      }
      if (index % 200 === 199) state = stepAlerts(rules, state, { kind: "wake", atMs }).state;
    }
    const bytes = Buffer.byteLength(JSON.stringify(state));
    assert.ok(bytes > 50_000, `only ${bytes} bytes: the history was not hostile`);
    assert.ok(bytes <= MAX_STATE_BYTES, `${bytes} bytes`);
    storedAndRead(state);
  });

  it("and of any inputs whatsoever is never a crash", () => {
    const times = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, START_MS));
    const anyInput = fc.oneof(
      fc.record({ kind: fc.constantFrom("tick" as const, "wake" as const), atMs: times }),
      fc.record({
        kind: fc.constant("event" as const),
        event: fc.record({
          id: fc.string(),
          name: fc.constantFrom("Login", "ProcessCreate", "ConnectionCreate", "x"),
          atMs: times,
          items: fc.array(fc.oneof(fc.dictionary(fc.string(), fc.anything()), login), {
            maxLength: 3,
          }),
        }),
      }),
    );
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 20 }), (inputs) => {
        let state = newAlertState("gw-1", START_MS);
        for (const input of inputs) state = stepAlerts(rules, state, input).state;
        storedAndRead(state);
      }),
    );
  });
});
