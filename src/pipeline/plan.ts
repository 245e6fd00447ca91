import { METER_BYTES } from "../contract/settings.ts";
import { SECURITY_QUEUES, type SecurityQueue } from "./spool/spool-contract.ts";

/** Why a message is made now. */
export type SendReason = "high-due" | "low-due" | "size-reached" | "alert" | "flush";

/** The oldest events of a queue, oldest first, as far as one message could hold them. */
export interface Candidates {
  readonly sizes: readonly number[];
  /** How many from the front must go whether or not they fill a unit. */
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
export type Plan = Readonly<Record<SecurityQueue, number>>;

const NOTHING: Plan = { high: 0, operational: 0, low: 0 };

/** A message is full when no more than a tenth of its last unit is empty. */
const TOLERATED_WASTE_BYTES = METER_BYTES / 10;

/** A place where the message could end, and what it holds then. */
interface Stop {
  readonly plan: Plan;
  readonly meteredBytes: number;
}

type Queues = Readonly<Record<SecurityQueue, Candidates>>;

/**
 * Chooses the next message. Events are lined up in sending order: first all that has to go, which is
 * all of high and what else is due, then operational and low as fillers. Behind each of them the
 * message could end; it ends where the last of the hub's metering units is full. Only prefixes of a
 * queue are taken, so the order within it is kept.
 *
 * For high priority alone that is the first full place: the other fillers wait for the next high
 * event. When low is due or a whole message waits, it is the last one: a young remainder that would
 * open a mostly empty unit stays. Where no place is full, the one that wastes the smallest share
 * wins; what does not reach one unit goes as it is.
 */
export function planMessage(queues: Queues, reason: SendReason, limits: PlanLimits): Plan {
  const line = sendingOrder(queues);
  const { stops, mustGo } = stopsAlong(line, queues, limits);
  const last = stops.at(-1);
  if (last === undefined) return NOTHING;
  if (reason === "flush" && stops.length === line.length) return last.plan;
  const isMoreDue = mustGo < line.filter((place) => place.isDue).length;
  const allowed = isMoreDue ? stops : stops.slice(Math.max(0, mustGo - 1));
  const isLowDue = queues.operational.due + queues.low.due > 0;
  const isShort = reason === "high-due" && !isLowDue && !isMoreDue;
  const ends = isShort ? allowed : [...allowed].reverse();
  return (ends.find(isFull) ?? leastWasteful(ends) ?? last).plan;
}

/** One event in sending order. */
interface Place {
  readonly queue: SecurityQueue;
  readonly isDue: boolean;
}

/** All of high counts as due: it goes with every message. */
function sendingOrder(queues: Queues): readonly Place[] {
  const dueOf = (queue: SecurityQueue): number =>
    queue === "high" ? queues.high.sizes.length : queues[queue].due;
  const places = (isDue: boolean, count: (queue: SecurityQueue) => number): readonly Place[] =>
    SECURITY_QUEUES.flatMap((queue) => Array<Place>(count(queue)).fill({ queue, isDue }));
  return [
    ...places(true, dueOf),
    ...places(false, (queue) => queues[queue].sizes.length - dueOf(queue)),
  ];
}

/**
 * The places where a message could end, and how many of the events that have to go it can hold. A
 * queue whose next event does not fit is passed over, the others go on.
 */
function stopsAlong(
  line: readonly Place[],
  queues: Queues,
  limits: PlanLimits,
): { readonly stops: readonly Stop[]; readonly mustGo: number } {
  const stops: Stop[] = [];
  const closed = new Set<SecurityQueue>();
  let plan = NOTHING;
  let bytes = 0;
  let mustGo = 0;
  for (const { queue, isDue } of line) {
    if (stops.length >= limits.maxEvents) break;
    const size = queues[queue].sizes[plan[queue]] ?? 0;
    const meteredBytes = limits.meteredBytes(bytes + size, stops.length + 1);
    if (meteredBytes > limits.maxBytes) closed.add(queue);
    if (closed.has(queue)) continue;
    plan = { ...plan, [queue]: plan[queue] + 1 };
    bytes += size;
    stops.push({ plan, meteredBytes });
    if (isDue) mustGo += 1;
  }
  return { stops, mustGo };
}

function wasteBytes(stop: Stop): number {
  return Math.ceil(stop.meteredBytes / METER_BYTES) * METER_BYTES - stop.meteredBytes;
}

function isFull(stop: Stop): boolean {
  return stop.meteredBytes >= METER_BYTES && wasteBytes(stop) <= TOLERATED_WASTE_BYTES;
}

/** The first with the smallest share of waste, among those of one unit or more. */
function leastWasteful(stops: readonly Stop[]): Stop | undefined {
  const share = (stop: Stop): number => wasteBytes(stop) / stop.meteredBytes;
  let best: Stop | undefined;
  for (const stop of stops) {
    if (stop.meteredBytes < METER_BYTES) continue;
    if (best === undefined || share(stop) < share(best)) best = stop;
  }
  return best;
}
