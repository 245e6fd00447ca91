import type { Clock, Timer } from "../contract/clock.ts";

export interface ChangeRoundsOptions {
  readonly clock: Clock;
  /** Takes the snapshot of a collector. */
  readonly run: (collector: string) => void;
}

/** Turns notices of change into snapshots: at once after the first, seldom when they do not end. */
export interface ChangeRounds {
  noticed(collector: string): void;
  /** Forgets what waits. */
  stop(): void;
}

/** Changes come in bursts, such as a script that adds rule after rule. */
const SETTLE_MS = 200;
const SHORTEST_GAP_MS = 2_000;
const LONGEST_GAP_MS = 60_000;
/** So many rounds a person at work may cause before the gaps grow. */
const PATIENT_ROUNDS = 8;

interface Pace {
  timer: Timer | undefined;
  lastRunAtMs: number;
  gapMs: number;
  /** Since the last quiet minute. */
  rounds: number;
}

/**
 * The first change leads to a snapshot at once, further ones every two seconds. While changes go on, the
 * gap doubles from the ninth on, up to one minute; after a quiet minute it starts over.
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
      rounds: 0,
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
      pace.rounds = isQuiet ? 1 : pace.rounds + 1;
      const isPatient = pace.rounds <= PATIENT_ROUNDS;
      pace.gapMs = isPatient ? SHORTEST_GAP_MS : Math.min(pace.gapMs * 2, LONGEST_GAP_MS);
      pace.timer = clock.after(waitMs, () => run(collector, pace));
    },
    stop() {
      for (const pace of paces.values()) pace.timer?.cancel();
      paces.clear();
    },
  };
}
