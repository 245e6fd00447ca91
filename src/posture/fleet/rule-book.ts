import { compareText, countedWindow, emptyWindow } from "../alerts/count.ts";
import type { Alert } from "../alerts/finding.ts";
import type { Protocol } from "../alerts/hub-measures.ts";
import { judgeWindow } from "../alerts/judge.ts";
import { hitsBetween, type Occurrence } from "../alerts/occurrence.ts";
import type { ReadyRule } from "../alerts/ruleset.ts";
import { type OpenWindow, windowStart } from "../alerts/state.ts";

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

/** The open windows of one rule, of all devices. */
export interface RuleBook {
  readonly fleetRule: FleetRule;
  /** Puts the hits of an occurrence into its windows; tells of each hit that it could not count. */
  count(deviceId: string, occurrence: Occurrence, value: string, enqueuedAtMs: number): void;
  /** Windows up to the one that holds this time are not wholly watched. */
  watchedFrom(atMs: number): void;
  /** Windows that are over at this time were judged by somebody before. */
  judgedThrough(atMs: number): void;
  /** When the next window closes; infinite when there is none. */
  nextCloseMs(): number;
  close(atMs: number): readonly Alert[];
  /** Start of the oldest window with something in it. */
  oldestHeldMs(): number | undefined;
  /** Start of the oldest window that is still to be judged, with or without something in it. */
  oldestOpenMs(): number | undefined;
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
  const { fleetRule, maxDevices, onUncounted } = options;
  const { rule, latenessMs, aheadMs, lookBackMs } = fleetRule;
  const { windowMs } = rule;
  const judgesSilence = rule.range !== undefined && rule.range.min > 0 && rule.judgesSilence;
  const windows = new Map<number, Map<string, OpenWindow>>();
  /** The first window that is wholly watched. */
  let firstStartMs: number | undefined;
  /** Windows that start before were judged: now, or before the replay that is going on. */
  let judgedBeforeMs = Number.NEGATIVE_INFINITY;
  let repeatsBeforeMs = Number.NEGATIVE_INFINITY;
  let oldestHeldMs = Number.POSITIVE_INFINITY;

  function add(
    deviceId: string,
    startMs: number,
    occurrence: Occurrence,
    value: string,
    hits: number,
  ): void {
    let devices = windows.get(startMs);
    if (devices === undefined) {
      devices = new Map();
      windows.set(startMs, devices);
      oldestHeldMs = Math.min(oldestHeldMs, startMs);
    }
    const window = devices.get(deviceId);
    if (window === undefined && devices.size >= maxDevices) {
      onUncounted("too-many-devices", hits);
      return;
    }
    devices.set(
      deviceId,
      countedWindow(window ?? emptyWindow(startMs), rule, occurrence, value, hits),
    );
  }

  /** Why a window takes no hits of a record; undefined when it does. */
  function refusal(startMs: number, enqueuedAtMs: number): Uncounted | undefined {
    if (startMs + windowMs + latenessMs <= enqueuedAtMs) return "late";
    if (startMs > enqueuedAtMs + aheadMs) return "early";
    if (firstStartMs === undefined || startMs < firstStartMs) return "partial-window";
    if (startMs >= judgedBeforeMs) return undefined;
    return startMs < repeatsBeforeMs ? "again" : "late";
  }

  function count(
    deviceId: string,
    occurrence: Occurrence,
    value: string,
    enqueuedAtMs: number,
  ): void {
    const lastStartMs = windowStart(rule, occurrence.lastMs);
    const oldestMs = windowStart(rule, enqueuedAtMs - latenessMs - windowMs);
    const startMs = Math.max(windowStart(rule, occurrence.firstMs), oldestMs);
    let lateHits = hitsBetween(occurrence, Number.NEGATIVE_INFINITY, startMs);
    for (let at = startMs; at <= lastStartMs; at += windowMs) {
      const hits = occurrence.hits === 1 ? 1 : hitsBetween(occurrence, at, at + windowMs);
      if (hits === 0) continue;
      if (at > enqueuedAtMs + aheadMs) {
        onUncounted("early", hitsBetween(occurrence, at, Number.POSITIVE_INFINITY));
        break;
      }
      const refused = refusal(at, enqueuedAtMs);
      if (refused === undefined) add(deviceId, at, occurrence, value, hits);
      else if (refused === "late") lateHits += hits;
      else onUncounted(refused, hits);
    }
    if (lateHits > 0) countLate(deviceId, occurrence, value, lateHits, enqueuedAtMs);
  }

  /** What is on no list is told even when it comes late: in the window in which it came. */
  function countLate(
    deviceId: string,
    occurrence: Occurrence,
    value: string,
    hits: number,
    enqueuedAtMs: number,
  ): void {
    const startMs = windowStart(rule, enqueuedAtMs);
    const refused = rule.allows === undefined ? "late" : refusal(startMs, enqueuedAtMs);
    if (refused === undefined) add(deviceId, startMs, occurrence, value, hits);
    else onUncounted(refused, hits);
  }

  function close(atMs: number): readonly Alert[] {
    if (firstStartMs === undefined) return [];
    const throughMs = windowStart(rule, atMs - latenessMs);
    const starts = startsBefore(throughMs);
    const alerts: Alert[] = [];
    for (const startMs of starts) {
      judge(startMs, alerts);
      windows.delete(startMs);
    }
    judgedBeforeMs = Math.max(judgedBeforeMs, throughMs);
    oldestHeldMs = Number.POSITIVE_INFINITY;
    for (const startMs of windows.keys()) oldestHeldMs = Math.min(oldestHeldMs, startMs);
    return alerts;
  }

  function startsBefore(throughMs: number): readonly number[] {
    const held = [...windows.keys()].filter((startMs) => startMs < throughMs);
    if (!judgesSilence || firstStartMs === undefined) return held.sort((a, b) => a - b);
    const starts = new Set(held);
    const untilMs = Math.min(throughMs, options.silentUntilMs());
    const fromMs = Math.max(firstStartMs, judgedBeforeMs);
    for (let startMs = fromMs; startMs < untilMs; startMs += windowMs) starts.add(startMs);
    return [...starts].sort((a, b) => a - b);
  }

  function judge(startMs: number, alerts: Alert[]): void {
    const held = windows.get(startMs);
    const silent = judgesSilence
      ? new Set(options.silentDevices(fleetRule, startMs, startMs + windowMs))
      : undefined;
    const deviceIds = new Set([...(held?.keys() ?? []), ...(silent ?? [])]);
    for (const deviceId of [...deviceIds].sort(compareText)) {
      const window = held?.get(deviceId) ?? emptyWindow(startMs);
      const isFew = rule.range !== undefined && window.count < rule.range.min;
      alerts.push(
        ...judgeWindow({
          group: fleetRule.group,
          subject: options.subjectOf(deviceId),
          rule,
          window,
          isWatchComplete: !isFew || silent?.has(deviceId) === true,
        }),
      );
    }
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
      const oldest = judgesSilence ? openStart() : oldestHeldMs;
      return oldest === undefined ? Number.POSITIVE_INFINITY : oldest + windowMs + latenessMs;
    },
    close,
    oldestHeldMs: () => (Number.isFinite(oldestHeldMs) ? oldestHeldMs : undefined),
    oldestOpenMs: openStart,
    *openDevices() {
      for (const devices of windows.values()) yield* devices.keys();
    },
  };

  function openStart(): number | undefined {
    return firstStartMs === undefined ? undefined : Math.max(firstStartMs, judgedBeforeMs);
  }
}
