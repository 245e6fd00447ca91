/** A timer that was armed and can be disarmed. Disarming twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time, as every part of the agent sees it. Intervals use `monotonicMs`, which no clock change moves;
 * `nowMs` only stamps what people read.
 */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch, UTC. May jump either way. */
  nowMs(): number;
  /** Milliseconds since an arbitrary point; never goes back. Source: clock_gettime(2), CLOCK_MONOTONIC. */
  monotonicMs(): number;
  /** Offset of local time from UTC at that instant, minutes, east positive. */
  utcOffsetMinutes(atMs: number): number;
  /** Calls `action` once after `delayMs` (any length; 0 or less means soon). Keeps the process alive. */
  after(delayMs: number, action: () => void): Timer;
  /** Resolves after `delayMs`, or as soon as `signal` aborts; never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
