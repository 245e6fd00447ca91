import type { JsonValue } from "../../contract/json.ts";
import { fail, ok, type Result } from "../../contract/result.ts";
import { type Fault, type Infer, integer, list, record, text } from "../../contract/schema.ts";
import type { ReadyRule, Ruleset } from "./ruleset.ts";

/** Samples kept per window of a range rule. */
export const MAX_SAMPLES = 3;
/** Values kept apart per window of a list rule; further ones are counted together. */
export const MAX_VALUES = 16;
/** Open windows per rule; when there are more, the oldest are given up. */
export const MAX_RANGE_WINDOWS = 96;
/** The same of list rules, whose windows hold values. */
export const MAX_LIST_WINDOWS = 24;
/** Times of nobody watching; when there are more, the two oldest become one. */
export const MAX_SLEEPS = 32;

const time = integer();
const count = integer({ min: 0 });

const sampleSchema = record({
  eventId: text({ maxLength: 64 }),
  atMs: time,
  detail: text({ maxLength: 160 }),
});

const valueSchema = record({
  /** First half of the value's SHA-256 in hex, by which values are told apart and ordered. */
  key: text({ maxLength: 32 }),
  value: text({ maxLength: 128 }),
  count,
  spreadCount: count,
  sample: sampleSchema,
});

const windowSchema = record({
  startMs: time,
  count,
  spreadCount: count,
  samples: list(sampleSchema, { maxItems: MAX_SAMPLES }),
  values: list(valueSchema, { maxItems: MAX_VALUES }),
});

const ruleSchema = record({
  fingerprint: text({ maxLength: 16 }),
  /** Since when the rule has been in force. */
  sinceMs: time,
  /** All windows that end at or before are judged or given up. */
  judgedThroughMs: time,
  /** By start. */
  windows: list(windowSchema, { maxItems: MAX_RANGE_WINDOWS }),
});

const stateSchema = record({
  version: integer({ min: 1, max: 1 }),
  subject: text({ maxLength: 512 }),
  /** Time of the last tick. */
  tickMs: time,
  /** Nothing is judged before: what happened while nobody watched may still come in. */
  heldUntilMs: time,
  sleeps: list(record({ fromMs: time, toMs: time }), { maxItems: MAX_SLEEPS }),
  rules: list(ruleSchema, { maxItems: 64 }),
  /** Hits that came when their window was judged already, of all rules. */
  lateCount: count,
  /** Hits too far ahead of the clock, of all rules. */
  earlyCount: count,
  /** Occurrences that belong to a rule and do not tell what decides, and inputs without a time. */
  unknownCount: count,
});

/** One of the events behind a window. */
export type WindowSample = Infer<typeof sampleSchema>;
/** How often a window of a list rule saw a value. */
export type ValueCount = Infer<typeof valueSchema>;
/** A window that is not judged yet. */
export type OpenWindow = Infer<typeof windowSchema>;
/** What is counted for a rule. */
export type RuleState = Infer<typeof ruleSchema>;

/** All that must survive a restart: plain JSON, bounded. The counters are since it was made. */
export type AlertState = Infer<typeof stateSchema>;

/** The state of somebody whom nobody has watched before `atMs`. `subject` is part of every alert's id. */
export function newAlertState(subject: string, atMs: number): AlertState {
  return {
    version: 1,
    subject: subject.slice(0, 512),
    tickMs: atMs,
    heldUntilMs: atMs,
    sleeps: [],
    rules: [],
    lateCount: 0,
    earlyCount: 0,
    unknownCount: 0,
  };
}

/** A state as it was stored. Error: `malformed`, with the path of the first fault. */
export function readAlertState(stored: JsonValue): Result<AlertState> {
  const faults: Fault[] = [];
  const state = stateSchema.read(stored, faults);
  const [first] = faults;
  return first === undefined
    ? ok(state)
    : fail("malformed", "alert state", `${first.path}: expected ${first.expected}`);
}

/** Start of the oldest window with something in it, ms since the Unix epoch; undefined when there is none. */
export function oldestOpenMs(state: AlertState): number | undefined {
  const starts = state.rules.flatMap((rule) => rule.windows.slice(0, 1).map((one) => one.startMs));
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** The state with exactly the rules in force, in their order; what is counted stays where it can. */
export function alignState(ruleset: Ruleset, state: AlertState): AlertState {
  const { rules } = ruleset;
  const isAligned =
    rules.length === state.rules.length &&
    rules.every((rule, at) => rule.fingerprint === state.rules[at]?.fingerprint);
  if (isAligned) return state;
  const known = new Map(state.rules.map((rule) => [rule.fingerprint, rule]));
  return {
    ...state,
    rules: rules.map((rule) => known.get(rule.fingerprint) ?? newRuleState(rule, ruleset, state)),
  };
}

function newRuleState(rule: ReadyRule, ruleset: Ruleset, state: AlertState): RuleState {
  const judgedThroughMs = windowStart(rule, state.tickMs - ruleset.latenessMs);
  return { fingerprint: rule.fingerprint, sinceMs: state.tickMs, judgedThroughMs, windows: [] };
}

/** Start of the window that a time lies in: windows are aligned to the Unix epoch. */
export function windowStart(rule: ReadyRule, atMs: number): number {
  return Math.floor(atMs / rule.windowMs) * rule.windowMs;
}
