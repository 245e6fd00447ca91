import type {
  EventHubConsumerClient,
  PartitionContext,
  ReceivedEventData,
  Subscription,
} from "@azure/event-hubs";
import { describeError } from "../../contract/errors.ts";
import type { Log } from "../../contract/log.ts";
import { fail, ok, type Result } from "../../contract/result.ts";
import type { FleetRecord } from "../../posture/fleet/partition-analyzer.ts";
import type { PartitionRun } from "./partition-run.ts";
import type { Place } from "./place.ts";
import type { Position } from "./saved-partition.ts";
import type { AnalyzeStore } from "./store.ts";
import { toRecord } from "./to-record.ts";

/** Events that the rules get at a time; the client fetches three times as many ahead. */
const BATCH_EVENTS = 500;
/** How long the connection may take to close, ms. */
const GOODBYE_MS = 3_000;

export interface SourceParts {
  readonly source: FleetRecord["source"];
  readonly client: EventHubConsumerClient;
  readonly consumerGroup: string;
  readonly store: AnalyzeStore;
  readonly log: Log;
  /** Longest silence after which a partition may be at its end, seconds. */
  readonly idleSeconds: number;
  readonly start: "earliest" | "latest";
  /** What a delivery may still take when a partition is given up, ms. */
  readonly patienceMs: number;
  /** What the ownership lasts without being renewed, ms: a longer delivery may have cost it. */
  readonly ownershipMs: number;
  monotonicMs(): number;
  sleep(delayMs: number): Promise<void>;
  openRun(place: Place, source: EventSource): PartitionRun;
  /** The event hub was heard: events, or their absence. */
  onHeard(): void;
  /** A partition was read to its end. */
  onEnd(place: Place): void;
  onFault(fault: SourceFault): void;
}

/** Why nothing is read: `refused` and `not-found` need a person. */
export interface SourceFault {
  readonly kind: "refused" | "not-found" | "unreachable" | "other";
  readonly reason: string;
}

export interface EventSource {
  readonly eventHub: string;
  /** The partitions, asked of the event hub. */
  partitionIds(): Promise<Result<readonly string[]>>;
  /** The last event of a partition; sequence number -1 when there is none. */
  lastOf(partitionId: string): Promise<Result<Position>>;
  start(): Promise<void>;
  /** Delivers, writes the checkpoints, gives the partitions back and closes the connection. */
  stop(): Promise<void>;
  readonly runs: ReadonlyMap<string, PartitionRun>;
  /** It reads nothing, or lost a partition to a fault and not to another instance. */
  readonly isCrippled: boolean;
}

/** Thrown into the client: it then closes the partition as one that somebody else has. */
class PartitionLost extends Error {
  readonly code = "ReceiverDisconnectedError";
  readonly retryable = false;
}

/** Reads an event hub with the client's own load balancing. */
export function createEventSource(parts: SourceParts): EventSource {
  const { client, store, log, consumerGroup } = parts;
  const runs = new Map<string, PartitionRun>();
  /** Partitions that a fault has closed. */
  const dropped = new Set<string>();
  let subscription: Subscription | undefined;
  let isStopping = false;

  const placeOf = (partitionId: string): Place => ({
    source: parts.source,
    namespace: client.fullyQualifiedNamespace,
    eventHub: client.eventHubName,
    consumerGroup,
    partitionId,
  });

  async function processInitialize({ partitionId }: PartitionContext): Promise<void> {
    const run = parts.openRun(placeOf(partitionId), source);
    runs.set(partitionId, run);
    dropped.delete(partitionId);
    // Not awaited: the lock may take a while, and the client would stop renewing its other partitions.
    run.open().catch((error: unknown) => {
      log.error({ partition: partitionId, reason: describeError(error) }, "partition not opened");
    });
  }

  async function processEvents(
    events: ReceivedEventData[],
    { partitionId }: PartitionContext,
  ): Promise<void> {
    const run = runs.get(partitionId);
    if (run === undefined) return;
    const startMs = parts.monotonicMs();
    parts.onHeard();
    if (events.length === 0) {
      if (await run.idle()) parts.onEnd(run.place);
    } else {
      await run.take(
        events.map((event) => ({
          record: toRecord(event, parts.source),
          offset: String(event.offset),
        })),
      );
    }
    const tookMs = parts.monotonicMs() - startMs;
    if (tookMs > parts.ownershipMs / 2 && !(await isStillOurs(partitionId))) {
      throw new PartitionLost("the partition was given to another instance during a delivery");
    }
  }

  async function isStillOurs(partitionId: string): Promise<boolean> {
    const place = placeOf(partitionId);
    const owners = await store.listOwnership(place.namespace, place.eventHub, consumerGroup);
    const owner = owners.find((one) => one.partitionId === partitionId)?.ownerId;
    return owner === undefined || owner === client.identifier;
  }

  async function processClose(reason: string, { partitionId }: PartitionContext): Promise<void> {
    const run = runs.get(partitionId);
    runs.delete(partitionId);
    if (reason === "Shutdown" && !isStopping) dropped.add(partitionId);
    log.info({ eventHub: source.eventHub, partition: partitionId, reason }, "partition closed");
    await run?.close(reason === "Shutdown", parts.patienceMs);
  }

  async function processError(error: unknown, { partitionId }: PartitionContext): Promise<void> {
    const fault = faultOf(error);
    if (fault === undefined) return;
    log.warn(
      { eventHub: source.eventHub, partition: partitionId, kind: fault.kind, reason: fault.reason },
      "event hub not read",
    );
    parts.onFault(fault);
  }

  const source: EventSource = {
    get eventHub() {
      return client.eventHubName;
    },
    runs,
    get isCrippled() {
      return runs.size === 0 || dropped.size > 0;
    },
    partitionIds: () => asked(client.getPartitionIds()),
    async lastOf(partitionId) {
      const facts = await asked(client.getPartitionProperties(partitionId));
      if (!facts.ok) return facts;
      const { isEmpty, lastEnqueuedSequenceNumber, lastEnqueuedOffset } = facts.value;
      const sequenceNumber = isEmpty ? -1 : Number(lastEnqueuedSequenceNumber);
      return ok({ sequenceNumber, offset: String(lastEnqueuedOffset) });
    },
    async start() {
      if (parts.start === "latest") await pinLatest();
      subscription = client.subscribe(
        { processInitialize, processEvents, processClose, processError },
        {
          startPosition: { offset: "-1" },
          maxBatchSize: BATCH_EVENTS,
          maxWaitTimeInSeconds: parts.idleSeconds,
          // Read by ourselves, within bounds.
          skipParsingBodyAsJson: true,
        },
      );
    },
    async stop() {
      isStopping = true;
      await subscription?.close();
      subscription = undefined;
      // The client waits for the other side's goodbye without an end: nothing depends on it any more.
      const goodbye = client.close().catch(() => undefined);
      await Promise.race([goodbye, parts.sleep(GOODBYE_MS)]);
    },
  };

  /** Without a checkpoint, "from now on" would be a later moment at every start. */
  async function pinLatest(): Promise<void> {
    const ids = await source.partitionIds();
    for (const id of ids.ok ? ids.value : []) {
      const saved = await store.load(placeOf(id));
      if (saved.ok && saved.value !== undefined) continue;
      const last = await source.lastOf(id);
      if (!last.ok || last.value.sequenceNumber < 0) continue;
      const neededFrom = last.value.sequenceNumber + 1;
      await store.save(placeOf(id), {
        position: last.value,
        neededFrom,
        analyzer: undefined,
        delivered: {},
      });
    }
  }
  return source;
}

async function asked<T>(question: Promise<T>): Promise<Result<T>> {
  try {
    return ok(await question);
  } catch (error) {
    const fault = faultOf(error);
    const code = fault?.kind === "refused" ? "not-permitted" : "not-found";
    return fail(
      fault?.kind === "unreachable" ? "timed-out" : code,
      "event hub",
      fault?.reason ?? "",
    );
  }
}

const REFUSED = ["UnauthorizedError", "AuthenticationRequiredError", "CredentialUnavailableError"];
const UNREACHABLE =
  /Failed to connect|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ConnectionLost|OperationTimeout|ServiceCommunication/;

/** What an error of the client means; undefined for the end of a partition, which is no fault. */
export function faultOf(error: unknown): SourceFault | undefined {
  const inner = error instanceof AggregateError ? error.errors.at(-1) : error;
  const name = inner instanceof Error ? inner.name : "";
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : "";
  const reason = `${code === "" ? name : code}: ${describeError(inner)}`;
  if (name === "AbortError" || code === "ReceiverDisconnectedError") return undefined;
  if (REFUSED.some((one) => code === one || name === one)) return { kind: "refused", reason };
  if (code === "MessagingEntityNotFoundError") return { kind: "not-found", reason };
  if (UNREACHABLE.test(`${name} ${code} ${reason}`)) return { kind: "unreachable", reason };
  return { kind: "other", reason };
}
