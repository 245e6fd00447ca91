import type { Clock } from "../contract/clock.ts";

/** How much of the device a long job may take. */
export interface Budget {
  /** Share of one processor, above 0 to 1; 1 never rests for its sake. */
  readonly cpuShare: number;
  /** Most items (files, rules) per second; absent: as many as the share allows. */
  readonly itemsPerSecond?: number;
}

export interface PacerOptions {
  readonly clock: Pick<Clock, "monotonicMs" | "sleep">;
  /** Lets the rest of the agent run, without a wait. */
  readonly pause: () => Promise<void>;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Work between two pauses, ms; 8 where absent: nothing else waits longer for its turn. */
  readonly portionMs?: number;
  /** Items between two pauses at most; 256 where absent. */
  readonly portionItems?: number;
  /** Longest rest of the whole job, ms: what has a deadline must not rest it away. Absent: no bound. */
  readonly maxRestedMs?: number;
}

/** Keeps a job within its budget. Time at work is taken for processor time, which it is at most. */
export interface Pacer {
  /** Call after `items` more; waits now and then. Resolves at once when the signal has aborted. */
  step(items: number): Promise<void>;
  /** Milliseconds rested so far. */
  readonly restedMs: number;
}

const DEFAULT_PORTION_MS = 8;
const DEFAULT_PORTION_ITEMS = 256;
/** A clock that jumped, or a machine that slept, must not become a rest of hours. */
const LONGEST_REST_MS = 5_000;

/** A pacer whose first portion begins now. */
export function createPacer(options: PacerOptions): Pacer {
  const { clock, budget, signal } = options;
  const portionMs = options.portionMs ?? DEFAULT_PORTION_MS;
  const portionItems = options.portionItems ?? DEFAULT_PORTION_ITEMS;
  let beganMs = clock.monotonicMs();
  let items = 0;
  let restedMs = 0;

  function restMs(busyMs: number): number {
    const forShare = busyMs * (1 / Math.min(1, Math.max(budget.cpuShare, 0.01)) - 1);
    const { itemsPerSecond } = budget;
    const forRate = itemsPerSecond === undefined ? 0 : (items / itemsPerSecond) * 1_000 - busyMs;
    const leftMs = (options.maxRestedMs ?? Number.POSITIVE_INFINITY) - restedMs;
    return Math.min(LONGEST_REST_MS, leftMs, Math.max(0, forShare, forRate));
  }

  return {
    async step(more) {
      items += more;
      if (signal.aborted) return;
      const busyMs = clock.monotonicMs() - beganMs;
      if (busyMs < portionMs && items < portionItems) return;
      const wantedMs = restMs(busyMs);
      if (wantedMs > 0) await clock.sleep(wantedMs, signal);
      else await options.pause();
      restedMs += wantedMs;
      items = 0;
      beganMs = clock.monotonicMs();
    },
    get restedMs() {
      return restedMs;
    },
  };
}
