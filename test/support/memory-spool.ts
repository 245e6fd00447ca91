import type { Clock } from "../../src/contract/clock.ts";
import {
  EVICTION_ORDER,
  QUEUES,
  type Queue,
  type QueuedEvent,
  type Spool,
  type SpoolEntry,
} from "../../src/pipeline/spool/spool-contract.ts";

const OVERHEAD_BYTES = 32;

/** A spool that keeps its promises in memory only, for tests. */
export class MemorySpool implements Spool {
  private readonly clock: Clock;
  private maxBytes: number;
  private readonly queues: Record<Queue, QueuedEvent[]> = {
    high: [],
    operational: [],
    low: [],
    extension: [],
  };
  private readonly next: Record<Queue, number> = { high: 1, operational: 1, low: 1, extension: 1 };
  private readonly appendedAt = new Map<QueuedEvent, number>();
  private held: Partial<Readonly<Record<Queue, number>>> = {};
  private waitingForDisk: SpoolEntry[] = [];
  private collected = { High: 0, Low: 0 };
  private dropped = { High: new Map<string, number>(), Low: new Map<string, number>() };
  /** While true, entries are held as a full disk would hold them. */
  isRefusing = false;

  constructor(clock: Clock, maxBytes = 2_560_000) {
    this.clock = clock;
    this.maxBytes = maxBytes;
  }

  append(entries: readonly SpoolEntry[]): { stored: number; heldInMemory: number } {
    for (const entry of entries) this.collected[entry.priority] += 1;
    if (this.isRefusing) this.waitingForDisk.push(...entries);
    else for (const entry of entries) this.take(entry);
    return {
      stored: this.isRefusing ? 0 : entries.length,
      heldInMemory: this.waitingForDisk.length,
    };
  }

  private take(entry: SpoolEntry): void {
    const { queue } = entry;
    const event: QueuedEvent = {
      ...entry,
      sequence: this.next[queue],
      sizeBytes: Buffer.byteLength(entry.json),
      appendedAtMs: this.clock.nowMs(),
    };
    this.next[queue] += 1;
    this.appendedAt.set(event, this.clock.monotonicMs());
    this.queues[queue].push(event);
    this.makeRoom();
  }

  state(queue: Queue): ReturnType<Spool["state"]> {
    const events = this.queues[queue];
    const [oldest] = events;
    const bytes = events.reduce((sum, event) => sum + event.sizeBytes, 0);
    if (oldest === undefined) return { events: 0, bytes, oldestAgeMs: 0 };
    const oldestAgeMs = this.clock.monotonicMs() - (this.appendedAt.get(oldest) ?? 0);
    return { events: events.length, bytes, oldestAgeMs, oldestPriority: oldest.priority };
  }

  peek(queue: Queue, maxBytes: number): readonly QueuedEvent[] {
    const found: QueuedEvent[] = [];
    let bytes = 0;
    for (const event of this.queues[queue]) {
      bytes += event.sizeBytes;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(event);
    }
    return found;
  }

  release(queue: Queue, sequence: number): void {
    this.queues[queue] = this.queues[queue].filter((event) => event.sequence > sequence);
  }

  hold(through: Partial<Readonly<Record<Queue, number>>>): void {
    this.held = through;
  }

  takeCounts(): ReturnType<Spool["takeCounts"]> {
    const taken = (["High", "Low"] as const).map((queue) => ({
      queue,
      collectedEvents: this.collected[queue],
      droppedEvents: [...this.dropped[queue].values()].reduce((sum, count) => sum + count, 0),
      droppedByName: Object.fromEntries(this.dropped[queue]),
    }));
    this.collected = { High: 0, Low: 0 };
    this.dropped = { High: new Map(), Low: new Map() };
    return taken;
  }

  resize(maxCacheBytes: number): void {
    this.maxBytes = maxCacheBytes;
    this.makeRoom();
  }

  private usedBytes(): number {
    return QUEUES.flatMap((queue) => this.queues[queue]).reduce(
      (sum, event) => sum + event.sizeBytes + OVERHEAD_BYTES,
      0,
    );
  }

  private makeRoom(): void {
    let used = this.usedBytes();
    while (used > this.maxBytes) {
      const victim = EVICTION_ORDER.find((queue) => {
        const [oldest] = this.queues[queue];
        return oldest !== undefined && oldest.sequence > (this.held[queue] ?? 0);
      });
      const event = victim === undefined ? undefined : this.queues[victim].shift();
      if (event === undefined) return;
      used -= event.sizeBytes + OVERHEAD_BYTES;
      const counts = this.dropped[event.priority];
      counts.set(event.name, (counts.get(event.name) ?? 0) + 1);
    }
  }

  retryHeld(): number {
    if (this.isRefusing) return this.waitingForDisk.length;
    const entries = this.waitingForDisk;
    this.waitingForDisk = [];
    for (const entry of entries) this.take(entry);
    return 0;
  }

  async sync(): Promise<void> {}
  async close(): Promise<void> {}
}
