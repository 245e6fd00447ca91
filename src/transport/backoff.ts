import type { Random } from "../contract/random.ts";

/** Bounds of a wait between two attempts, milliseconds. */
export interface BackoffBounds {
  readonly floorMs: number;
  readonly capMs: number;
}

/** How much patience a failure asks for. Waiting does not repair a wrong key, so it is tried rarely. */
export type Patience = "normal" | "throttled" | "credentials" | "evicted";

/**
 * Multiples of the normal bounds: a hub that pushes back must not be pushed harder. The cap stays, so
 * that the twin is in force again soon after the fault's end, except for an eviction, where two agents
 * fight over one identity and haste feeds the fight.
 */
const PATIENCE: Readonly<Record<Patience, { readonly floor: number; readonly cap: number }>> = {
  normal: { floor: 1, cap: 1 },
  throttled: { floor: 5, cap: 1 },
  credentials: { floor: 5, cap: 1 },
  evicted: { floor: 30, cap: 3 },
};

/** Doublings after which the window is at its cap for any sensible bounds; keeps 2^n finite. */
const MOST_DOUBLINGS = 24;
/** The first window is this many floors wide, so that gateways returning together spread out at once. */
const FIRST_WINDOW_FLOORS = 4;

/** The bounds that a kind of failure stretches the normal ones to. */
export function boundsFor(patience: Patience, normal: BackoffBounds): BackoffBounds {
  const factor = PATIENCE[patience];
  return { floorMs: normal.floorMs * factor.floor, capMs: normal.capMs * factor.cap };
}

/**
 * Wait before attempt number `attempt` + 1, milliseconds: uniform between the floor and a window that
 * doubles with each failed attempt up to the cap (full jitter over a floor). `attempt` counts failures
 * in a row, from 1.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter); IoT Hub quotas and
 * throttling: an S1 unit takes about 100 connects a second.
 */
export function backoffDelayMs(
  attempt: number,
  bounds: BackoffBounds,
  random: Pick<Random, "fraction">,
): number {
  const doublings = Math.min(Math.max(Math.floor(attempt) - 1, 0), MOST_DOUBLINGS);
  const windowMs = Math.min(bounds.floorMs * FIRST_WINDOW_FLOORS * 2 ** doublings, bounds.capMs);
  const spreadMs = Math.max(windowMs - bounds.floorMs, 0);
  return Math.min(bounds.floorMs, bounds.capMs) + random.fraction() * spreadMs;
}
