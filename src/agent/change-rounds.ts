import type { Clock, Timer } from "../contract/clock.ts";

export interface ChangeRoundsOptions {
  readonly clock: Clock;
  /** Takes the snapshot of a collector. */
  readonly run: (collector: string) => void;
}

/** Turns notices of change into snapshots: soon after the first, seldom when they do not end. */
export interface ChangeRounds {
  noticed(collector: string): void;
  /** Forgets what waits. */
  stop(): void;
}

/** Changes come in bursts, such as a script that adds rule after rule. */
const SETTLE_MS = 500;
const SHORTEST_GAP_MS = 2_000;
const LONGEST_GAP_MS = 60_000;

interface Pace {
  timer: Timer | undefined;
  lastRunAtMs: number;
  gapMs: number;
}

/**
 * The first change leads to a snapshot after half a second. While changes go on, the gap between
 * snapshots doubles from 2 s to one minute; after a quiet minute it starts over.
 */
export function createChangeRounds(options: ChangeRoundsOptions): ChangeRounds {
  const { clock } = options;
  const paces = new Map<string, Pace>();

  function paceOf(collector: string): Pace {
    const known = paces.get(collector);
    if (known !== undefined) return known;
    const fresh: Pace = {
      timer: undefined,
      lastRunAtMs: Number.NEGATIVE_INFINITY,
      gapMs: SHORTEST_GAP_MS,
    };
    paces.set(collector, fresh);
    return fresh;
  }

  function run(collector: string, pace: Pace): void {
    pace.timer = undefined;
    pace.lastRunAtMs = clock.monotonicMs();
    options.run(collector);
  }

  return {
    noticed(collector) {
      const pace = paceOf(collector);
      if (pace.timer !== undefined) return;
      const sinceMs = clock.monotonicMs() - pace.lastRunAtMs;
      const isQuiet = sinceMs > LONGEST_GAP_MS;
      const waitMs = isQuiet ? SETTLE_MS : Math.max(SETTLE_MS, pace.gapMs - sinceMs);
      pace.gapMs = isQuiet ? SHORTEST_GAP_MS : Math.min(pace.gapMs * 2, LONGEST_GAP_MS);
      pace.timer = clock.after(waitMs, () => run(collector, pace));
    },
    stop() {
      for (const pace of paces.values()) pace.timer?.cancel();
      paces.clear();
    },
  };
}
