import type { Random } from "../contract/random.ts";
import { METER_BYTES, type Settings } from "../contract/settings.ts";
import type { Draft } from "./draft.ts";
import type { Envelope } from "./envelope.ts";
import { createExtensionLine } from "./extension-line.ts";
import { type Candidates, planMessage, type SendReason } from "./plan.ts";
import {
  QUEUES,
  type QueuedEvent,
  SECURITY_QUEUES,
  type SecurityQueue,
  type Spool,
} from "./spool/spool-contract.ts";

export interface ComposerOptions {
  readonly spool: Spool;
  readonly envelope: Envelope;
  readonly extensionEnvelope: Envelope;
  readonly random: Random;
  readonly settings: () => Settings;
  readonly transportMaxBytes: number;
  /** The parts of an event, as JSON, each at most that many bytes. */
  readonly split: (event: QueuedEvent, maxBytes: number) => readonly string[];
  /** Moves what would be sent soon anyway, such as open aggregation windows, into the spool. */
  readonly pullForward: () => void;
}

/** Decides when a message is due and makes it from what waits in the spool. Takes nothing out of it. */
export interface Composer {
  waitingEvents(): number;
  /** What waits to go as extension message goes at once. */
  hurryExtensions(): void;
  /** Why a message should be made now; undefined when nothing is due. */
  reason(isFlushing: boolean): SendReason | undefined;
  /** Milliseconds until the next event is due, 0 or less when one is; undefined when nothing waits. */
  nextDueMs(): number | undefined;
  /** The next messages: one as a rule, several when one event must be split to fit. */
  compose(reason: SendReason, maxEvents: number): readonly Draft[];
}

type Waiting = Readonly<Record<SecurityQueue, readonly QueuedEvent[]>>;

/** Below this, open aggregation windows are ended to fill the message. */
const PULL_FORWARD_BELOW_BYTES = 2 * METER_BYTES;

export function createComposer(options: ComposerOptions): Composer {
  const { spool, envelope } = options;

  function messageLimit(): number {
    const { maxMessageBytes, maxCacheBytes } = options.settings();
    return Math.min(maxMessageBytes, maxCacheBytes, options.transportMaxBytes);
  }

  /** A cache about as small as a message would evict before a whole message has come together. */
  function fullAtBytes(): number {
    return Math.min(messageLimit(), Math.floor(options.settings().maxCacheBytes / 2));
  }

  function intervalOf(priority: "High" | "Low"): number {
    const settings = options.settings();
    return priority === "High" ? settings.highPriorityIntervalMs : settings.lowPriorityIntervalMs;
  }

  function dueInMs(queue: SecurityQueue): number | undefined {
    const { oldestPriority, oldestAgeMs } = spool.state(queue);
    return oldestPriority === undefined ? undefined : intervalOf(oldestPriority) - oldestAgeMs;
  }

  function waitingBytes(): number {
    const states = SECURITY_QUEUES.map((queue) => spool.state(queue));
    return envelope.meteredBytes(
      states.reduce((bytes, state) => bytes + state.bytes, 0),
      states.reduce((events, state) => events + state.events, 0),
    );
  }

  function waitingEvents(): number {
    return QUEUES.reduce((sum, queue) => sum + spool.state(queue).events, 0);
  }

  /** The events a message could hold, and how many of them are due. */
  function candidates(queue: SecurityQueue, events: readonly QueuedEvent[]): Candidates {
    const [first] = events;
    const headAgeMs = spool.state(queue).oldestAgeMs;
    let due = 0;
    for (const [index, event] of events.entries()) {
      const youngerByMs = event.appendedAtMs - (first?.appendedAtMs ?? 0);
      if (headAgeMs - Math.max(0, youngerByMs) >= intervalOf(event.priority)) due = index + 1;
    }
    return { sizes: events.map((event) => event.sizeBytes), due };
  }

  /** The first of a queue that must go now and no longer fits into any message. */
  function blockedIn(waiting: Waiting, reason: SendReason, room: number): QueuedEvent | undefined {
    const queues = reason === "high-due" ? (["high"] as const) : SECURITY_QUEUES;
    return queues
      .flatMap((queue) => waiting[queue].slice(0, 1))
      .find((event) => event.sizeBytes > room);
  }

  /** An event that a lowered limit no longer lets through leaves in parts; the last one releases it. */
  function inParts(event: QueuedEvent, reason: SendReason, room: number): readonly Draft[] {
    const parts = options.split(event, room);
    return parts.map((json, index) => {
      const isLast = index === parts.length - 1;
      return draftOf(reason, [{ ...event, json }], isLast ? [event] : []);
    });
  }

  function draftOf(
    reason: SendReason,
    carried: readonly QueuedEvent[],
    released: readonly QueuedEvent[],
  ): Draft {
    const texts = carried.map((event) => event.json);
    const message = options.envelope.build(options.random.uuid(), texts);
    return { message, carried, released, reason };
  }

  function hasSecurityEvents(): boolean {
    return SECURITY_QUEUES.some((queue) => spool.state(queue).events > 0);
  }

  /** Why a message of security events should be made now. */
  function securityReason(isFlushing: boolean): SendReason | undefined {
    if (!hasSecurityEvents()) return undefined;
    if (isFlushing) return "flush";
    const isDue = (queue: SecurityQueue): boolean => (dueInMs(queue) ?? 1) <= 0;
    if (isDue("high")) return "high-due";
    if (waitingBytes() >= fullAtBytes()) return "size-reached";
    return isDue("low") || isDue("operational") ? "low-due" : undefined;
  }

  const extensions = createExtensionLine({
    spool,
    envelope: options.extensionEnvelope,
    settings: options.settings,
    messageLimit,
    fullAtBytes,
    uuid: () => options.random.uuid(),
    split: options.split,
  });

  return {
    waitingEvents,
    hurryExtensions: () => extensions.hurry(),
    reason(isFlushing) {
      const own = extensions.reason();
      if (own === "alert") return own;
      const security = securityReason(isFlushing);
      if (security !== undefined) return security;
      return isFlushing && waitingEvents() > 0 ? "flush" : own;
    },
    nextDueMs() {
      const waits = [...SECURITY_QUEUES.map(dueInMs), extensions.nextDueMs()].filter(
        (wait) => wait !== undefined,
      );
      return waits.length === 0 ? undefined : Math.min(...waits);
    },
    compose(reason, maxEvents) {
      const isSecurity = securityReason(reason === "flush") !== undefined;
      if (reason === "alert" || !isSecurity) return extensions.compose(reason, maxEvents);
      if (reason !== "size-reached" && waitingBytes() < PULL_FORWARD_BELOW_BYTES) {
        options.pullForward();
      }
      const maxBytes = messageLimit();
      const room = envelope.roomForOneEvent(maxBytes);
      const waiting = {
        high: spool.peek("high", maxBytes),
        operational: spool.peek("operational", maxBytes),
        low: spool.peek("low", maxBytes),
      };
      const blocked = blockedIn(waiting, reason, room);
      if (blocked !== undefined) return inParts(blocked, reason, room);
      const plan = planMessage(
        {
          high: candidates("high", waiting.high),
          operational: candidates("operational", waiting.operational),
          low: candidates("low", waiting.low),
        },
        reason,
        { maxBytes, maxEvents, meteredBytes: envelope.meteredBytes },
      );
      const events = SECURITY_QUEUES.flatMap((queue) => waiting[queue].slice(0, plan[queue]));
      return events.length === 0 ? [] : [draftOf(reason, events, events)];
    },
  };
}
