import type { QueueCounts } from "../../contract/agent-facts.ts";
import type { EventName } from "../../contract/event.ts";
import type { ExtensionName } from "../../contract/extension.ts";

/**
 * The queues of security messages, in sending order. `operational` holds events about the agent itself;
 * for bounds and statistics it counts with the priority its events were given.
 */
export const SECURITY_QUEUES = ["high", "operational", "low"] as const;
export type SecurityQueue = (typeof SECURITY_QUEUES)[number];

/** All queues of the spool: one more for extension messages, whose events never mix with the others. */
export const QUEUES = [...SECURITY_QUEUES, "extension"] as const;
export type Queue = (typeof QUEUES)[number];

/** What has to give way when space is short: verdicts are few, and outlive what they were made of. */
export const EVICTION_ORDER: readonly Queue[] = ["low", "operational", "extension", "high"];

/** Every name of an event that the spool holds. */
export type SpooledName = EventName | ExtensionName;

/** An event on its way into the spool. `json` is the serialised event of schema 1.0, or extension event. */
export interface SpoolEntry {
  readonly queue: Queue;
  readonly priority: "High" | "Low";
  readonly name: SpooledName;
  readonly json: string;
}

/** An event that waits. Sequence numbers grow within a queue and are never used twice. */
export interface QueuedEvent {
  readonly queue: Queue;
  readonly sequence: number;
  readonly priority: "High" | "Low";
  readonly name: SpooledName;
  readonly json: string;
  /** UTF-8 bytes of `json`. */
  readonly sizeBytes: number;
  /** Wall clock ms at which `append` took it; survives restarts. */
  readonly appendedAtMs: number;
}

export interface QueueState {
  readonly events: number;
  /** Bytes of event JSON that wait. */
  readonly bytes: number;
  /**
   * How long the oldest has waited, ms, never negative; 0 when empty. Within one run no change of the
   * wall clock moves it; across a restart it comes from the wall clock.
   */
  readonly oldestAgeMs: number;
  /** Priority of the oldest; absent when the queue is empty. */
  readonly oldestPriority?: "High" | "Low";
}

export interface AppendOutcome {
  /** Entries that would now survive `kill -9`, or were dropped and counted to make room. */
  readonly stored: number;
  /** Entries held in memory because the disk refused them; they are stored when it recovers. */
  readonly heldInMemory: number;
}

/**
 * Events on disk until the hub has acknowledged them. Synchronous: when `append` returns, the events
 * are in the kernel's page cache, which outlives `kill -9`.
 */
export interface Spool {
  append(entries: readonly SpoolEntry[]): AppendOutcome;
  state(queue: Queue): QueueState;
  /** The oldest events of a queue, in order, up to `maxBytes` of JSON but at least one if any waits. */
  peek(queue: Queue, maxBytes: number): readonly QueuedEvent[];
  /** Removes everything up to and including `sequence`; survives `kill -9` when it returns. */
  release(queue: Queue, sequence: number): void;
  /**
   * Keeps everything up to these sequences from being evicted, because it is on its way to the hub:
   * what is acknowledged later must not have been counted as dropped. An empty record holds nothing.
   */
  hold(through: Partial<Readonly<Record<Queue, number>>>): void;
  /** Counters since the last call; what was taken stays taken over a crash. */
  takeCounts(): readonly QueueCounts[];
  /** Applies a new bound at once, evicting the oldest in the order of `EVICTION_ORDER`. */
  resize(maxCacheBytes: number): void;
  /** Writes what the disk refused earlier, if it now accepts; returns what is still held. */
  retryHeld(): number;
  /** Makes everything survive a power cut. */
  sync(): Promise<void>;
  /** `sync`, then closes the files. Safe to call twice. */
  close(): Promise<void>;
}
