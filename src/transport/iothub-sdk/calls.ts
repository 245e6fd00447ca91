import type { Clock, Timer } from "../../contract/clock.ts";

/** How a call into the SDK ended. */
export type CallEnd =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "timed-out" };

/** Calls that are under way: each settles exactly once, by callback, deadline or the end of it all. */
export class Calls {
  private readonly clock: Clock;
  private readonly pending = new Set<(end: CallEnd) => void>();
  private readonly waiting = new Set<() => void>();
  private closedBy: { readonly error: unknown } | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get size(): number {
    return this.pending.size;
  }

  get isClosed(): boolean {
    return this.closedBy !== undefined;
  }

  /** Starts a call that reports through `done`. Never rejects, even when `start` throws. */
  run(deadlineMs: number, start: (done: (error?: unknown) => void) => void): Promise<CallEnd> {
    if (this.closedBy !== undefined) {
      return Promise.resolve({ kind: "failed", error: this.closedBy.error });
    }
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const settle = (end: CallEnd): void => {
        timer?.cancel();
        if (!this.pending.delete(settle)) return;
        resolve(end);
        if (this.pending.size === 0) for (const idle of [...this.waiting]) idle();
      };
      this.pending.add(settle);
      timer = this.clock.after(deadlineMs, () => settle({ kind: "timed-out" }));
      try {
        start((error) => {
          if (error === undefined || error === null) settle({ kind: "done" });
          else settle({ kind: "failed", error });
        });
      } catch (error) {
        settle({ kind: "failed", error });
      }
    });
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        resolve();
      };
      this.waiting.add(done);
    });
  }

  /** Fails what is under way and everything that comes. */
  close(error: unknown): void {
    this.closedBy ??= { error };
    for (const settle of [...this.pending]) settle({ kind: "failed", error });
  }
}
