/** One event as a test gives it. */
export interface StoredEvent {
  /** JSON values become text; text goes out as it is; a string of bytes may be no JSON at all. */
  readonly body: unknown;
  /** System properties of the hub, such as `iothub-connection-device-id`: message annotations. */
  readonly annotations?: Readonly<Record<string, string | number>>;
  /** Application properties and enrichments. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** When the event hub took it, ms since the Unix epoch; the time of the append when absent. */
  readonly enqueuedAtMs?: number;
}

export interface LoggedEvent extends StoredEvent {
  readonly sequenceNumber: number;
  /** Opaque text of the service; here a multiple of the sequence number, so that nobody mixes them up. */
  readonly offset: string;
  readonly enqueuedAtMs: number;
}

/** The event hub's own step between two offsets: anything but 1. */
const OFFSET_STEP = 64;

/** What a partition keeps, in order. The first `trimmed` events have outlived their retention. */
export class PartitionLog {
  readonly id: string;
  readonly #events: LoggedEvent[] = [];
  #trimmed = 0;
  #watchers = new Set<() => void>();

  constructor(id: string) {
    this.id = id;
  }

  get nextSequenceNumber(): number {
    return this.#events.length;
  }

  get firstSequenceNumber(): number {
    return this.#trimmed;
  }

  get last(): LoggedEvent | undefined {
    return this.#events.at(-1);
  }

  append(events: readonly StoredEvent[], nowMs: number): void {
    for (const event of events) {
      const sequenceNumber = this.#events.length;
      this.#events.push({
        ...event,
        sequenceNumber,
        offset: String(sequenceNumber * OFFSET_STEP),
        enqueuedAtMs: event.enqueuedAtMs ?? nowMs,
      });
    }
    for (const wake of [...this.#watchers]) wake();
  }

  at(sequenceNumber: number): LoggedEvent | undefined {
    return this.#events[sequenceNumber];
  }

  trimTo(sequenceNumber: number): void {
    this.#trimmed = Math.min(sequenceNumber, this.#events.length);
  }

  /** Sequence number of the first event that a selector lets through. Throws on a selector that is none. */
  startOf(selector: string): number {
    const match =
      /^amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time) (>=?) '([^']*)'$/.exec(
        selector,
      );
    const [, what, comparison, text] = match ?? [];
    if (what === undefined || text === undefined) throw new Error(`no selector: ${selector}`);
    if (what === "offset" && text === "@latest") return this.#events.length;
    const isInclusive = comparison === ">=";
    const value = Number(text);
    if (!Number.isFinite(value)) throw new Error(`no number: ${selector}`);
    const passes = (found: number): boolean => (isInclusive ? found >= value : found > value);
    for (let at = this.#trimmed; at < this.#events.length; at += 1) {
      const event = this.#events[at];
      if (event !== undefined && passes(measureOf(event, what))) return at;
    }
    return this.#events.length;
  }

  onAppend(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => this.#watchers.delete(wake);
  }
}

function measureOf(event: LoggedEvent, what: string): number {
  if (what === "offset") return Number(event.offset);
  return what === "sequence-number" ? event.sequenceNumber : event.enqueuedAtMs;
}
