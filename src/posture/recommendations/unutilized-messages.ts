import { isJsonObject, type JsonValue } from "../../contract/json.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

const HOUR_MS = 3_600_000;
const WINDOW_HOURS = 24;
/** Twice the window: after the clock was put right, both its hours and the wrong ones have room. */
const MOST_BUCKETS = 48;
/** A counter that a damaged file could hold must not spoil sums. */
const MOST_MESSAGES = 1_000_000_000;

/** Security messages of one hour. */
interface MessageBucket {
  /** Hours since the Unix epoch. */
  readonly hour: number;
  readonly messages: number;
  /** Of those, smaller than 4096 bytes as the hub meters them. */
  readonly smallMessages: number;
}

/** What was sent, by the hour: plain JSON, at most 48 buckets in the order they were written. */
export interface MessageWindow {
  readonly observedSinceMs: number;
  readonly buckets: readonly MessageBucket[];
}

/** From where on small messages are too many. */
export interface MessageThresholds {
  /** Smallest share of small messages that is unhealthy, 0 to 1. */
  readonly share: number;
  /** Fewer than this, and nothing is said before 24 hours were observed. */
  readonly fewestMessages: number;
}

/** 10 % is the published rule; ten messages are the fewest of which one is 10 %. */
export const MESSAGE_THRESHOLDS: MessageThresholds = { share: 0.1, fewestMessages: 10 };

/** A window that has seen nothing, from `nowMs` (Unix epoch) on. */
export function emptyMessageWindow(nowMs: number): MessageWindow {
  return { observedSinceMs: nowMs, buckets: [] };
}

/** Adds messages sent since the last call; `nowMs` since the Unix epoch. */
export function recordMessages(
  window: MessageWindow,
  sent: { readonly messages: number; readonly smallMessages: number },
  nowMs: number,
): MessageWindow {
  const messages = countOf(sent.messages);
  if (messages === 0) return window;
  const smallMessages = Math.min(countOf(sent.smallMessages), messages);
  const hour = hourOf(nowMs);
  const before = window.buckets.find((bucket) => bucket.hour === hour);
  const bucket = {
    hour,
    messages: countOf(messages + (before?.messages ?? 0)),
    smallMessages: countOf(smallMessages + (before?.smallMessages ?? 0)),
  };
  const others = window.buckets.filter((other) => other.hour !== hour);
  return { ...window, buckets: [...others, bucket].slice(-MOST_BUCKETS) };
}

/**
 * A window as it was stored. Of damaged input what is sound is kept; nothing sound yields an empty window.
 */
export function readMessageWindow(stored: JsonValue | undefined, nowMs: number): MessageWindow {
  if (!isJsonObject(stored)) return emptyMessageWindow(nowMs);
  const since = stored["observedSinceMs"];
  const listed = stored["buckets"];
  const buckets = new Map<number, MessageBucket>();
  for (const value of Array.isArray(listed) ? listed.slice(-MOST_BUCKETS) : []) {
    const bucket = bucketOf(value);
    if (bucket !== undefined) buckets.set(bucket.hour, bucket);
  }
  return {
    observedSinceMs: typeof since === "number" && Number.isFinite(since) ? since : nowMs,
    buckets: [...buckets.values()],
  };
}

function bucketOf(value: JsonValue): MessageBucket | undefined {
  if (!isJsonObject(value)) return undefined;
  const { hour, messages, smallMessages } = value;
  if (!isCount(hour) || !isCount(messages) || !isCount(smallMessages)) return undefined;
  if (messages === 0 || smallMessages > messages) return undefined;
  return { hour, messages, smallMessages };
}

/**
 * IoT_AgentSendsUnutilizedMessages over the hour that `nowMs` is in and the 23 before it. Unknown when
 * nothing was sent, and in the first 24 hours while there are too few messages for a share to mean much.
 * `window` undefined: nothing counts messages.
 */
export function judgeMessages(
  window: MessageWindow | undefined,
  nowMs: number,
  thresholds: MessageThresholds = MESSAGE_THRESHOLDS,
): Verdict {
  const type = "IoT_AgentSendsUnutilizedMessages";
  if (window === undefined)
    return verdictOf(type, { state: "unknown", missing: ["the counters of messages"] });
  const nowHour = hourOf(nowMs);
  const recent = window.buckets.filter(
    ({ hour }) => hour <= nowHour && hour > nowHour - WINDOW_HOURS,
  );
  const messages = sum(recent.map((bucket) => bucket.messages));
  const smallMessages = sum(recent.map((bucket) => bucket.smallMessages));
  const observedHours = hoursSince(window.observedSinceMs, nowMs);
  const isEarly = observedHours < WINDOW_HOURS && messages < thresholds.fewestMessages;
  const record = { messages, smallMessages, share: shareText(smallMessages, messages) };
  const evidence = [{ ...record, observedHours }];
  if (messages === 0) {
    const missing = ["a security message: none was sent during the last 24 hours"];
    return verdictOf(type, { state: "unknown", evidence, missing });
  }
  if (isEarly) {
    const missing = [
      `messages: ${messages} in the ${observedHours} hours seen so far, and ${thresholds.fewestMessages} are needed before a day has passed`,
    ];
    return verdictOf(type, { state: "unknown", evidence, missing });
  }
  const isUnhealthy = smallMessages > 0 && smallMessages >= thresholds.share * messages;
  return verdictOf(type, {
    state: isUnhealthy ? "unhealthy" : "healthy",
    count: smallMessages,
    evidence,
  });
}

function hourOf(nowMs: number): number {
  return Number.isFinite(nowMs) ? Math.max(Math.floor(nowMs / HOUR_MS), 0) : 0;
}

/** Whole hours; a start in the future, as a wrong clock leaves it, is no time at all. */
function hoursSince(sinceMs: number, nowMs: number): number {
  const hours = Math.floor((nowMs - sinceMs) / HOUR_MS);
  return Number.isFinite(hours) ? Math.min(Math.max(hours, 0), WINDOW_HOURS) : 0;
}

function shareText(part: number, whole: number): string | undefined {
  return whole === 0 ? undefined : `${((part / whole) * 100).toFixed(1)} %`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function countOf(count: number): number {
  return Number.isFinite(count) ? Math.min(Math.max(Math.trunc(count), 0), MOST_MESSAGES) : 0;
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
