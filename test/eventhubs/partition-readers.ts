import rhea, { type Connection, type Message, type Sender } from "rhea";
import type { Attached } from "./event-hub-server.ts";
import type { LoggedEvent, PartitionLog } from "./partition-log.ts";

const EPOCH = "com.microsoft:epoch";
const SELECTOR = "apache.org:selector-filter:string";
/** Events sent in one turn, so that other links and requests are served between. */
const BURST = 200;
/** Receivers without an owner level that one consumer group may have on a partition. */
const MAX_READERS = 5;

interface Reader {
  readonly key: string;
  readonly link: Sender;
  readonly log: PartitionLog;
  readonly ownerLevel: number | undefined;
  next: number;
  isPumping: boolean;
  stopWatching(): void;
}

/**
 * The open receivers of all partitions. One with an owner level takes the partition from those with a lower
 * or the same one; without, it is refused while one with an owner level reads.
 * Source: Event Hubs, "Event processor host", EventHubConsumerClient `ownerLevel`.
 */
export class PartitionReaders {
  readonly #readers = new Map<Sender, Reader>();
  #sent = 0;

  get sent(): number {
    return this.#sent;
  }

  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { key } of this.#readers.values()) counts[key] = (counts[key] ?? 0) + 1;
    return counts;
  }

  open(form: {
    readonly key: string;
    readonly link: Sender & Attached;
    readonly log: PartitionLog;
  }): void {
    const { key, link, log } = form;
    const { attach } = link.remote;
    const ownerLevel = numberOf(attach.properties?.[EPOCH]);
    const others = [...this.#readers.values()].filter((reader) => reader.key === key);
    const highest = Math.max(...others.map((reader) => reader.ownerLevel ?? -1), -1);
    if ((ownerLevel ?? -1) < highest) {
      link.close({
        condition: "amqp:link:stolen",
        description: `a receiver with the higher epoch '${highest}' already exists`,
      });
      return;
    }
    if (ownerLevel === undefined && others.length >= MAX_READERS) {
      link.close({ condition: "amqp:resource-limit-exceeded", description: "too many receivers" });
      return;
    }
    if (ownerLevel !== undefined) for (const other of others) this.#steal(other, ownerLevel);
    let next: number;
    try {
      next = log.startOf(selectorOf(attach.source?.filter));
    } catch (error) {
      link.close({ condition: "amqp:invalid-field", description: String(error) });
      return;
    }
    const reader: Reader = {
      key,
      link,
      log,
      ownerLevel,
      next,
      isPumping: false,
      stopWatching: log.onAppend(() => this.pump(link)),
    };
    this.#readers.set(link, reader);
    this.pump(link);
  }

  #steal(reader: Reader, ownerLevel: number): void {
    this.closed(reader.link);
    reader.link.close({
      condition: "amqp:link:stolen",
      description: `New receiver with higher epoch of '${ownerLevel}' is created hence current receiver with epoch '${reader.ownerLevel}' is getting disconnected.`,
    });
  }

  /** Sends what the link's credit allows. */
  pump(link: Sender): void {
    const reader = this.#readers.get(link);
    if (reader === undefined || reader.isPumping) return;
    let sent = 0;
    while (link.sendable() && sent < BURST) {
      const event = reader.log.at(reader.next);
      if (event === undefined) return;
      reader.next += 1;
      sent += 1;
      this.#sent += 1;
      link.send(messageOf(event));
    }
    if (sent < BURST) return;
    reader.isPumping = true;
    setImmediate(() => {
      reader.isPumping = false;
      this.pump(link);
    });
  }

  closed(link: Sender): void {
    this.#readers.get(link)?.stopWatching();
    this.#readers.delete(link);
  }

  gone(connection: Connection): void {
    for (const { link } of [...this.#readers.values()]) {
      if (link.connection === connection) this.closed(link);
    }
  }
}

function messageOf(event: LoggedEvent): Message {
  const text = typeof event.body === "string" ? event.body : JSON.stringify(event.body);
  return {
    body: rhea.message.data_section(Buffer.from(text)),
    content_type: "application/json",
    content_encoding: "utf-8",
    message_annotations: {
      ...event.annotations,
      "x-opt-sequence-number": rhea.types.wrap_long(event.sequenceNumber),
      "x-opt-offset": event.offset,
      "x-opt-enqueued-time": rhea.types.wrap_timestamp(event.enqueuedAtMs),
    },
    ...(event.properties === undefined ? {} : { application_properties: event.properties }),
  } as unknown as Message;
}

function selectorOf(filter: Readonly<Record<string, unknown>> | undefined): string {
  const found = filter?.[SELECTOR] as { readonly value?: unknown } | string | undefined;
  const value = typeof found === "object" ? found.value : found;
  return typeof value === "string" ? value : "amqp.annotation.x-opt-offset > '-1'";
}

function numberOf(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : Number(value);
}
