import { compareText, emptyWindow } from "../alerts/count.ts";
import type { Alert } from "../alerts/finding.ts";
import type { Protocol } from "../alerts/hub-measures.ts";
import { judgeWindow } from "../alerts/judge.ts";
import { hitsBetween, type Occurrence } from "../alerts/occurrence.ts";
import type { ReadyRule } from "../alerts/ruleset.ts";
import { windowStart } from "../alerts/state.ts";
import { createOpenWindows } from "./open-windows.ts";

/** A rule of a group as the fleet's records need it. */
export interface FleetRule {
  readonly group: string;
  readonly rule: ReadyRule;
  /** What of it comes later than this after its window's end is not counted. */
  readonly latenessMs: number;
  /** How far events may be ahead of the event hub's clock. */
  readonly aheadMs: number;
  /** A window is watched when records of this long before its start are known. */
  readonly lookBackMs: number;
  /** Of rules that tell protocols apart. */
  readonly protocol: Protocol | undefined;
  /** Counts what security agents tell. */
  readonly isOfAgents: boolean;
}

/** Why hits could not be counted; `again`: a replay tells what has been judged. */
export type Uncounted = "late" | "early" | "partial-window" | "too-many-devices" | "again";

/** An occurrence that the rule counts, of whom, and the record that tells of it. */
export interface Told {
  readonly deviceId: string;
  readonly occurrence: Occurrence;
  /** As the measure gives it. */
  readonly value: string;
  readonly from: { readonly enqueuedAtMs: number; readonly sequenceNumber: number };
  /** The record from which on a replay counts this occurrence as it was counted now: this one, or one before. */
  readonly neededSequence: number;
}

/** The open windows of one rule, of all devices. */
export interface RuleBook {
  readonly fleetRule: FleetRule;
  /** Puts the hits of an occurrence into its windows; tells of each hit that it could not count. */
  count(told: Told): void;
  /** Windows up to the one that holds this time are not wholly watched. */
  watchedFrom(atMs: number): void;
  /** Windows that are over at this time were judged by somebody before. */
  judgedThrough(atMs: number): void;
  /** When the next window closes; infinite when there is none. */
  nextCloseMs(): number;
  close(atMs: number): readonly Alert[];
  /** The first record that an open window has counted; undefined when all are empty. */
  oldestSequence(): number | undefined;
  /** Start of the oldest window that is still to be judged at this time, with or without something in it. */
  oldestOpenMs(atMs: number): number | undefined;
  openDevices(): Iterable<string>;
}

export interface RuleBookOptions {
  readonly fleetRule: FleetRule;
  readonly maxDevices: number;
  readonly subjectOf: (deviceId: string) => string;
  readonly onUncounted: (reason: Uncounted, hits: number) => void;
  /** Devices that a window without anything tells something of: known and watched all the time of it. */
  readonly silentDevices: (rule: FleetRule, startMs: number, endMs: number) => readonly string[];
  /** No device was seen after this time plus the time that devices are remembered. */
  readonly silentUntilMs: () => number;
}

export function createRuleBook(options: RuleBookOptions): RuleBook {
  const { fleetRule, onUncounted } = options;
  const { rule, latenessMs, aheadMs, lookBackMs } = fleetRule;
  const { windowMs } = rule;
  const judgesSilence = rule.range !== undefined && rule.range.min > 0 && rule.judgesSilence;
  const windows = createOpenWindows(rule, options.maxDevices);
  /** The first window that is wholly watched. */
  let firstStartMs: number | undefined;
  /** Windows that start before were judged: now, or before the replay that is going on. */
  let judgedBeforeMs = Number.NEGATIVE_INFINITY;
  let repeatsBeforeMs = Number.NEGATIVE_INFINITY;
  let nextStartMs = Number.POSITIVE_INFINITY;

  /** Why a window takes no hits of a record; undefined when it does. */
  function refusal(startMs: number, enqueuedAtMs: number): Uncounted | undefined {
    if (startMs + windowMs + latenessMs <= enqueuedAtMs) return "late";
    if (firstStartMs === undefined || startMs < firstStartMs) return "partial-window";
    if (startMs >= judgedBeforeMs) return undefined;
    return startMs < repeatsBeforeMs ? "again" : "late";
  }

  function place(told: Told, startMs: number, hits: number): Uncounted | undefined {
    const refused = refusal(startMs, told.from.enqueuedAtMs);
    if (refused !== undefined) return refused;
    const { occurrence, value } = told;
    const isTaken = windows.add(
      startMs,
      told.deviceId,
      { occurrence, value, hits },
      told.neededSequence,
    );
    if (!isTaken) return "too-many-devices";
    nextStartMs = Math.min(nextStartMs, startMs);
    return undefined;
  }

  function count(told: Told): void {
    const { occurrence, from } = told;
    const { enqueuedAtMs } = from;
    const lastStartMs = windowStart(rule, occurrence.lastMs);
    const oldestMs = windowStart(rule, enqueuedAtMs - latenessMs - windowMs);
    const startMs = Math.max(windowStart(rule, occurrence.firstMs), oldestMs);
    let lateHits = hitsBetween(occurrence, Number.NEGATIVE_INFINITY, startMs);
    for (let at = startMs; at <= lastStartMs; at += windowMs) {
      if (at > enqueuedAtMs + aheadMs) {
        onUncounted("early", hitsBetween(occurrence, at, Number.POSITIVE_INFINITY));
        break;
      }
      const hits = occurrence.hits === 1 ? 1 : hitsBetween(occurrence, at, at + windowMs);
      const refused = hits === 0 ? undefined : place(told, at, hits);
      if (refused === "late") lateHits += hits;
      else if (refused !== undefined) onUncounted(refused, hits);
    }
    if (lateHits === 0) return;
    // What is on no list is told even when it comes late: in the window in which it came.
    const isRange = rule.allows === undefined;
    const refused = isRange ? "late" : place(told, windowStart(rule, enqueuedAtMs), lateHits);
    if (refused !== undefined) onUncounted(refused, lateHits);
  }

  function close(atMs: number): readonly Alert[] {
    const throughMs = windowStart(rule, atMs - latenessMs);
    const alerts = startsBefore(throughMs).flatMap(judge);
    judgedBeforeMs = Math.max(judgedBeforeMs, throughMs);
    nextStartMs = windows.oldestStartMs() ?? Number.POSITIVE_INFINITY;
    return alerts;
  }

  function startsBefore(throughMs: number): readonly number[] {
    const starts = new Set(windows.starts().filter((startMs) => startMs < throughMs));
    if (judgesSilence && firstStartMs !== undefined) {
      const untilMs = Math.min(throughMs, options.silentUntilMs());
      const fromMs = Math.max(firstStartMs, judgedBeforeMs);
      for (let startMs = fromMs; startMs < untilMs; startMs += windowMs) starts.add(startMs);
    }
    return [...starts].sort((a, b) => a - b);
  }

  function judge(startMs: number): readonly Alert[] {
    const held = windows.take(startMs);
    const silent = judgesSilence
      ? new Set(options.silentDevices(fleetRule, startMs, startMs + windowMs))
      : NOBODY;
    const deviceIds = [...new Set([...held.keys(), ...silent])].sort(compareText);
    return deviceIds.flatMap((deviceId) => {
      const window = held.get(deviceId) ?? emptyWindow(startMs);
      const isFew = rule.range !== undefined && window.count < rule.range.min;
      const isWatchComplete = !isFew || silent.has(deviceId);
      const subject = options.subjectOf(deviceId);
      return judgeWindow({ group: fleetRule.group, subject, rule, window, isWatchComplete });
    });
  }

  function openStart(atMs: number): number | undefined {
    if (firstStartMs === undefined) return undefined;
    return Math.max(firstStartMs, judgedBeforeMs, windowStart(rule, atMs - latenessMs));
  }

  return {
    fleetRule,
    count,
    watchedFrom(atMs) {
      firstStartMs = windowStart(rule, atMs + lookBackMs) + windowMs;
    },
    judgedThrough(atMs) {
      judgedBeforeMs = windowStart(rule, atMs - latenessMs);
      repeatsBeforeMs = judgedBeforeMs;
    },
    nextCloseMs() {
      const silentMs = judgesSilence ? openStart(Number.NEGATIVE_INFINITY) : undefined;
      return Math.min(nextStartMs, silentMs ?? nextStartMs) + windowMs + latenessMs;
    },
    close,
    oldestSequence: windows.oldestSequence,
    oldestOpenMs: openStart,
    openDevices: windows.devices,
  };
}

const NOBODY: ReadonlySet<string> = new Set();
