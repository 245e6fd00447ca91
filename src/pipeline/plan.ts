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
 * Messages that are made only because something is due take at least that many units when enough
 * waits: what cannot be filled of the last one then weighs half, and no message is under one unit.
 */
const LEAST_UNITS = 2;
/** Units of young fillers that a large message leaves for the high priority events to come. */
const RESERVED_UNITS = 4;

/**
 * Chooses the next message: what is due first, then fillers, so that the metered size ends just under
 * a whole number of 4096-byte units. Takes only prefixes, so the order within a queue is kept.
 *
 * High priority that waits goes with every message. When high is due, operational and then low fill
 * the units that are open anyway, two at least, and the rest waits as filler for later. When low is
 * due or a whole message waits, whole units are taken from all queues; a remainder that would open a
 * mostly empty unit and a small reserve of fillers stay, unless they are due too.
 */
export function planMessage(
  queues: Readonly<Record<Queue, Candidates>>,
  reason: SendReason,
  limits: PlanLimits,
): Plan {
  const taken: Record<Queue, number> = { high: 0, operational: 0, low: 0 };
  const wholeMaxBytes = Math.floor(limits.maxBytes / METER_BYTES) * METER_BYTES;
  let bytes = 0;
  let events = 0;

  /** The first event may be of any size that goes at all; more are added up to whole units only. */
  function takeWhile(queue: Queue, upTo: number, wantedBytes: number): void {
    const { sizes } = queues[queue];
    while (taken[queue] < Math.min(upTo, sizes.length) && events < limits.maxEvents) {
      const size = sizes[taken[queue]] ?? 0;
      const most = events === 0 ? limits.maxBytes : Math.min(wantedBytes, wholeMaxBytes);
      if (limits.meteredBytes(bytes + size, events + 1) > most) return;
      bytes += size;
      events += 1;
      taken[queue] += 1;
    }
  }

  function fillTo(wantedBytes: number): void {
    for (const queue of QUEUES) takeWhile(queue, Number.POSITIVE_INFINITY, wantedBytes);
  }

  takeWhile("high", Number.POSITIVE_INFINITY, limits.maxBytes);
  if (reason === "flush") fillTo(limits.maxBytes);
  for (const queue of QUEUES) takeWhile(queue, queues[queue].due, limits.maxBytes);

  const openUnits = Math.ceil(limits.meteredBytes(bytes, events) / METER_BYTES);
  fillTo(Math.max(openUnits, LEAST_UNITS) * METER_BYTES);
  if (reason === "low-due" || reason === "size-reached") fillTo(wholeUnits(queues, limits));
  return taken;
}

/** Metered bytes of the whole units that everything waiting would fill, less the reserve. */
function wholeUnits(queues: Readonly<Record<Queue, Candidates>>, limits: PlanLimits): number {
  const sizes = QUEUES.flatMap((queue) => queues[queue].sizes);
  const all = limits.meteredBytes(
    sizes.reduce((sum, size) => sum + size, 0),
    sizes.length,
  );
  const mostUnits = Math.floor(limits.maxBytes / METER_BYTES);
  const reservedUnits = Math.min(RESERVED_UNITS, Math.floor(mostUnits / 8));
  return Math.min(Math.floor(all / METER_BYTES) - reservedUnits, mostUnits) * METER_BYTES;
}
