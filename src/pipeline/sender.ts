import type { Clock, Timer } from "../contract/clock.ts";
import { describeError } from "../contract/errors.ts";
import type { OutgoingMessage } from "../contract/message.ts";
import { METER_BYTES } from "../contract/settings.ts";
import type { SendOutcome } from "../contract/transport.ts";
import { type ComposerOptions, createComposer } from "./composer.ts";
import type { Draft } from "./draft.ts";
import { type Ledger, unitsOf } from "./ledger.ts";
import type { SendReason } from "./plan.ts";
import { QUEUES, type Queue, type QueuedEvent } from "./spool/spool-contract.ts";

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

export interface SenderOptions extends ComposerOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly send: (message: OutgoingMessage, signal: AbortSignal) => Promise<SendOutcome>;
  readonly onSent: (sent: SentMessage) => void;
  /** An event that the hub will never take; it has left the spool. */
  readonly onRefused: (event: QueuedEvent, reason: string) => void;
  readonly onFault: (reason: string) => void;
}

/** Sends what waits in the spool, one message at a time, when the settings say so. */
export interface Sender {
  /** Something was appended, or the settings changed. */
  wake(): void;
  /** What waits to go as extension message goes at once. */
  hurryExtensions(): void;
  setConnected(isConnected: boolean): void;
  /** Sends everything; resolves when nothing waits, the deadline passes or the hub is gone. */
  flush(deadlineMs: number): Promise<{ readonly sent: number; readonly waiting: number }>;
  /** Monotonic time since which one attempt to send is under way; undefined between attempts. */
  attemptSinceMs(): number | undefined;
  /** Stops without sending more; a message under way is given up and stays in the spool. */
  stop(): Promise<void>;
}

/** Least pause between two attempts, whatever the hub asks for. */
const SHORTEST_PAUSE_MS = 500;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 120_000;
/** Longest pause that a hub may ask for: a wrong number must not silence the agent. */
const LONGEST_HUB_PAUSE_MS = 3_600_000;

/** Events dropped in a row, with nothing acknowledged between, before the hub itself is suspected. */
const SUSPICIOUS_DROPS = 2;

export function createSender(options: SenderOptions): Sender {
  const { spool, clock } = options;
  const composer = createComposer(options);
  const stopping = new AbortController();
  /** Aborted to end a pause of our own choice early. */
  let hurry = new AbortController();
  let isConnected = false;
  let isRunning = false;
  let isWokenAgain = false;
  let flushes = 0;
  let running: Promise<void> = Promise.resolve();
  let timer: Timer | undefined;
  let maxEvents = Number.MAX_SAFE_INTEGER;
  let attemptSinceMs: number | undefined;
  let sentCount = 0;
  let droppedInARow = 0;
  /** Pause after a run that failed or achieved nothing although something was due. */
  let idlePauseMs = FIRST_PAUSE_MS;
  /** Messages composed and not yet acknowledged: after a lost connection the same ones go again. */
  let pending: readonly Draft[] = [];

  function canSend(): boolean {
    return isConnected && !stopping.signal.aborted;
  }

  function cutPause(): void {
    hurry.abort();
    hurry = new AbortController();
  }

  function armForNextDeadline(): void {
    timer?.cancel();
    timer = undefined;
    if (!canSend()) return;
    if (pending.length > 0 || composer.reason(flushes > 0) !== undefined) {
      timer = clock.after(idlePauseMs, wake);
      idlePauseMs = Math.min(idlePauseMs * 2, LONGEST_PAUSE_MS);
      return;
    }
    idlePauseMs = FIRST_PAUSE_MS;
    const dueMs = composer.nextDueMs();
    if (dueMs !== undefined) timer = clock.after(Math.max(1, dueMs), wake);
  }

  async function attempt(draft: Draft): Promise<SendOutcome> {
    const { signal } = stopping;
    let giveUp = (): void => {};
    const stopped = new Promise<SendOutcome>((resolve) => {
      giveUp = () => resolve({ status: "retry", reason: "stopping" });
      signal.addEventListener("abort", giveUp, { once: true });
    });
    attemptSinceMs = clock.monotonicMs();
    try {
      return await Promise.race([options.send(draft.message, signal), stopped]);
    } catch (error) {
      // A transport that throws is at fault, the message is not: it goes again.
      options.onFault(describeError(error));
      return { status: "retry", reason: "send failed" };
    } finally {
      attemptSinceMs = undefined;
      signal.removeEventListener("abort", giveUp);
    }
  }

  async function deliver(draft: Draft): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    const startedAtMs = clock.monotonicMs();
    while (canSend()) {
      const outcome = await attempt(draft);
      if (outcome.status === "acknowledged") {
        accept(draft, clock.monotonicMs() - startedAtMs);
        return;
      }
      options.ledger.failed();
      if (outcome.status === "refused") {
        await takeApart(draft, outcome.reason);
        return;
      }
      const ownPauseMs = pauseMs * (0.5 + options.random.fraction() / 2);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      if (!canSend()) break;
      // What the hub asks for is kept even across a new connection; our own guess is not.
      if (outcome.afterMs === undefined) await clock.sleep(ownPauseMs, hurry.signal);
      else await clock.sleep(hubPauseMs(outcome.afterMs), stopping.signal);
    }
    pending = [draft, ...pending];
  }

  /** Never shorter than asked for, up to a quarter longer: a fleet must not come back at once. */
  function hubPauseMs(afterMs: number): number {
    const askedMs = Math.min(Math.max(afterMs, SHORTEST_PAUSE_MS), LONGEST_HUB_PAUSE_MS);
    return askedMs * (1 + options.random.fraction() / 4);
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
    droppedInARow = 0;
    idlePauseMs = FIRST_PAUSE_MS;
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

  /**
   * Saves the good events of a refused message: smaller messages, down to the one that is at fault.
   * A hub that refuses one event after the other gets them ever more slowly: it may be the fault.
   */
  async function takeApart(draft: Draft, reason: string): Promise<void> {
    const [only] = draft.carried;
    if (draft.carried.length > 1 || only === undefined) {
      maxEvents = Math.max(1, Math.floor(draft.carried.length / 2));
      return;
    }
    pending = [];
    releaseEvents([only]);
    droppedInARow += 1;
    const isSuspicious = droppedInARow >= SUSPICIOUS_DROPS;
    maxEvents = isSuspicious ? 1 : Number.MAX_SAFE_INTEGER;
    options.onRefused(only, reason);
    if (!isSuspicious) return;
    const doublings = Math.min(droppedInARow - SUSPICIOUS_DROPS, 16);
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** doublings, LONGEST_PAUSE_MS);
    await clock.sleep(pauseMs, stopping.signal);
  }

  async function sendWhatIsDue(): Promise<void> {
    while (canSend()) {
      if (pending.length === 0) pending = composeWhenDue();
      const [draft, ...rest] = pending;
      if (draft === undefined) return;
      spool.hold(lastSequences(pending.flatMap(({ carried }) => carried)));
      pending = rest;
      await deliver(draft);
      spool.hold(lastSequences(pending.flatMap(({ carried }) => carried)));
    }
  }

  function composeWhenDue(): readonly Draft[] {
    const reason = composer.reason(flushes > 0);
    return reason === undefined ? [] : composer.compose(reason, maxEvents);
  }

  async function run(): Promise<void> {
    try {
      do {
        isWokenAgain = false;
        await sendWhatIsDue();
      } while (isWokenAgain);
    } catch (error) {
      options.onFault(describeError(error));
    }
    isRunning = false;
    armForNextDeadline();
  }

  /** Composing may append to the spool, which wakes again: the flag is set before anything runs. */
  function wake(): void {
    isWokenAgain = isRunning;
    if (isRunning || !canSend()) return;
    timer?.cancel();
    isRunning = true;
    running = run();
  }

  async function flushUntil(isOver: Promise<boolean>): Promise<void> {
    // A run that ends without any progress twice would end so again at once.
    for (let idleRuns = 0; idleRuns < 2; ) {
      const before = sentCount + droppedInARow;
      wake();
      if (await Promise.race([isOver, running.then(() => false)])) return;
      if (composer.waitingEvents() === 0 || !canSend()) return;
      idleRuns = sentCount + droppedInARow === before ? idleRuns + 1 : 0;
    }
  }

  return {
    attemptSinceMs: () => attemptSinceMs,
    wake,
    hurryExtensions: () => composer.hurryExtensions(),
    setConnected(next) {
      if (next && !isConnected) cutPause();
      isConnected = next;
      if (next) wake();
      else timer?.cancel();
    },
    async flush(deadlineMs) {
      const before = sentCount;
      flushes += 1;
      const limit = new AbortController();
      try {
        options.pullForward();
        cutPause();
        const timeUp = clock.sleep(deadlineMs, limit.signal).then(() => true);
        await flushUntil(timeUp);
      } finally {
        limit.abort();
        flushes -= 1;
      }
      return { sent: sentCount - before, waiting: composer.waitingEvents() };
    },
    async stop() {
      stopping.abort();
      cutPause();
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
