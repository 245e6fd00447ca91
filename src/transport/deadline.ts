import type { Clock } from "../contract/clock.ts";

/** A signal that aborts at a deadline or with its parent, whichever is first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** True once the time was up (not when the parent aborted). */
  hasPassed(): boolean;
  /** Frees the timer; call it when the work is done. */
  cancel(): void;
}

/** AbortSignal.any and AbortSignal.timeout do not go by the injected clock; this does. */
export function deadline(clock: Clock, afterMs: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  let isPassed = false;
  const timer = clock.after(afterMs, () => {
    isPassed = true;
    controller.abort();
  });
  const onParent = (): void => {
    timer.cancel();
    controller.abort();
  };
  if (parent?.aborted === true) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  return {
    signal: controller.signal,
    hasPassed: () => isPassed,
    cancel: () => {
      timer.cancel();
      parent?.removeEventListener("abort", onParent);
    },
  };
}
