import { createHash } from "node:crypto";
import { plainText } from "../../parse/plain-text.ts";
import { hitsBetween, type Occurrence } from "./occurrence.ts";
import type { ReadyRule, Ruleset } from "./ruleset.ts";
import {
  type AlertState,
  MAX_LIST_WINDOWS,
  MAX_RANGE_WINDOWS,
  MAX_SAMPLES,
  MAX_VALUES,
  type OpenWindow,
  type RuleState,
  type ValueCount,
  type WindowSample,
  windowStart,
} from "./state.ts";

/** Counts one occurrence for every rule that it concerns. The state must be aligned with the rules. */
export function countOccurrence(
  ruleset: Ruleset,
  state: AlertState,
  occurrence: Occurrence,
): AlertState {
  let next = state;
  for (const [at, rule] of ruleset.rules.entries()) {
    const ruleState = state.rules[at];
    if (ruleState === undefined || !rule.measure.eventNames.includes(occurrence.name)) continue;
    const bearing = rule.measure.bearing(occurrence);
    if (bearing.bears === "no") continue;
    if (bearing.bears === "unknown") {
      next = { ...next, unknownCount: next.unknownCount + 1 };
      continue;
    }
    if (rule.allows?.(bearing.value) === true) continue;
    const placed = place(
      rule,
      ruleState,
      occurrence,
      bearing.value,
      state.tickMs + ruleset.aheadMs,
    );
    next = {
      ...next,
      rules: next.rules.map((one, index) => (index === at ? placed.rule : one)),
      lateCount: next.lateCount + placed.late,
      earlyCount: next.earlyCount + placed.early,
    };
  }
  return next;
}

interface Placed {
  readonly rule: RuleState;
  readonly late: number;
  readonly early: number;
}

/** Puts the hits of an occurrence into the windows that they fall into. */
function place(
  rule: ReadyRule,
  ruleState: RuleState,
  occurrence: Occurrence,
  value: string,
  latestMs: number,
): Placed {
  const { windowMs } = rule;
  const maxWindows = rule.allows === undefined ? MAX_RANGE_WINDOWS : MAX_LIST_WINDOWS;
  const lastStart = windowStart(rule, occurrence.lastMs);
  const oldestStart = Math.max(
    windowStart(rule, occurrence.firstMs),
    lastStart - (maxWindows - 1) * windowMs,
    ruleState.judgedThroughMs,
  );
  let late = hitsBetween(occurrence, Number.NEGATIVE_INFINITY, oldestStart);
  let early = 0;
  const windows = new Map(ruleState.windows.map((window) => [window.startMs, window]));
  for (let startMs = oldestStart; startMs <= lastStart; startMs += windowMs) {
    const hits = hitsBetween(occurrence, startMs, startMs + windowMs);
    if (hits === 0) continue;
    if (startMs > latestMs) early += hits;
    else {
      const window = windows.get(startMs) ?? emptyWindow(startMs);
      windows.set(startMs, countedWindow(window, rule, occurrence, value, hits));
    }
  }
  const sorted = [...windows.values()].sort((a, b) => a.startMs - b.startMs);
  const givenUp = sorted.slice(0, Math.max(sorted.length - maxWindows, 0));
  for (const window of givenUp) late += window.count;
  const lastGivenUp = givenUp.at(-1);
  const kept = {
    ...ruleState,
    windows: sorted.slice(givenUp.length),
    judgedThroughMs:
      lastGivenUp === undefined ? ruleState.judgedThroughMs : lastGivenUp.startMs + windowMs,
  };
  return { rule: kept, late, early };
}

/** A window in which nothing has happened. */
export function emptyWindow(startMs: number): OpenWindow {
  return { startMs, count: 0, spreadCount: 0, samples: [], values: [] };
}

/** The window with `hits` of an occurrence in it. `value` is what the measure told; empty for range rules. */
export function countedWindow(
  window: OpenWindow,
  rule: ReadyRule,
  occurrence: Occurrence,
  value: string,
  hits: number,
): OpenWindow {
  const spread = occurrence.hits > 1 ? hits : 0;
  const atMs = Math.max(occurrence.firstMs, window.startMs);
  const counted = {
    ...window,
    count: window.count + hits,
    spreadCount: window.spreadCount + spread,
  };
  const latest = window.samples[MAX_SAMPLES - 1];
  // A later one would not stay: it is not worth writing down.
  if (latest !== undefined && atMs > latest.atMs) return counted;
  const sample: WindowSample = {
    eventId: plainText(occurrence.eventId, 64),
    atMs,
    detail: plainText(rule.measure.describe(occurrence), 160),
  };
  if (rule.allows === undefined) {
    return { ...counted, samples: earliest([...window.samples, sample]) };
  }
  const key = createHash("sha256").update(value).digest("hex").slice(0, 32);
  const fresh = { key, value: plainText(value, 128), count: hits, spreadCount: spread, sample };
  return { ...counted, values: withValue(window.values, fresh) };
}

/** The earliest samples in an order of their own: which ones stay does not depend on who came first. */
function earliest(samples: readonly WindowSample[]): readonly WindowSample[] {
  return [...samples].sort(compareSamples).slice(0, MAX_SAMPLES);
}

function compareSamples(left: WindowSample, right: WindowSample): number {
  return (
    left.atMs - right.atMs ||
    compareText(left.eventId, right.eventId) ||
    compareText(left.detail, right.detail)
  );
}

/** Order by code units, the same everywhere. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * The values with the smallest keys stay. A value that is among them in the end was among them all the
 * time, so its count is exact in whatever order the events came; what did not stay is the rest of the
 * window's count. Keys are hashes, so that nobody gains a place by the choice of a name.
 */
function withValue(values: readonly ValueCount[], fresh: ValueCount): readonly ValueCount[] {
  const known = values.find((one) => one.key === fresh.key);
  const merged = known === undefined ? fresh : mergedValue(known, fresh);
  const others = values.filter((one) => one.key !== fresh.key);
  return [...others, merged].sort((a, b) => compareText(a.key, b.key)).slice(0, MAX_VALUES);
}

function mergedValue(known: ValueCount, fresh: ValueCount): ValueCount {
  return {
    ...known,
    count: known.count + fresh.count,
    spreadCount: known.spreadCount + fresh.spreadCount,
    sample: compareSamples(known.sample, fresh.sample) <= 0 ? known.sample : fresh.sample,
  };
}
