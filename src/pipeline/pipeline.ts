import type { Clock, Timer } from "../contract/clock.ts";
import {
  EVENT_KINDS,
  type EventDraft,
  type EventName,
  type SecurityEvent,
} from "../contract/event.ts";
import type { ExtensionDraft } from "../contract/extension.ts";
import type { OutgoingMessage } from "../contract/message.ts";
import type { Random } from "../contract/random.ts";
import { check, describeFault, type Schema } from "../contract/schema.ts";
import type { SecretMask } from "../contract/secret-mask.ts";
import type { Settings } from "../contract/settings.ts";
import type { SendOutcome } from "../contract/transport.ts";
import { parseJsonObject } from "../parse/json.ts";
import type { Aggregator } from "./aggregate/aggregator.ts";
import { createEnvelope, type EnvelopeFacts } from "./envelope.ts";
import { fitExtension, stampExtension } from "./extension-event.ts";
import type { Ledger } from "./ledger.ts";
import { splitOversize } from "./oversize.ts";
import { redact } from "./redact.ts";
import { createSender, type Sender, type SentMessage } from "./sender.ts";
import type { Queue, QueuedEvent, Spool, SpoolEntry, SpooledName } from "./spool/spool-contract.ts";
import { createStamp } from "./stamp.ts";

export interface PipelineOptions {
  readonly spool: Spool;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: Settings;
  readonly envelope: EnvelopeFacts;
  /** Schema of one payload item by event name; names without one are not checked. */
  readonly payloadSchemas: ReadonlyMap<EventName, Schema<unknown>>;
  readonly mask: SecretMask;
  readonly transportMaxBytes: number;
  /** Makes the aggregator; what it emits goes on to the spool. */
  readonly aggregator: (emit: (drafts: readonly EventDraft[]) => void) => Aggregator;
  readonly send: (message: OutgoingMessage, signal: AbortSignal) => Promise<SendOutcome>;
  readonly onSent: (sent: SentMessage) => void;
  /** An event that is not as its schema says: counted and kept away from the hub. */
  readonly onQuarantined: (name: SpooledName, reason: string) => void;
  readonly onRefused: (name: SpooledName, reason: string) => void;
  readonly onFault: (reason: string) => void;
}

/**
 * From draft to hub: aggregate, stamp, check, split, spool, batch, send. `submit` returns when the
 * events would survive `kill -9`.
 */
export interface Pipeline {
  submit(drafts: readonly EventDraft[]): void;
  /** The same for what travels in extension messages; what is urgent is sent at once. */
  submitExtensions(drafts: readonly ExtensionDraft[]): void;
  /** Sends what waits under the old settings, then applies the new ones. */
  applySettings(settings: Settings): Promise<void>;
  setConnected(isConnected: boolean): void;
  flush(deadlineMs: number): Promise<{ readonly sent: number; readonly waiting: number }>;
  /** Monotonic time since which one attempt to send is under way; undefined between attempts. */
  readonly sendingSinceMs: number | undefined;
  /** Events refused as malformed since the start. */
  readonly quarantined: number;
  /** Ends aggregation windows into the spool, stops sending. What waits stays on disk. */
  stop(): Promise<void>;
}

/** Space that the event of one aggregation window is assumed to take, generously. */
const ASSUMED_WINDOW_BYTES = 1_024;
/** Time between two tries to store what the disk refused. */
const DISK_RETRY_MS = 30_000;
/** How long a change of settings may wait for what was collected before it. */
const FLUSH_BEFORE_CHANGE_MS = 1_000;

export function createPipeline(options: PipelineOptions): Pipeline {
  const { spool } = options;
  const stamp = createStamp(options.clock, options.random);
  const envelope = createEnvelope(options.envelope);
  const extensionEnvelope = createEnvelope(options.envelope, "extension");
  let settings = options.settings;
  let quarantined = 0;
  let isStopped = false;
  let diskRetry: Timer | undefined;
  /** Changes of settings, one after the other in the order they were asked for. */
  let changing: Promise<void> = Promise.resolve();

  function messageLimit(): number {
    const { maxMessageBytes, maxCacheBytes } = settings;
    return Math.min(maxMessageBytes, maxCacheBytes, options.transportMaxBytes);
  }

  const sender: Sender = createSender({
    spool,
    envelope,
    extensionEnvelope,
    ledger: options.ledger,
    clock: options.clock,
    random: options.random,
    settings: () => settings,
    transportMaxBytes: options.transportMaxBytes,
    send: options.send,
    split: splitQueued,
    pullForward,
    onSent: options.onSent,
    onRefused: (event, reason) => options.onRefused(event.name, reason),
    onFault: options.onFault,
  });
  const aggregator = options.aggregator(store);

  /** Ends all open windows, unless so many events at once would push others out of the cache. */
  function pullForward(): void {
    const bytes = aggregator.openWindows * ASSUMED_WINDOW_BYTES;
    if (bytes <= settings.maxCacheBytes / 2) aggregator.flush();
  }

  function store(drafts: readonly EventDraft[]): void {
    append(drafts.flatMap(entriesOf));
  }

  function append(entries: readonly SpoolEntry[]): void {
    if (entries.length === 0) return;
    if (spool.append(entries).heldInMemory > 0) armDiskRetry();
    sender.wake();
  }

  /** What a full disk refused must not wait in memory for the next event to come by. */
  function armDiskRetry(): void {
    if (diskRetry !== undefined || isStopped) return;
    diskRetry = options.clock.after(DISK_RETRY_MS, () => {
      diskRetry = undefined;
      if (spool.retryHeld() > 0) armDiskRetry();
      else sender.wake();
    });
  }

  function entriesOf(draft: EventDraft): readonly SpoolEntry[] {
    const priority = settings.eventPriority[draft.name];
    if (priority === "Off") return [];
    const stamped = stamp(draft);
    const reason = stamped.ok ? faultIn(stamped.value) : stamped.problem.detail;
    if (!stamped.ok || reason !== undefined) {
      quarantined += 1;
      options.onQuarantined(draft.name, reason ?? "malformed");
      return [];
    }
    const queue = queueOf(draft.name, priority);
    return splitOversize(stamped.value, envelope.roomForOneEvent(messageLimit())).map((event) => ({
      queue,
      priority,
      name: draft.name,
      json: JSON.stringify(event),
    }));
  }

  function extensionEntries(draft: ExtensionDraft): readonly SpoolEntry[] {
    const { name, priority } = draft;
    if (priority === "Off") return [];
    const stamped = stampExtension(draft, options.clock, options.random);
    if (!stamped.ok) {
      quarantined += 1;
      options.onQuarantined(name, stamped.problem.detail);
      return [];
    }
    const room = extensionEnvelope.roomForOneEvent(messageLimit());
    const json = JSON.stringify(fitExtension(stamped.value, room));
    return [{ queue: "extension", priority, name, json }];
  }

  function faultIn(event: SecurityEvent): string | undefined {
    const schema = options.payloadSchemas.get(event.Name);
    if (schema === undefined) return undefined;
    for (const item of event.Payload) {
      const [fault] = check(schema, item);
      if (fault !== undefined) return describeFault({ ...fault, found: "another value" });
    }
    return undefined;
  }

  async function change(next: Settings): Promise<void> {
    await sender.flush(FLUSH_BEFORE_CHANGE_MS);
    settings = next;
    spool.resize(next.maxCacheBytes);
    aggregator.configure(next.aggregation);
    sender.wake();
  }

  return {
    submit(drafts) {
      const wanted = drafts.filter((draft) => settings.eventPriority[draft.name] !== "Off");
      aggregator.add(wanted.map((draft) => redact(draft, options.mask)));
    },
    submitExtensions(drafts) {
      const entries = drafts.flatMap(extensionEntries);
      if (entries.length > 0 && drafts.some((draft) => draft.isUrgent)) sender.hurryExtensions();
      append(entries);
    },
    applySettings(next) {
      const changed = changing.then(() => change(next));
      changing = changed.catch(() => undefined);
      return changed;
    },
    setConnected: (isConnected) => sender.setConnected(isConnected),
    flush: (deadlineMs) => sender.flush(deadlineMs),
    get sendingSinceMs() {
      return sender.attemptSinceMs();
    },
    get quarantined() {
      return quarantined;
    },
    async stop() {
      isStopped = true;
      diskRetry?.cancel();
      // The sender first: windows that end now go to the spool and no further.
      const stopped = sender.stop();
      aggregator.stop();
      await stopped;
    },
  };
}

/** High means its interval for every kind of event: it never waits behind one of low priority. */
function queueOf(name: EventName, priority: "High" | "Low"): Queue {
  if (priority === "High") return "high";
  return EVENT_KINDS[name].eventType === "Security" ? "low" : "operational";
}

/** The parts of an event that waits. What is in the spool was written by us, so it parses. */
function splitQueued(event: QueuedEvent, maxBytes: number): readonly string[] {
  const parsed = parseJsonObject(event.json, "queued event", { maxLength: 8_388_608 });
  if (!parsed.ok || !isStampedEvent(parsed.value)) return [event.json];
  if (event.queue === "extension") return [JSON.stringify(fitExtension(parsed.value, maxBytes))];
  return splitOversize(parsed.value, maxBytes).map((part) => JSON.stringify(part));
}

function isStampedEvent(value: object): value is SecurityEvent {
  return "Id" in value && "Payload" in value && Array.isArray(value.Payload);
}
