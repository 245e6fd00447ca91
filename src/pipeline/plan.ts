import { METER_BYTES } from "../contract/settings.ts";
import { QUEUES, type Queue } from "./spool/spool-contract.ts";

/** Why a message is made now. */
export type SendReason = "high-due" | "low-due" | "size-reached" | "flush";

/** The oldest events of a queue, oldest first, as far as one message could hold them. */
export interface Candidates {
  readonly sizes: readonly number[];
  /** How many from the front must go whether or not they fill a block. */
  readonly due: number;
}

export interface PlanLimits {
  readonly maxBytes: number;
  /** Metered bytes of a message with that many bytes in that many events. */
  readonly meteredBytes: (eventBytes: number, events: number) => number;
  /** At most this many events; smaller while a refused message is taken apart. */
  readonly maxEvents: number;
}

/** How many events to take from the front of each queue. */
export type Plan = Readonly<Record<Queue, number>>;

/**
 * Chooses the next message: what is due first, then fillers, so that the metered size ends just under
 * a whole number of 4096-byte units. Takes only prefixes, so the order within a queue is kept.
 *
 * High priority that is due goes with all high that waits; operational and then low fill the block
 * that is open anyway, and the rest of low waits as filler for later. When low itself is due, or a
 * whole message waits, whole blocks are taken from all queues and a remainder that would open a mostly
 * empty block stays, unless it is due too.
 */
export function planMessage(
  queues: Readonly<Record<Queue, Candidates>>,
  reason: SendReason,
  limits: PlanLimits,
): Plan {
  const taken: Record<Queue, number> = { high: 0, operational: 0, low: 0 };
  let bytes = 0;
  let events = 0;

  function takeWhile(queue: Queue, upTo: number, maxMetered: number): void {
    const { sizes } = queues[queue];
    while (taken[queue] < Math.min(upTo, sizes.length) && events < limits.maxEvents) {
      const size = sizes[taken[queue]] ?? 0;
      if (limits.meteredBytes(bytes + size, events + 1) > maxMetered) return;
      bytes += size;
      events += 1;
      taken[queue] += 1;
    }
  }

  function fillTo(maxMetered: number): void {
    for (const queue of QUEUES) {
      takeWhile(queue, queues[queue].sizes.length, maxMetered);
      if (taken[queue] < queues[queue].sizes.length) return;
    }
  }

  const isEverything = reason === "flush";
  takeWhile("high", queues.high.sizes.length, limits.maxBytes);
  if (isEverything) fillTo(limits.maxBytes);
  for (const queue of QUEUES) takeWhile(queue, queues[queue].due, limits.maxBytes);

  const openBlocks = Math.max(1, Math.ceil(limits.meteredBytes(bytes, events) / METER_BYTES));
  fillTo(Math.min(openBlocks * METER_BYTES, limits.maxBytes));
  if (reason === "low-due" || reason === "size-reached") fillTo(wholeBlocks(queues, limits));
  return taken;
}

/** Metered bytes of the largest whole number of blocks that everything waiting would fill. */
function wholeBlocks(queues: Readonly<Record<Queue, Candidates>>, limits: PlanLimits): number {
  const sizes = QUEUES.flatMap((queue) => queues[queue].sizes);
  const all = limits.meteredBytes(
    sizes.reduce((sum, size) => sum + size, 0),
    sizes.length,
  );
  const most = Math.min(all, limits.maxBytes);
  return Math.floor(most / METER_BYTES) * METER_BYTES;
}
