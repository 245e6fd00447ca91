import { HUB_EVENTS } from "../alerts/hub-measures.ts";
import type { Occurrence } from "../alerts/occurrence.ts";
import type { DeviceFacts } from "./device-facts.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { AGENT_EVENTS } from "./fleet-rules.ts";
import type { Happening } from "./happening.ts";
import type { KnownDevice } from "./known-device.ts";
import type { RecentEvents } from "./recent-events.ts";
import type { Told } from "./rule-book.ts";
import type { RuleShelf } from "./rule-shelf.ts";

export interface EventCounterOptions {
  readonly shelf: RuleShelf;
  readonly memory: DeviceMemory;
  readonly factsOf: (deviceId: string) => DeviceFacts;
  readonly recent: RecentEvents;
  readonly skip: (reason: string, times?: number) => void;
}

/** Puts what records tell into the books of the rules that it concerns. */
export interface EventCounter {
  take(happening: Happening, from: Told["from"]): void;
  /** What was told so far, whether a rule asks for it or not. */
  events(): number;
  /** The earliest close of a window that `take` has put something into since this was asked last. */
  takeNextCloseMs(): number;
}

/** Events whose protocol is that of the device where they do not tell it. */
const WITHOUT_PROTOCOL: ReadonlySet<string> = new Set([
  HUB_EVENTS.deviceMessage,
  HUB_EVENTS.commandFeedback,
]);
const FROM_AGENTS: ReadonlySet<string> = new Set(AGENT_EVENTS);

export function createEventCounter(options: EventCounterOptions): EventCounter {
  const { shelf, memory, factsOf, recent, skip } = options;
  let events = 0;
  let nextCloseMs = Number.POSITIVE_INFINITY;

  function take(happening: Happening, from: Told["from"]): void {
    const { deviceId } = happening;
    const known = memory.learn(happening, from.enqueuedAtMs, from.sequenceNumber);
    if (known === "full") {
      skip("too-many-devices");
      return;
    }
    for (const occurrence of withoutRepeated(happening, from)) {
      events += 1;
      count(deviceId, known, occurrence, from);
    }
  }

  function withoutRepeated(
    { deviceId, occurrences }: Happening,
    from: Told["from"],
  ): readonly Occurrence[] {
    const decided = new Map<string, boolean>();
    return occurrences.filter(({ name, eventId }) => {
      if (eventId === "" || !FROM_AGENTS.has(name)) return true;
      // The items of one event share its id.
      const sofar = decided.get(eventId);
      if (sofar !== undefined) return !sofar;
      const isRepeated = recent.isRepeated(deviceId, eventId, from);
      decided.set(eventId, isRepeated);
      if (isRepeated) skip("repeated-event");
      return !isRepeated;
    });
  }

  function count(
    deviceId: string,
    known: KnownDevice | undefined,
    told: Occurrence,
    from: Told["from"],
  ): void {
    const facts = factsOf(deviceId);
    const books = shelf.booksFor(known?.group ?? facts.group ?? "", told.name);
    if (books.length === 0) return;
    const protocol = WITHOUT_PROTOCOL.has(told.name)
      ? (known?.protocol ?? facts.protocol)
      : undefined;
    const occurrence =
      protocol === undefined ? told : { ...told, item: { Protocol: protocol, ...told.item } };
    const isFromAgent = FROM_AGENTS.has(told.name);
    const recentSequence = isFromAgent ? recent.neededAt(from.enqueuedAtMs) : undefined;
    const neededSequence = recentSequence ?? from.sequenceNumber;
    let isUnclear = false;
    for (const book of books) {
      const { rule } = book.fleetRule;
      const bearing = rule.measure.bearing(occurrence);
      isUnclear ||= bearing.bears === "unknown";
      if (bearing.bears !== "yes" || rule.allows?.(bearing.value) === true) continue;
      book.count({ deviceId, occurrence, value: bearing.value, from, neededSequence });
      nextCloseMs = Math.min(nextCloseMs, book.nextCloseMs());
    }
    if (isUnclear) skip(reasonOf(occurrence));
  }

  return {
    take,
    events: () => events,
    takeNextCloseMs() {
      const earliestMs = nextCloseMs;
      nextCloseMs = Number.POSITIVE_INFINITY;
      return earliestMs;
    },
  };
}

function reasonOf({ name, item }: Occurrence): string {
  const lacksProtocol = WITHOUT_PROTOCOL.has(name) && item["Protocol"] === undefined;
  return lacksProtocol ? "unknown-protocol" : "unclear-event";
}
