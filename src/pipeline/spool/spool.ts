import { mkdirSync } from "node:fs";
import type { QueueCounts } from "../../contract/agent-facts.ts";
import type { Clock, Timer } from "../../contract/clock.ts";
import { AgentError, describeError } from "../../contract/errors.ts";
import type { Log } from "../../contract/log.ts";
import { createHeldEntries } from "./held-entries.ts";
import {
  jsonBytesOf,
  openQueueFiles,
  type QueueFiles,
  RECORD_OVERHEAD_BYTES,
  recordBytesOf,
} from "./queue-files.ts";
import { MAX_JSON_BYTES, type RecordPlace } from "./record.ts";
import {
  type AppendOutcome,
  EVICTION_ORDER,
  QUEUES,
  type Queue,
  type Spool,
  type SpoolEntry,
} from "./spool-contract.ts";
import { countDrop, takeCountsOf } from "./spool-counts.ts";
import { openSpoolJournal, type SpoolJournal, type SpoolState } from "./spool-journal.ts";

export interface SpoolOptions {
  readonly folder: string;
  readonly maxCacheBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Longest time that data stays in the page cache only, ms: what a power cut can take. */
  readonly flush: {
    readonly highDelayMs: number;
    readonly lowDelayMs: number;
    readonly maxBytes: number;
  };
}

/** Defaults of the flush policy; the figures are explained in docs/decisions/0003-spool.md. */
export const DEFAULT_FLUSH = { highDelayMs: 2_000, lowDelayMs: 30_000, maxBytes: 65_536 };

const LARGEST_SEGMENT_BYTES = 262_144;
const SMALLEST_SEGMENT_BYTES = 16_384;
/** A batch is written in parts, so that a disk with little space left takes what it can. */
const LARGEST_WRITE_BYTES = 65_536;

interface QueueRecord {
  readonly queue: Queue;
  readonly files: QueueFiles;
  events: number;
  jsonBytes: number;
}

/**
 * Opens the spool of a folder and recovers what waits in it. Throws AGENT_STATE_UNUSABLE when the
 * folder cannot be used at all; damage inside is counted, logged once and survived.
 */
export function openSpool(options: SpoolOptions): Spool {
  try {
    return new FileSpool(options);
  } catch (error) {
    throw new AgentError(
      "AGENT_STATE_UNUSABLE",
      `spool ${options.folder}: ${describeError(error)}`,
      {
        remedy: "Make the state directory writable for the agent's user and free some space.",
        cause: error,
      },
    );
  }
}

class FileSpool implements Spool {
  private readonly options: SpoolOptions;
  private readonly journal: SpoolJournal;
  private readonly state_: SpoolState;
  private readonly queues: Readonly<Record<Queue, QueueRecord>>;
  private readonly wallToMonotonicMs: number;
  private maxBytes: number;
  private usedBytes = 0;
  private readonly held = createHeldEntries();
  private holdThrough: Partial<Readonly<Record<Queue, number>>> = {};
  private syncTimer: Timer | undefined;
  private syncDueAtMs = 0;
  private unsyncedBytes = 0;
  private syncing: Promise<void> = Promise.resolve();
  private isDiskRefusing = false;
  private isClosed = false;

  constructor(options: SpoolOptions) {
    this.options = options;
    const { clock, folder } = options;
    this.maxBytes = options.maxCacheBytes;
    this.wallToMonotonicMs = clock.monotonicMs() - clock.nowMs();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { journal, state } = openSpoolJournal(folder);
    this.journal = journal;
    this.state_ = state;
    this.queues = {
      high: this.openQueue("high"),
      operational: this.openQueue("operational"),
      low: this.openQueue("low"),
      extension: this.openQueue("extension"),
    };
    this.recover();
  }

  private openQueue(queue: Queue): QueueRecord {
    const eighth = Math.floor(this.options.maxCacheBytes / 8);
    const segmentBytes = Math.min(LARGEST_SEGMENT_BYTES, Math.max(SMALLEST_SEGMENT_BYTES, eighth));
    const files = openQueueFiles({
      folder: this.options.folder,
      queue,
      segmentBytes,
      onLost: (events, jsonBytes) => this.lost(queue, events, jsonBytes),
    });
    return { queue, files, events: 0, jsonBytes: 0 };
  }

  private recover(): void {
    let damaged = 0;
    let torn = 0;
    for (const queue of QUEUES) {
      const record = this.queues[queue];
      const found = record.files.recover(this.state_.released[queue], this.state_.next[queue]);
      damaged += found.damaged;
      torn += found.torn;
      this.state_.counts.High.collected += found.uncounted.High;
      this.state_.counts.Low.collected += found.uncounted.Low;
      this.state_.next[queue] = Math.max(this.state_.next[queue], found.newest + 1);
      record.events = found.events;
      record.jsonBytes = found.jsonBytes;
      this.usedBytes += found.jsonBytes + found.events * RECORD_OVERHEAD_BYTES;
    }
    if (damaged + torn > 0 || this.journal.isDamaged) {
      this.options.log.warn({ damaged, torn }, "spool was damaged, the rest of it is intact");
    }
    this.makeRoom(0, "high");
    this.writeState();
  }

  /** Records that their file no longer has: their names are gone with them, their number is not. */
  private lost(queue: Queue, events: number, jsonBytes: number): void {
    const record = this.queues[queue];
    record.events -= events;
    record.jsonBytes -= jsonBytes;
    this.usedBytes -= jsonBytes + events * RECORD_OVERHEAD_BYTES;
    this.state_.counts[queue === "high" ? "High" : "Low"].dropped += Math.max(0, events);
    this.options.log.warn(
      { queue, events },
      "spool files were changed or damaged, events are lost",
    );
  }

  append(entries: readonly SpoolEntry[]): AppendOutcome {
    this.retryHeld();
    this.appendAll(entries);
    const heldInMemory = this.held.count;
    const stored =
      heldInMemory === 0 ? entries.length : entries.filter((entry) => !this.held.has(entry)).length;
    return { stored, heldInMemory };
  }

  private appendAll(entries: readonly SpoolEntry[]): void {
    for (const queue of QUEUES) {
      const mine = entries.filter((entry) => entry.queue === queue);
      if (mine.length > 0) this.appendTo(queue, mine);
    }
  }

  private appendTo(queue: Queue, entries: readonly SpoolEntry[]): void {
    let accepted: SpoolEntry[] = [];
    let bytes = 0;
    for (const entry of entries) {
      const jsonBytes = Buffer.byteLength(entry.json);
      const size = jsonBytes + RECORD_OVERHEAD_BYTES;
      if (jsonBytes > MAX_JSON_BYTES) {
        this.countUnwrittenDrop(entry);
        continue;
      }
      if (bytes + size > LARGEST_WRITE_BYTES || !this.makeRoom(bytes + size, queue)) {
        // The first part of a large batch may have to give way to the rest of it.
        this.writeOrHold(queue, accepted);
        accepted = [];
        bytes = 0;
      }
      if (this.makeRoom(bytes + size, queue)) {
        accepted.push(entry);
        bytes += size;
      } else {
        this.countUnwrittenDrop(entry);
        this.writeState();
      }
    }
    this.writeOrHold(queue, accepted);
  }

  private writeOrHold(queue: Queue, entries: readonly SpoolEntry[]): void {
    if (this.held.count === 0 && this.write(queue, entries)) return;
    for (const dropped of this.held.add(entries)) this.countUnwrittenDrop(dropped);
  }

  /** Writes entries to their queue; false when the disk refuses them. */
  private write(queue: Queue, entries: readonly SpoolEntry[]): boolean {
    if (entries.length === 0) return true;
    const record = this.queues[queue];
    const nowMs = this.options.clock.monotonicMs() - this.wallToMonotonicMs;
    const first = this.state_.next[queue];
    const records = entries.map((entry, index) => ({
      facts: {
        sequence: first + index,
        appendedAtMs: nowMs,
        priority: entry.priority,
        name: entry.name,
      },
      json: entry.json,
    }));
    try {
      const bytes = record.files.append(records);
      this.state_.next[queue] = first + entries.length;
      record.events += entries.length;
      for (const { priority } of entries) this.state_.counts[priority].collected += 1;
      record.jsonBytes += bytes - entries.length * RECORD_OVERHEAD_BYTES;
      this.usedBytes += bytes;
      this.isDiskRefusing = false;
      this.scheduleSync(queue, bytes);
      return true;
    } catch (error) {
      this.reportRefusal(error);
      return false;
    }
  }

  private reportRefusal(error: unknown): void {
    if (this.isDiskRefusing) return;
    this.isDiskRefusing = true;
    this.options.log.error(
      { reason: describeError(error), remedy: "free space on the state directory" },
      "disk refuses the spool, events are held in memory",
    );
  }

  retryHeld(): number {
    if (this.held.count === 0) return 0;
    this.appendAll(this.held.takeAll());
    if (this.held.count === 0) this.options.log.info({}, "disk takes the spool again");
    this.writeState();
    return this.held.count;
  }

  private giveUpHeld(): void {
    const entries = this.held.takeAll();
    for (const entry of entries) this.countUnwrittenDrop(entry);
    this.options.log.error({ events: entries.length }, "disk still refuses, held events are lost");
  }

  state(queue: Queue): ReturnType<Spool["state"]> {
    const record = this.queues[queue];
    // First, because it may find that records are lost.
    const oldest = record.events === 0 ? undefined : record.files.oldest();
    const { events, jsonBytes } = record;
    if (oldest === undefined) return { events, bytes: jsonBytes, oldestAgeMs: 0 };
    const nowMs = this.options.clock.monotonicMs() - this.wallToMonotonicMs;
    const oldestAgeMs = Math.max(0, nowMs - oldest.appendedAtMs);
    return { events, bytes: jsonBytes, oldestAgeMs, oldestPriority: oldest.priority };
  }

  peek(queue: Queue, maxBytes: number): ReturnType<Spool["peek"]> {
    return this.queues[queue].events === 0 ? [] : this.queues[queue].files.peek(maxBytes);
  }

  release(queue: Queue, sequence: number): void {
    const { files } = this.queues[queue];
    // Beyond the newest lies what comes later: a release of it would drop it at the next start.
    const through = Math.min(sequence, this.state_.next[queue] - 1);
    if (!(through > this.state_.released[queue])) return;
    let oldest = files.oldest();
    while (oldest !== undefined && oldest.sequence <= through) {
      this.removed(queue, files.removeOldest());
      oldest = files.oldest();
    }
    this.state_.released[queue] = through;
    this.writeState();
  }

  hold(through: Partial<Readonly<Record<Queue, number>>>): void {
    this.holdThrough = through;
    // What was held may have kept the cache above a bound that was lowered meanwhile.
    this.makeRoom(0, "high");
  }

  resize(maxCacheBytes: number): void {
    this.maxBytes = maxCacheBytes;
    this.makeRoom(0, "high");
  }

  takeCounts(): readonly QueueCounts[] {
    const taken = takeCountsOf(this.state_);
    this.writeState();
    return taken;
  }

  /** Evicts until `bytes` more fit; false when only what an entry of `queue` must not push out is left. */
  private makeRoom(bytes: number, queue: Queue): boolean {
    const evictable = EVICTION_ORDER.slice(0, EVICTION_ORDER.indexOf(queue) + 1);
    let hasEvicted = false;
    while (this.usedBytes + bytes > this.maxBytes) {
      const victim = evictable.find((name) => this.isEvictable(name));
      if (victim === undefined) break;
      const place = this.queues[victim].files.removeOldest();
      if (place === undefined) break;
      this.removed(victim, place);
      this.state_.released[victim] = place.sequence;
      countDrop(this.state_, place.priority, place.name);
      hasEvicted = true;
    }
    if (hasEvicted) this.writeState();
    return this.usedBytes + bytes <= this.maxBytes;
  }

  private isEvictable(queue: Queue): boolean {
    const oldest = this.queues[queue].files.oldest();
    return oldest !== undefined && oldest.sequence > (this.holdThrough[queue] ?? 0);
  }

  private removed(queue: Queue, place: RecordPlace | undefined): void {
    if (place === undefined) return;
    const record = this.queues[queue];
    record.events -= 1;
    record.jsonBytes -= jsonBytesOf(place);
    this.usedBytes -= recordBytesOf(place);
  }

  /** An event that never reached a file counts as collected and dropped at once. */
  private countUnwrittenDrop(entry: SpoolEntry): void {
    this.state_.counts[entry.priority].collected += 1;
    countDrop(this.state_, entry.priority, entry.name);
  }

  /** Files go after the journal says that they may, unless only their going makes room for it. */
  private writeState(): void {
    try {
      this.journal.write(this.state_);
      this.deleteSpent();
    } catch {
      this.deleteSpent();
      try {
        this.journal.write(this.state_);
      } catch (error) {
        this.reportRefusal(error);
      }
    }
  }

  private deleteSpent(): void {
    for (const queue of QUEUES) this.queues[queue].files.deleteSpent();
  }

  private scheduleSync(queue: Queue, bytes: number): void {
    const { flush, clock } = this.options;
    this.unsyncedBytes += bytes;
    const isFull = this.unsyncedBytes >= flush.maxBytes;
    const delayMs = isFull ? 0 : queue === "high" ? flush.highDelayMs : flush.lowDelayMs;
    const dueAtMs = clock.monotonicMs() + delayMs;
    if (this.syncTimer !== undefined && this.syncDueAtMs <= dueAtMs) return;
    this.syncTimer?.cancel();
    this.syncDueAtMs = dueAtMs;
    this.syncTimer = clock.after(delayMs, () => {
      this.syncTimer = undefined;
      this.sync().catch((error: unknown) => this.reportRefusal(error));
    });
  }

  sync(): Promise<void> {
    this.unsyncedBytes = 0;
    const synced = this.syncing.then(async () => {
      for (const queue of QUEUES) await this.queues[queue].files.sync();
      await this.journal.sync();
    });
    // The next sync must try again, whatever came of this one; its caller learns of it.
    this.syncing = synced.catch(() => {});
    return synced;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.syncTimer?.cancel();
    if (this.retryHeld() > 0) this.giveUpHeld();
    this.writeState();
    await this.sync().catch((error: unknown) => this.reportRefusal(error));
    for (const queue of QUEUES) this.queues[queue].files.close();
    this.journal.close();
  }
}
