import type { Clock, Timer } from "../contract/clock.ts";
import { describeError } from "../contract/errors.ts";
import type { OutgoingMessage } from "../contract/message.ts";
import type { Random } from "../contract/random.ts";
import type { Settings } from "../contract/settings.ts";
import { METER_BYTES } from "../contract/settings.ts";
import type { SendOutcome } from "../contract/transport.ts";
import type { Envelope } from "./envelope.ts";
import { type Ledger, unitsOf } from "./ledger.ts";
import { type Candidates, planMessage, type SendReason } from "./plan.ts";
import { QUEUES, type Queue, type QueuedEvent, type Spool } from "./spool/spool-contract.ts";

/** A message that the hub acknowledged. */
export interface SentMessage {
  readonly message: OutgoingMessage;
  readonly events: readonly { readonly name: string; readonly count: number }[];
  readonly units: number;
  /** Metered bytes over the bytes of the units they cost. */
  readonly fillRatio: number;
  readonly reason: SendReason;
  readonly latencyMs: number;
}

export interface SenderOptions {
  readonly spool: Spool;
  readonly envelope: Envelope;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: () => Settings;
  readonly transportMaxBytes: number;
  readonly send: (message: OutgoingMessage, signal: AbortSignal) => Promise<SendOutcome>;
  /** The parts of an event, as JSON, each at most that many bytes. */
  readonly split: (event: QueuedEvent, maxBytes: number) => readonly string[];
  /** Moves what would be sent soon anyway, such as open aggregation windows, into the spool. */
  readonly pullForward: () => void;
  readonly onSent: (sent: SentMessage) => void;
  /** An event that the hub will never take; it has left the spool. */
  readonly onRefused: (event: QueuedEvent, reason: string) => void;
  readonly onFault: (reason: string) => void;
}

/** Sends what waits in the spool, one message at a time, when the settings say so. */
export interface Sender {
  /** Something was appended, or the settings changed. */
  wake(): void;
  setConnected(isConnected: boolean): void;
  /** Sends everything; resolves when nothing waits, the deadline passes or the hub is gone. */
  flush(deadlineMs: number): Promise<{ readonly sent: number; readonly waiting: number }>;
  /** Stops without sending more; a message under way is given up and stays in the spool. */
  stop(): Promise<void>;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 120_000;

interface Draft {
  readonly message: OutgoingMessage;
  readonly carried: readonly QueuedEvent[];
  /** What leaves the spool when this message is acknowledged. */
  readonly released: readonly QueuedEvent[];
  readonly reason: SendReason;
}

export function createSender(options: SenderOptions): Sender {
  const { spool, clock, envelope } = options;
  const stopping = new AbortController();
  let isConnected = false;
  let isFlushing = false;
  let running: Promise<void> | undefined;
  let timer: Timer | undefined;
  let maxEvents = Number.MAX_SAFE_INTEGER;
  let sentCount = 0;
  /** Messages composed and not yet acknowledged: after a lost connection the same ones go again. */
  let pending: readonly Draft[] = [];

  function maxBytes(): number {
    const { maxMessageBytes, maxCacheBytes } = options.settings();
    return Math.min(maxMessageBytes, maxCacheBytes, options.transportMaxBytes);
  }

  function intervalOf(priority: "High" | "Low"): number {
    const settings = options.settings();
    return priority === "High" ? settings.highPriorityIntervalMs : settings.lowPriorityIntervalMs;
  }

  /** Milliseconds until the oldest event of the queue is due; undefined when nothing waits. */
  function dueInMs(queue: Queue): number | undefined {
    const { oldestPriority, oldestAgeMs } = spool.state(queue);
    return oldestPriority === undefined ? undefined : intervalOf(oldestPriority) - oldestAgeMs;
  }

  function waitingBytes(): number {
    const sum = QUEUES.map((queue) => spool.state(queue));
    return envelope.meteredBytes(
      sum.reduce((bytes, state) => bytes + state.bytes, 0),
      sum.reduce((events, state) => events + state.events, 0),
    );
  }

  function waitingEvents(): number {
    return QUEUES.reduce((sum, queue) => sum + spool.state(queue).events, 0);
  }

  function reasonNow(): SendReason | undefined {
    if (waitingEvents() === 0) return undefined;
    if (isFlushing) return "flush";
    const isDue = (queue: Queue): boolean => (dueInMs(queue) ?? 1) <= 0;
    if (isDue("high")) return "high-due";
    if (waitingBytes() >= maxBytes()) return "size-reached";
    if (isDue("low") || isDue("operational")) return "low-due";
    return undefined;
  }

  function armForNextDeadline(): void {
    timer?.cancel();
    timer = undefined;
    if (!isConnected || stopping.signal.aborted) return;
    const waits = QUEUES.map(dueInMs).filter((wait) => wait !== undefined);
    if (waits.length > 0) timer = clock.after(Math.max(1, Math.min(...waits)), wake);
  }

  /** The next messages: one as a rule, several when one event must be split to fit. */
  function compose(reason: SendReason): readonly Draft[] {
    if (reason !== "size-reached" && waitingBytes() < METER_BYTES) options.pullForward();
    const limit = maxBytes();
    const waiting = {
      high: spool.peek("high", limit),
      operational: spool.peek("operational", limit),
      low: spool.peek("low", limit),
    };
    const blocked = QUEUES.flatMap((queue) => waiting[queue].slice(0, 1)).find(
      (event) => event.sizeBytes > envelope.roomForOneEvent(limit),
    );
    if (blocked !== undefined) return composeParts(blocked, reason, limit);
    const plan = planMessage(
      {
        high: candidates("high", waiting.high),
        operational: candidates("operational", waiting.operational),
        low: candidates("low", waiting.low),
      },
      reason,
      { maxBytes: limit, maxEvents, meteredBytes: envelope.meteredBytes },
    );
    const events = QUEUES.flatMap((queue) => waiting[queue].slice(0, plan[queue]));
    return events.length === 0 ? [] : [draftOf(reason, events, events)];
  }

  /** An event that a lowered limit no longer lets through leaves in parts; the last one releases it. */
  function composeParts(event: QueuedEvent, reason: SendReason, limit: number): readonly Draft[] {
    const parts = options.split(event, envelope.roomForOneEvent(limit));
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
    const message = envelope.build(options.random.uuid(), texts);
    return { message, carried, released, reason };
  }

  /** The events a message could hold, and how many of them are due. */
  function candidates(queue: Queue, events: readonly QueuedEvent[]): Candidates {
    const [first] = events;
    const headAgeMs = spool.state(queue).oldestAgeMs;
    let due = 0;
    for (const [index, event] of events.entries()) {
      const youngerByMs = event.appendedAtMs - (first?.appendedAtMs ?? 0);
      if (headAgeMs - Math.max(0, youngerByMs) >= intervalOf(event.priority)) due = index + 1;
    }
    return { sizes: events.map((event) => event.sizeBytes), due };
  }

  async function deliver(draft: Draft): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    const startedAtMs = clock.monotonicMs();
    while (isConnected && !stopping.signal.aborted) {
      const outcome = await options.send(draft.message, stopping.signal);
      if (outcome.status === "acknowledged") {
        accept(draft, clock.monotonicMs() - startedAtMs);
        return;
      }
      options.ledger.failed();
      if (outcome.status === "refused") {
        takeApart(draft, outcome.reason);
        return;
      }
      const waitMs = outcome.afterMs ?? pauseMs * (0.5 + options.random.fraction() / 2);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      if (isConnected) await clock.sleep(waitMs, stopping.signal);
    }
    pending = [draft, ...pending];
  }

  function releaseEvents(events: readonly QueuedEvent[]): void {
    for (const queue of QUEUES) {
      const last = events.filter((event) => event.queue === queue).at(-1);
      if (last !== undefined) spool.release(queue, last.sequence);
    }
  }

  function accept(draft: Draft, latencyMs: number): void {
    releaseEvents(draft.released);
    maxEvents = Number.MAX_SAFE_INTEGER;
    sentCount += 1;
    const { meteredBytes } = draft.message;
    const units = unitsOf(meteredBytes);
    options.ledger.sent(meteredBytes);
    options.onSent({
      message: draft.message,
      events: countByName(draft.carried),
      units,
      fillRatio: meteredBytes / (units * METER_BYTES),
      reason: draft.reason,
      latencyMs,
    });
  }

  /** Saves the good events of a refused message: smaller messages, down to the one that is at fault. */
  function takeApart(draft: Draft, reason: string): void {
    const [only] = draft.carried;
    if (draft.carried.length === 1 && only !== undefined) {
      pending = [];
      releaseEvents([only]);
      maxEvents = Number.MAX_SAFE_INTEGER;
      options.onRefused(only, reason);
      return;
    }
    maxEvents = Math.max(1, Math.floor(draft.carried.length / 2));
  }

  async function sendWhatIsDue(): Promise<void> {
    spool.retryHeld();
    while (isConnected && !stopping.signal.aborted) {
      if (pending.length === 0) pending = composeWhenDue();
      const [draft, ...rest] = pending;
      if (draft === undefined) return;
      pending = rest;
      spool.hold(lastSequences([draft, ...rest].flatMap(({ carried }) => carried)));
      await deliver(draft);
      spool.hold(lastSequences(pending.flatMap(({ carried }) => carried)));
    }
  }

  function composeWhenDue(): readonly Draft[] {
    const reason = reasonNow();
    return reason === undefined ? [] : compose(reason);
  }

  function wake(): void {
    if (running !== undefined || stopping.signal.aborted) return;
    timer?.cancel();
    if (!isConnected) return;
    running = sendWhatIsDue()
      .catch((error: unknown) => options.onFault(describeError(error)))
      .finally(() => {
        running = undefined;
        armForNextDeadline();
      });
  }

  return {
    wake,
    setConnected(next) {
      isConnected = next;
      if (next) wake();
      else timer?.cancel();
    },
    async flush(deadlineMs) {
      const before = sentCount;
      options.pullForward();
      isFlushing = true;
      try {
        const limit = new AbortController();
        const timeUp = clock.sleep(deadlineMs, limit.signal);
        for (;;) {
          await running;
          if (waitingEvents() === 0 || !isConnected || stopping.signal.aborted) break;
          wake();
          const isOver = await Promise.race([running?.then(() => false), timeUp.then(() => true)]);
          if (isOver === true) break;
        }
        limit.abort();
      } finally {
        isFlushing = false;
      }
      return { sent: sentCount - before, waiting: waitingEvents() };
    },
    async stop() {
      stopping.abort();
      timer?.cancel();
      await running;
    },
  };
}

function lastSequences(events: readonly QueuedEvent[]): Partial<Record<Queue, number>> {
  const last: Partial<Record<Queue, number>> = {};
  for (const event of events) last[event.queue] = Math.max(last[event.queue] ?? 0, event.sequence);
  return last;
}

function countByName(
  events: readonly QueuedEvent[],
): readonly { readonly name: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(event.name, (counts.get(event.name) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count }));
}
