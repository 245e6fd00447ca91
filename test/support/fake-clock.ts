import type { Clock, Timer } from "../../src/contract/clock.ts";

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** A clock that moves only when told. Timers fire in order of their due time. */
export class FakeClock implements Clock {
  private wallOffsetMs: number;
  private monotonic = 0;
  private order = 0;
  private pending: Pending[] = [];
  private readonly offsetMinutes: number;

  constructor(options: { readonly startMs?: number; readonly utcOffsetMinutes?: number } = {}) {
    this.wallOffsetMs = options.startMs ?? Date.UTC(2026, 0, 15, 12, 0, 0);
    this.offsetMinutes = options.utcOffsetMinutes ?? 60;
  }

  nowMs(): number {
    return this.wallOffsetMs + this.monotonic;
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  utcOffsetMinutes(): number {
    return this.offsetMinutes;
  }

  after(delayMs: number, action: () => void): Timer {
    const entry: Pending = {
      dueMs: this.monotonic + Math.max(delayMs, 0),
      order: this.order,
      action,
    };
    this.order += 1;
    this.pending.push(entry);
    return { cancel: () => this.drop(entry) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const timer = this.after(delayMs, resolve);
      signal?.addEventListener("abort", () => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Moves time forward, firing what falls due, and lets promises settle in between. */
  async advance(byMs: number): Promise<void> {
    const targetMs = this.monotonic + byMs;
    await settle();
    for (;;) {
      const next = this.pending
        .filter((entry) => entry.dueMs <= targetMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.monotonic = Math.max(this.monotonic, next.dueMs);
      this.drop(next);
      next.action();
      await settle();
    }
    this.monotonic = targetMs;
    await settle();
  }

  /** Moves the wall clock alone, as a person or NTP would. */
  jumpWall(byMs: number): void {
    this.wallOffsetMs += byMs;
  }

  /** Timers still armed. */
  get armed(): number {
    return this.pending.length;
  }

  private drop(entry: Pending): void {
    this.pending = this.pending.filter((other) => other !== entry);
  }
}

/** Lets everything that is ready to run do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
