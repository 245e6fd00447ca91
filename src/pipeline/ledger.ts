import type { MessageCounts } from "../contract/agent-facts.ts";
import type { Clock } from "../contract/clock.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { METER_BYTES } from "../contract/settings.ts";

const HOUR_MS = 3_600_000;
const HOURS = 24;
const KEPT_BUCKETS = 2 * HOURS;

/** Sums over the last 24 hours. `fillRatio`: bytes sent over bytes metered; 1 when nothing was sent. */
export interface DayFigures {
  readonly messages: number;
  readonly messagesUnder4Kb: number;
  readonly bytes: number;
  readonly units: number;
  readonly fillRatio: number;
}

interface Bucket {
  readonly hour: number;
  messages: number;
  under: number;
  bytes: number;
  units: number;
}

/** What was sent: counters since they were last taken, and a rolling day in hourly buckets. */
export interface Ledger {
  sent(meteredBytes: number): void;
  failed(): void;
  take(): MessageCounts;
  day(): DayFigures;
  /** For keeping over a restart; `restore` takes it back. */
  toJson(): JsonObject;
  /** Accepts anything; what is not a bucket of the last day is ignored. */
  restore(saved: JsonValue | undefined): void;
}

/** Metering units of a message. */
export function unitsOf(meteredBytes: number): number {
  return Math.max(1, Math.ceil(meteredBytes / METER_BYTES));
}

export function createLedger(clock: Clock): Ledger {
  let counts: MessageCounts = { messagesSent: 0, messagesUnder4Kb: 0, totalFailed: 0 };
  let buckets: Bucket[] = [];

  function currentHour(): number {
    return Math.floor(clock.nowMs() / HOUR_MS);
  }

  /** Buckets ahead of a clock that was set back are kept for when it is right again, but not counted. */
  function recent(): readonly Bucket[] {
    const now = currentHour();
    return buckets.filter((bucket) => bucket.hour > now - HOURS && bucket.hour <= now);
  }

  function bucketNow(): Bucket {
    const hour = currentHour();
    const current = buckets.find((bucket) => bucket.hour === hour);
    if (current !== undefined) return current;
    const fresh: Bucket = { hour, messages: 0, under: 0, bytes: 0, units: 0 };
    buckets = [...buckets, fresh].sort((a, b) => b.hour - a.hour).slice(0, KEPT_BUCKETS);
    return fresh;
  }

  return {
    sent(meteredBytes) {
      const under = meteredBytes < METER_BYTES ? 1 : 0;
      counts = {
        ...counts,
        messagesSent: counts.messagesSent + 1,
        messagesUnder4Kb: counts.messagesUnder4Kb + under,
      };
      const bucket = bucketNow();
      bucket.messages += 1;
      bucket.under += under;
      bucket.bytes += meteredBytes;
      bucket.units += unitsOf(meteredBytes);
    },
    failed() {
      counts = { ...counts, totalFailed: counts.totalFailed + 1 };
    },
    take() {
      const taken = counts;
      counts = { messagesSent: 0, messagesUnder4Kb: 0, totalFailed: 0 };
      return taken;
    },
    day() {
      const sum = { messages: 0, under: 0, bytes: 0, units: 0 };
      for (const bucket of recent()) {
        sum.messages += bucket.messages;
        sum.under += bucket.under;
        sum.bytes += bucket.bytes;
        sum.units += bucket.units;
      }
      return {
        messages: sum.messages,
        messagesUnder4Kb: sum.under,
        bytes: sum.bytes,
        units: sum.units,
        fillRatio: sum.units === 0 ? 1 : sum.bytes / (sum.units * METER_BYTES),
      };
    },
    toJson: () => ({ buckets: buckets.map((bucket) => ({ ...bucket })) }),
    restore(saved) {
      const list = isJsonObject(saved) ? saved["buckets"] : undefined;
      if (!Array.isArray(list)) return;
      const items: readonly JsonValue[] = list;
      const found = items.slice(0, KEPT_BUCKETS).flatMap(bucketFrom);
      buckets = [...new Map(found.map((bucket) => [bucket.hour, bucket])).values()];
    },
  };
}

function bucketFrom(item: JsonValue): Bucket[] {
  if (!isJsonObject(item)) return [];
  const { hour, messages, under, bytes, units } = item;
  if (!isCount(hour) || !isCount(messages) || !isCount(under)) return [];
  if (!isCount(bytes) || !isCount(units)) return [];
  const isPossible = under <= messages && messages <= units && bytes <= units * METER_BYTES;
  return isPossible ? [{ hour, messages, under, bytes, units }] : [];
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
