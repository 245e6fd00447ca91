import { createHash } from "node:crypto";
import { alertTypeOf } from "./catalogue.ts";
import { compareText, emptyWindow } from "./count.ts";
import type { Alert, AlertEvidence } from "./finding.ts";
import type { ReadyRule, Ruleset } from "./ruleset.ts";
import { type AlertState, type OpenWindow, type RuleState, windowStart } from "./state.ts";

/** Silent windows that one tick judges per rule at most; of more, the newest. */
const MAX_SILENT = 1_440;

/** A rule after its windows up to a time were judged. */
export interface Judged {
  readonly rule: RuleState;
  readonly alerts: readonly Alert[];
}

/** Judges all windows of a rule that ended at or before `throughMs`, the silent ones among them. */
export function judgeRule(
  ruleset: Ruleset,
  rule: ReadyRule,
  state: AlertState,
  ruleState: RuleState,
  throughMs: number,
): Judged {
  const judgedThroughMs = windowStart(rule, throughMs);
  if (judgedThroughMs <= ruleState.judgedThroughMs) return { rule: ruleState, alerts: [] };
  const over = ruleState.windows.filter((one) => one.startMs < judgedThroughMs);
  const silent = silentStarts(rule, state, ruleState, judgedThroughMs);
  const windows = [...over, ...silent.map(emptyWindow)].sort((a, b) => a.startMs - b.startMs);
  return {
    rule: {
      ...ruleState,
      judgedThroughMs,
      windows: ruleState.windows.slice(over.length),
    },
    alerts: windows.flatMap((window) =>
      judgeWindow({
        group: ruleset.group,
        subject: state.subject,
        rule,
        window,
        isWatchComplete: isWatched(rule, state, ruleState, window.startMs),
      }),
    ),
  };
}

/** Starts of the windows in which nothing was counted and somebody watched from beginning to end. */
function silentStarts(
  rule: ReadyRule,
  state: AlertState,
  ruleState: RuleState,
  throughMs: number,
): readonly number[] {
  if (rule.range === undefined || rule.range.min === 0 || !rule.judgesSilence) return [];
  const counted = new Set(ruleState.windows.map((window) => window.startMs));
  const earliestMs = Math.max(
    ruleState.judgedThroughMs,
    windowStart(rule, ruleState.sinceMs),
    throughMs - MAX_SILENT * rule.windowMs,
  );
  const starts: number[] = [];
  for (let startMs = earliestMs; startMs < throughMs; startMs += rule.windowMs) {
    if (!counted.has(startMs) && isWatched(rule, state, ruleState, startMs)) starts.push(startMs);
  }
  return starts;
}

/** True when the rule was in force and somebody watched all the time of the window. */
function isWatched(
  rule: ReadyRule,
  state: AlertState,
  ruleState: RuleState,
  startMs: number,
): boolean {
  const endMs = startMs + rule.windowMs;
  return (
    startMs >= ruleState.sinceMs &&
    state.sleeps.every((sleep) => sleep.toMs <= startMs || sleep.fromMs >= endMs)
  );
}

/** A window that is over, and all that its verdict depends on. */
export interface ClosedWindow {
  /** Name of the security group that the rule is from. */
  readonly group: string;
  /** Whom the window is about; part of every alert's id. */
  readonly subject: string;
  readonly rule: ReadyRule;
  readonly window: OpenWindow;
  /** Somebody watched from its first to its last moment, so that a small count means something. */
  readonly isWatchComplete: boolean;
}

/** What a window that is over violates: of a range rule at most one alert, of a list rule one per value. */
export function judgeWindow(closed: ClosedWindow): readonly Alert[] {
  const { rule, window, isWatchComplete } = closed;
  const alert = (count: number, own: OwnEvidence, key = ""): Alert =>
    alertOf({ closed, count, key, own: { ...own, isWatchComplete } });
  const { count, spreadCount, samples } = window;
  if (rule.range !== undefined) {
    const { min, max } = rule.range;
    const range = { minThreshold: min, maxThreshold: max, spreadCount, samples };
    if (count > max) return [alert(count, { reason: "too-many", ...range })];
    const isTooFew = count < min && isWatchComplete && rule.judgesSilence;
    return isTooFew ? [alert(count, { reason: "too-few", ...range })] : [];
  }
  const values = [...window.values].sort((a, b) => compareText(a.value, b.value));
  const alerts = values.map((one) => {
    const { value, sample } = one;
    const spread = { spreadCount: one.spreadCount, samples: [sample] };
    return alert(one.count, { reason: "not-allowed", value, ...spread }, one.key);
  });
  const rest = (own: (one: { count: number; spreadCount: number }) => number) =>
    own(window) - values.reduce((sum, one) => sum + own(one), 0);
  const restCount = rest((one) => one.count);
  if (restCount === 0) return alerts;
  const overflow = { spreadCount: rest((one) => one.spreadCount), samples: [] };
  return [
    ...alerts,
    alert(restCount, { reason: "not-allowed", isOverflow: true, ...overflow }, "overflow"),
  ];
}

type OwnEvidence = Omit<AlertEvidence, "isWatchComplete">;

interface Violation {
  readonly closed: ClosedWindow;
  readonly count: number;
  readonly key: string;
  readonly own: AlertEvidence;
}

function alertOf({ closed, count, key, own }: Violation): Alert {
  const { group, subject } = closed;
  const { ruleType, entry, windowMs } = closed.rule;
  const { startMs } = closed.window;
  const identity = [group, subject, ruleType, windowMs, startMs, key];
  return {
    id: uuidOf(JSON.stringify(identity)),
    alertType: alertTypeOf(ruleType),
    ruleType,
    severity: entry.severity,
    title: entry.title,
    description: entry.description,
    remediation: entry.remediation,
    group,
    subject,
    windowStartMs: startMs,
    windowEndMs: startMs + windowMs,
    count,
    evidence: own,
  };
}

/** An id that follows from a text. Source: RFC 9562 section 5.8, version 8, made of SHA-256. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
