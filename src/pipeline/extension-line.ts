import type { Settings } from "../contract/settings.ts";
import type { Draft } from "./draft.ts";
import type { Envelope } from "./envelope.ts";
import type { SendReason } from "./plan.ts";
import type { QueuedEvent, Spool } from "./spool/spool-contract.ts";

export interface ExtensionLineOptions {
  readonly spool: Spool;
  readonly envelope: Envelope;
  readonly settings: () => Settings;
  readonly messageLimit: () => number;
  /** Bytes at which a message is made without waiting longer. */
  readonly fullAtBytes: () => number;
  readonly uuid: () => string;
  /** Parts of an event that a lowered limit no longer lets through. */
  readonly split: (event: QueuedEvent, maxBytes: number) => readonly string[];
}

/**
 * The queue of extension messages: due by the interval of its oldest event, when it is full, or at once for
 * what is urgent. Nothing of it goes into a message with events of schema 1.0, so it fills no metering
 * units: it is a handful of messages a day.
 */
export interface ExtensionLine {
  /** What was appended last does not wait. Lost over a restart: it is then due by its interval. */
  hurry(): void;
  reason(): SendReason | undefined;
  nextDueMs(): number | undefined;
  compose(reason: SendReason, maxEvents: number): readonly Draft[];
}

const QUEUE = "extension";

export function createExtensionLine(options: ExtensionLineOptions): ExtensionLine {
  const { spool, envelope } = options;
  let isUrgent = false;

  function nextDueMs(): number | undefined {
    const { oldestPriority, oldestAgeMs } = spool.state(QUEUE);
    if (oldestPriority === undefined) return undefined;
    const { highPriorityIntervalMs, lowPriorityIntervalMs } = options.settings();
    const intervalMs = oldestPriority === "High" ? highPriorityIntervalMs : lowPriorityIntervalMs;
    return intervalMs - oldestAgeMs;
  }

  /** As many of the oldest as one message holds. */
  function fitting(events: readonly QueuedEvent[], maxEvents: number): readonly QueuedEvent[] {
    const limit = options.messageLimit();
    let bytes = 0;
    const tooMany = events.findIndex((event, index) => {
      bytes += event.sizeBytes;
      return index >= maxEvents || envelope.meteredBytes(bytes, index + 1) > limit;
    });
    return tooMany < 0 ? events : events.slice(0, tooMany);
  }

  return {
    hurry() {
      isUrgent = true;
    },
    reason() {
      const { events, bytes, oldestPriority } = spool.state(QUEUE);
      isUrgent &&= events > 0;
      if (events === 0) return undefined;
      if (isUrgent) return "alert";
      if ((nextDueMs() ?? 1) <= 0) return oldestPriority === "High" ? "high-due" : "low-due";
      const isFull = envelope.meteredBytes(bytes, events) >= options.fullAtBytes();
      return isFull ? "size-reached" : undefined;
    },
    nextDueMs,
    compose(reason, maxEvents) {
      const waiting = spool.peek(QUEUE, options.messageLimit());
      const events = fitting(waiting, maxEvents);
      const [oldest] = waiting;
      if (oldest === undefined) return [];
      const room = envelope.roomForOneEvent(options.messageLimit());
      const carried = events.length > 0 ? events : [oldest];
      const texts =
        events.length > 0
          ? events.map((event) => event.json)
          : options.split(oldest, room).slice(0, 1);
      return [
        { message: envelope.build(options.uuid(), texts), carried, released: carried, reason },
      ];
    },
  };
}
