import type { Clock } from "../contract/clock.ts";
import { FaultError, fault } from "./fault.ts";

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

/** Rejects as soon as the signal aborts; the caller closes what is open. */
export function aborting<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      const remedy = "is outbound traffic to this port allowed, and is the link up?";
      reject(new FaultError(fault("timed-out", "no connection within the deadline", remedy)));
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
