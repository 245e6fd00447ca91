import type { Clock, Timer } from "../contract/clock.ts";

/** setTimeout(3) of Node holds 31 bits of milliseconds; longer waits are made of several. */
const LONGEST_TIMEOUT_MS = 2_147_483_647;

function after(delayMs: number, action: () => void): Timer {
  let handle: NodeJS.Timeout | undefined;
  function arm(remainingMs: number): void {
    const portionMs = Math.min(Math.max(remainingMs, 0), LONGEST_TIMEOUT_MS);
    handle = setTimeout(() => {
      if (remainingMs > portionMs) arm(remainingMs - portionMs);
      else action();
    }, portionMs);
  }
  arm(delayMs);
  return { cancel: () => clearTimeout(handle) };
}

/** The machine's clock. Source: clock_gettime(2). */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  utcOffsetMinutes: (atMs) => 0 - new Date(atMs).getTimezoneOffset(),
  after,
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const onAbort = (): void => {
        timer.cancel();
        resolve();
      };
      const timer = after(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};
