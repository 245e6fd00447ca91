import type { Clock, Timer } from "../contract/clock.ts";
import { describeError } from "../contract/errors.ts";
import type { Random } from "../contract/random.ts";

/** One thing the schedule runs. `run` should stop soon after its signal aborts. */
export interface ScheduledJob {
  readonly name: string;
  /** It takes long, and others do not wait for it. */
  readonly isHeavy?: boolean;
  run(signal: AbortSignal): Promise<void>;
}

export type JobOutcome = "done" | "failed" | "overdue" | "still-running" | "unknown";

export interface JobReport {
  readonly name: string;
  readonly outcome: JobOutcome;
  readonly durationMs: number;
  readonly detail: string;
}

export interface ScheduleOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The jobs that are on, asked anew for each round. */
  readonly jobs: () => readonly ScheduledJob[];
  /** Wait before the first round, ms; the jitter comes on top. */
  readonly firstDelayMs: number;
  /** Largest random part of the first wait, ms: a fleet that restarts together must not report together. */
  readonly jitterMs: number;
  readonly intervalMs: number;
  /** Longest time one job may take, ms. */
  readonly deadlineMs: number;
  readonly onReport: (report: JobReport) => void;
}

/**
 * Runs the snapshot collectors: a first round shortly after start, then one every interval, one job
 * after the other so that the load stays flat; heavy jobs in a line of their own. One timer; nothing ticks in
 * between.
 */
export interface SnapshotSchedule {
  start(): void;
  /** Applies a new interval now: the next round is due one new interval after the last one began. */
  changeInterval(intervalMs: number): void;
  /** Runs the named jobs (all when absent) as soon as what is running has ended. */
  runNow(names?: readonly string[]): Promise<readonly JobReport[]>;
  /** Milliseconds until the next round, undefined when stopped. */
  nextRoundInMs(): number | undefined;
  /** Aborts what runs and waits for it, at most one job deadline. Safe to call twice. */
  stop(): Promise<void>;
}

/** Jobs that run one after the other. */
interface Line {
  readonly isHeavy: boolean;
  /** Ends with the last job that was put in. */
  tail: Promise<unknown>;
  /** A whole round waits for those before it. */
  isRoundWaiting: boolean;
}

function newLine(isHeavy: boolean): Line {
  return { isHeavy, tail: Promise.resolve(), isRoundWaiting: false };
}

export function createSnapshotSchedule(options: ScheduleOptions): SnapshotSchedule {
  const { clock } = options;
  const stopping = new AbortController();
  const unfinished = new Set<string>();
  let intervalMs = options.intervalMs;
  let lastRoundAtMs: number | undefined;
  let dueAtMs: number | undefined;
  let timer: Timer | undefined;
  const lines = [newLine(false), newLine(true)];

  function armAt(atMs: number): void {
    timer?.cancel();
    dueAtMs = atMs;
    timer = clock.after(Math.max(0, atMs - clock.monotonicMs()), beginRound);
  }

  function beginRound(): void {
    if (stopping.signal.aborted) return;
    lastRoundAtMs = clock.monotonicMs();
    armAt(lastRoundAtMs + intervalMs);
    for (const line of lines) {
      // A line that is longer than the interval misses rounds; they must not pile up.
      if (line.isRoundWaiting) continue;
      line.isRoundWaiting = true;
      enqueue(line, () => {
        line.isRoundWaiting = false;
        return options.jobs();
      });
    }
  }

  function enqueue(line: Line, pick: () => readonly ScheduledJob[]): Promise<readonly JobReport[]> {
    const round = line.tail.then(() =>
      runAll(pick().filter(({ isHeavy = false }) => isHeavy === line.isHeavy)),
    );
    line.tail = round;
    return round;
  }

  async function runAll(jobs: readonly ScheduledJob[]): Promise<readonly JobReport[]> {
    const reports: JobReport[] = [];
    for (const job of jobs) {
      if (stopping.signal.aborted) break;
      const report = await runOne(job);
      options.onReport(report);
      reports.push(report);
    }
    return reports;
  }

  async function runOne(job: ScheduledJob): Promise<JobReport> {
    const { name } = job;
    if (unfinished.has(name)) {
      const detail = "its previous run has not ended";
      return { name, outcome: "still-running", durationMs: 0, detail };
    }
    const startedAtMs = clock.monotonicMs();
    const abort = new AbortController();
    const stopNow = (): void => abort.abort();
    stopping.signal.addEventListener("abort", stopNow);
    unfinished.add(name);
    const running = job
      .run(abort.signal)
      .then(
        () => ({ outcome: "done" as const, detail: "" }),
        (error: unknown) => ({ outcome: "failed" as const, detail: describeError(error) }),
      )
      .finally(() => unfinished.delete(name));
    const ended = await Promise.race([running, deadline(abort)]);
    stopping.signal.removeEventListener("abort", stopNow);
    return { name, ...ended, durationMs: Math.round(clock.monotonicMs() - startedAtMs) };

    function deadline(controller: AbortController) {
      return new Promise<{ readonly outcome: "overdue"; readonly detail: string }>((resolve) => {
        const limit = clock.after(options.deadlineMs, () => {
          controller.abort();
          resolve({ outcome: "overdue", detail: `no end within ${options.deadlineMs} ms` });
        });
        running.finally(() => limit.cancel());
      });
    }
  }

  return {
    start() {
      armAt(
        clock.monotonicMs() + options.firstDelayMs + options.random.fraction() * options.jitterMs,
      );
    },
    changeInterval(nextIntervalMs) {
      intervalMs = nextIntervalMs;
      if (timer !== undefined && lastRoundAtMs !== undefined) armAt(lastRoundAtMs + intervalMs);
    },
    async runNow(names) {
      if (stopping.signal.aborted) return [];
      const isWanted = (job: ScheduledJob): boolean =>
        names === undefined || names.includes(job.name);
      const wanted = options.jobs().filter(isWanted);
      const rounds = lines
        .filter((line) => wanted.some(({ isHeavy = false }) => isHeavy === line.isHeavy))
        .map((line) => enqueue(line, () => options.jobs().filter(isWanted)));
      const reports = (await Promise.all(rounds)).flat();
      const ran = new Set(reports.map((report) => report.name));
      const missing = (names ?? []).filter((name) => !ran.has(name));
      return [
        ...reports,
        ...missing.map((name) => {
          const detail = "no such snapshot collector is on";
          return { name, outcome: "unknown" as const, durationMs: 0, detail };
        }),
      ];
    },
    nextRoundInMs() {
      return timer === undefined || dueAtMs === undefined
        ? undefined
        : dueAtMs - clock.monotonicMs();
    },
    async stop() {
      stopping.abort();
      timer?.cancel();
      timer = undefined;
      await Promise.all(lines.map(({ tail }) => tail));
    },
  };
}
