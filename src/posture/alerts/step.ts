import { countOccurrence } from "./count.ts";
import type { Alert } from "./finding.ts";
import { judgeRule } from "./judge.ts";
import { type AlertEvent, occurrencesOf } from "./occurrence.ts";
import type { Ruleset } from "./ruleset.ts";
import { type AlertState, alignState, MAX_SLEEPS, windowStart } from "./state.ts";

/**
 * What the rules are told. `tick`: the time now, on the clock of the events; somebody has watched since
 * the tick before. `wake`: the time now; nobody has watched since the tick before.
 */
export type AlertInput =
  | { readonly kind: "event"; readonly event: AlertEvent }
  | { readonly kind: "tick"; readonly atMs: number }
  | { readonly kind: "wake"; readonly atMs: number };

/** The state after an input, and what it raised. */
export interface AlertStep {
  readonly state: AlertState;
  /** In the order of the rules, then of the windows; only ticks yield any. */
  readonly alerts: readonly Alert[];
}

/**
 * One step of the custom alerts: pure, the same input gives the same output. Events count into the
 * windows of their own time; a tick judges every window that ended `latenessMs` before it.
 * Cost: of an event, the rules that its name concerns; of a tick, the windows that are over.
 */
export function stepAlerts(ruleset: Ruleset, before: AlertState, input: AlertInput): AlertStep {
  const state = alignState(ruleset, before);
  if (!isTime(input.kind === "event" ? input.event.atMs : input.atMs)) {
    return { state: { ...state, unknownCount: state.unknownCount + 1 }, alerts: [] };
  }
  if (input.kind === "event") {
    const counted = occurrencesOf(input.event).reduce(
      (sofar, occurrence) => countOccurrence(ruleset, sofar, occurrence),
      state,
    );
    return { state: counted, alerts: [] };
  }
  const { atMs } = input;
  if (atMs < state.tickMs) return { state: steppedBack(ruleset, state, input), alerts: [] };
  const isGap = input.kind === "wake" || atMs - state.tickMs > ruleset.maxTickGapMs;
  return judge(ruleset, isGap ? wake(ruleset, state, atMs) : { ...state, tickMs: atMs });
}

/** A whole number within what the language takes for a date. Source: ECMA-262, time values. */
function isTime(atMs: number): boolean {
  return Number.isInteger(atMs) && Math.abs(atMs) <= 8_640_000_000_000_000;
}

/**
 * Nobody watched from the last tick to now. Some collectors read up on what they missed, so judging is
 * put off; not again while it is put off already, or an agent that restarts all the time would never judge.
 */
function wake(ruleset: Ruleset, state: AlertState, atMs: number): AlertState {
  const isHeld = state.tickMs < state.heldUntilMs;
  return {
    ...state,
    tickMs: atMs,
    heldUntilMs: isHeld ? state.heldUntilMs : atMs + ruleset.latenessMs,
    sleeps: withSleep(state.sleeps, state.tickMs, atMs),
  };
}

type Sleeps = AlertState["sleeps"];

function withSleep(sleeps: Sleeps, fromMs: number, toMs: number): Sleeps {
  // A moment counts as well: what happened just then may be lost.
  const all = [...sleeps, { fromMs, toMs: Math.max(toMs, fromMs + 1) }];
  const [first, second, ...rest] = all;
  if (all.length <= MAX_SLEEPS || first === undefined || second === undefined) return all;
  const both = {
    fromMs: Math.min(first.fromMs, second.fromMs),
    toMs: Math.max(first.toMs, second.toMs),
  };
  return [both, ...rest];
}

/**
 * The clock went back. A little is ignored. After more, counting goes on from the new time: windows that
 * lie in a future that is not to come are forgotten, and those that come a second time have the same ids.
 */
function steppedBack(
  ruleset: Ruleset,
  state: AlertState,
  input: { readonly kind: "tick" | "wake"; readonly atMs: number },
): AlertState {
  const { atMs } = input;
  if (state.tickMs - atMs <= Math.max(ruleset.latenessMs, 60_000)) {
    return input.kind === "wake" ? wake(ruleset, state, state.tickMs) : state;
  }
  return {
    ...state,
    tickMs: atMs,
    heldUntilMs: Math.min(state.heldUntilMs, atMs + ruleset.latenessMs),
    sleeps: [],
    rules: ruleset.rules.flatMap((rule, at) => {
      const own = state.rules[at];
      if (own === undefined) return [];
      const judgedThroughMs = windowStart(rule, atMs - ruleset.latenessMs);
      return {
        ...own,
        sinceMs: atMs,
        judgedThroughMs: Math.min(own.judgedThroughMs, judgedThroughMs),
        windows: own.windows.filter((window) => window.startMs <= atMs + ruleset.aheadMs),
      };
    }),
  };
}

/** Judges what is over, and forgets the times of nobody watching that concern no window any more. */
function judge(ruleset: Ruleset, state: AlertState): AlertStep {
  if (state.tickMs < state.heldUntilMs) return { state, alerts: [] };
  const throughMs = state.tickMs - ruleset.latenessMs;
  const judged = ruleset.rules.flatMap((rule, at) => {
    const own = state.rules[at];
    return own === undefined ? [] : [judgeRule(ruleset, rule, state, own, throughMs)];
  });
  const rules = judged.map((one) => one.rule);
  const oldestMs = Math.min(throughMs, ...rules.map((rule) => rule.judgedThroughMs));
  return {
    state: { ...state, rules, sleeps: state.sleeps.filter((sleep) => sleep.toMs > oldestMs) },
    alerts: judged.flatMap((one) => one.alerts),
  };
}
