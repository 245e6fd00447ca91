import type { Clock, Timer } from "../contract/clock.ts";

/** The hub never waits longer, whatever the client asked for. Source: IoT Hub, MQTT support. */
const LONGEST_SILENCE_MS = 1_767_000;

/** Ends a connection on which nothing comes. */
export interface IdleWatch {
  /** Something came. */
  renew(): void;
  stop(): void;
}

/**
 * Calls `onSilence` when nothing came for 1.5 times the promised keep-alive (0: no promise).
 * One timer at a time; a packet costs no timer. Source: MQTT 3.1.1 section 3.1.2.10.
 */
export function createIdleWatch(
  clock: Clock,
  keepAliveSeconds: number,
  onSilence: () => void,
): IdleWatch {
  const promisedMs = keepAliveSeconds * 1_500;
  const limitMs = promisedMs === 0 ? LONGEST_SILENCE_MS : Math.min(promisedMs, LONGEST_SILENCE_MS);
  let lastMs = clock.monotonicMs();
  let timer: Timer = clock.after(limitMs, look);

  function look(): void {
    const leftMs = lastMs + limitMs - clock.monotonicMs();
    if (leftMs <= 0) onSilence();
    else timer = clock.after(leftMs, look);
  }

  return {
    renew() {
      lastMs = clock.monotonicMs();
    },
    stop: () => timer.cancel(),
  };
}
