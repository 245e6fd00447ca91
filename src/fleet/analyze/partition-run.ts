import type { Clock } from "../../contract/clock.ts";
import type { Log } from "../../contract/log.ts";
import type { Result } from "../../contract/result.ts";
import type { FleetRecord } from "../../posture/fleet/partition-analyzer.ts";
import type { FleetAnalyzer } from "./analyzer-factory.ts";
import { DeliveredIds } from "./delivered-ids.ts";
import type { Deliverer } from "./deliverer.ts";
import type { AlertOutput, NumberedAlert } from "./output.ts";
import type { Place } from "./place.ts";
import type { RunTotals } from "./run-totals.ts";
import type { Position, SavedPartition } from "./saved-partition.ts";
import type { AnalyzeStore } from "./store.ts";

export interface RunEvent {
  readonly record: FleetRecord;
  readonly offset: string;
}

export interface RunParts {
  readonly place: Place;
  readonly analyzer: FleetAnalyzer;
  readonly outputs: readonly AlertOutput[];
  readonly store: AnalyzeStore;
  readonly deliverer: Deliverer;
  readonly clock: Clock;
  readonly log: Log;
  readonly totals: RunTotals;
  /** Sequence number of the last event of the partition at the event hub, -1 when there is none. */
  lastSequenceNumber(): Promise<Result<number>>;
  readonly checkpointEveryMs: number;
  readonly tickEveryMs: number;
  /** The analyzer has had its last record. */
  onClosed(): void;
}

/** How often a lock is tried again, and how often a wait for it is told. */
const LOCK_EVERY_MS = 250;
/** Places in the stream that a checkpoint may fall on; when there are more, every second is let go. */
const MOST_MARKS = 4_096;
/** Shortest time between two saves that only write down what was delivered. */
const DELIVERED_EVERY_MS = 200;

/**
 * One partition, from the checkpoint to its loss: events go to the analyzer, its alerts to the outputs, and
 * only then the checkpoint follows, never past an event that an open window needs.
 */
export class PartitionRun {
  readonly #parts: RunParts;
  readonly #aborter = new AbortController();
  readonly #delivered = new Map<string, DeliveredIds>();
  #marks: Position[] = [];
  #saved: SavedPartition | undefined;
  #last: number | undefined;
  #turn: Promise<void> = Promise.resolve();
  #release: (() => void) | undefined;
  #savedAtMs = Number.NEGATIVE_INFINITY;
  #tickedAtMs = Number.NEGATIVE_INFINITY;
  /** An alert was made and not delivered: nothing may be written down any more. */
  #isBroken = false;
  #isChanged = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  /** Waits until nobody else is in, then takes up what was saved. Never rejects. */
  open(): Promise<void> {
    return this.#inTurn(() => this.#open());
  }

  /** Takes events in order. Resolves when their alerts are delivered: until then no more are read. */
  take(events: readonly RunEvent[]): Promise<void> {
    return this.#inTurn(() => this.#take(events));
  }

  /** Nothing came for a while: silence is judged, if this is really the end. True when it is. */
  async idle(): Promise<boolean> {
    let isAtEnd = false;
    await this.#inTurn(async () => {
      isAtEnd = await this.#idle();
    });
    return isAtEnd;
  }

  /**
   * Ends the run. What is being delivered may take `patienceMs` more. The checkpoint is written unless the
   * partition is somebody else's already.
   */
  async close(isOurs: boolean, patienceMs: number): Promise<void> {
    const timer = this.#parts.clock.after(patienceMs, () => this.#aborter.abort());
    await this.#inTurn(async () => {
      if (isOurs && !this.#aborter.signal.aborted) await this.#save();
      this.#aborter.abort();
      this.#release?.();
      this.#release = undefined;
    });
    timer.cancel();
    this.#parts.onClosed();
  }

  /** Ends waits and retries at once; `close` follows. */
  abort(): void {
    this.#aborter.abort();
  }

  get deviceCount(): number {
    return this.#parts.analyzer.deviceCount();
  }

  get place(): Place {
    return this.#parts.place;
  }

  /** One thing at a time: the client may close a partition while its events are being judged. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const next = this.#turn.then(work);
    this.#turn = next.catch(() => undefined);
    return next;
  }

  async #open(): Promise<void> {
    const { place, store, outputs, analyzer, log, totals } = this.#parts;
    const where = { eventHub: place.eventHub, partition: place.partitionId };
    if (!(await this.#lock())) return;
    const loaded = await store.load(place);
    if (!loaded.ok) {
      const { detail } = loaded.problem;
      log.warn({ ...where, reason: detail }, "checkpoint unusable, the partition is read anew");
    }
    this.#saved = loaded.ok ? loaded.value : undefined;
    if (this.#saved?.analyzer !== undefined && analyzer.restore?.(this.#saved.analyzer) === false) {
      log.warn(where, "state beside the checkpoint unusable, windows are rebuilt without it");
    }
    for (const output of outputs) {
      const ids = new DeliveredIds();
      for (const [id, at] of this.#saved?.delivered[output.name] ?? []) ids.add(id, at);
      for (const [id, at] of await output.recall(place)) ids.add(id, at);
      this.#delivered.set(output.name, ids);
    }
    totals.opened(place);
    log.info({ ...where, from: this.#saved?.neededFrom ?? 0 }, "partition opened");
  }

  async #lock(): Promise<boolean> {
    const { place, store, clock, log } = this.#parts;
    for (let attempt = 0; !this.#aborter.signal.aborted; attempt += 1) {
      const lock = await store.lock(place);
      if (lock.ok) {
        this.#release = lock.value;
        return true;
      }
      if (attempt === 20) {
        log.warn(
          { partition: place.partitionId, reason: lock.problem.detail },
          "partition still held",
        );
      }
      await clock.sleep(LOCK_EVERY_MS, this.#aborter.signal);
    }
    this.#isBroken = true;
    return false;
  }

  async #take(events: readonly RunEvent[]): Promise<void> {
    const { analyzer, totals } = this.#parts;
    const alerts: NumberedAlert[] = [];
    for (const { record, offset } of events) {
      const { sequenceNumber } = record;
      if (!this.#isNext(sequenceNumber)) continue;
      totals.read(record);
      for (const alert of analyzer.accept(record)) alerts.push({ alert, sequenceNumber });
      this.#last = sequenceNumber;
      this.#mark({ sequenceNumber, offset }, record === events.at(-1)?.record);
    }
    this.#isChanged ||= events.length > 0;
    await this.#deliver(alerts);
    await this.#checkpoint();
  }

  /** False for an event that was judged before: after a lost connection or a restart some come again. */
  #isNext(sequenceNumber: number): boolean {
    const { place, log, totals } = this.#parts;
    const floor = this.#saved?.neededFrom;
    if (floor !== undefined && sequenceNumber < floor) return false;
    if (this.#last !== undefined && sequenceNumber <= this.#last) return false;
    const expected = this.#last === undefined ? floor : this.#last + 1;
    if (expected !== undefined && sequenceNumber > expected) {
      const lost = sequenceNumber - expected;
      totals.lost(lost);
      log.warn(
        { eventHub: place.eventHub, partition: place.partitionId, lost },
        "events were gone before they were read",
      );
    }
    return true;
  }

  #mark(position: Position, isLastOfBatch: boolean): void {
    if (!isLastOfBatch && this.#marks.length > 0) return;
    this.#marks.push(position);
    if (this.#marks.length > MOST_MARKS) this.#marks = this.#marks.filter((_, at) => at % 2 === 1);
  }

  async #idle(): Promise<boolean> {
    const { analyzer, clock, tickEveryMs, totals } = this.#parts;
    if (this.#isBroken || clock.monotonicMs() - this.#tickedAtMs < tickEveryMs) return false;
    // Asked first: whatever comes later than this moment is not part of the silence.
    const atMs = clock.nowMs();
    const end = await this.#parts.lastSequenceNumber();
    const read = Math.max(this.#last ?? -1, this.#saved?.position?.sequenceNumber ?? -1);
    if (!end.ok || end.value > read) return false;
    this.#tickedAtMs = clock.monotonicMs();
    totals.ticked();
    const alerts = analyzer.tick(atMs);
    await this.#deliver(alerts.map((alert) => ({ alert, sequenceNumber: read })));
    this.#isChanged = true;
    await this.#checkpoint();
    return true;
  }

  async #deliver(alerts: readonly NumberedAlert[]): Promise<void> {
    if (alerts.length === 0) return;
    const { outputs, place, deliverer, totals } = this.#parts;
    const isWritten = await Promise.all(
      outputs.map(async (output) => {
        const known = this.#delivered.get(output.name) ?? new DeliveredIds();
        const fresh = alerts.filter(({ alert }) => !known.has(alert.id));
        totals.repeated(alerts.length - fresh.length);
        for (let from = 0; from < fresh.length; from += output.maxAlerts) {
          const batch = fresh.slice(from, from + output.maxAlerts);
          const isTaken = await deliverer.deliver(output, batch, place, this.#aborter.signal);
          if (!isTaken) {
            this.#isBroken = true;
            return true;
          }
          for (const { alert, sequenceNumber } of batch) known.add(alert.id, sequenceNumber);
        }
        return output.hasMemory || fresh.length === 0;
      }),
    );
    if (isWritten.every((one) => one)) return;
    const { clock } = this.#parts;
    if (clock.monotonicMs() - this.#savedAtMs >= DELIVERED_EVERY_MS) await this.#save();
  }

  async #checkpoint(): Promise<void> {
    const { clock, checkpointEveryMs } = this.#parts;
    if (!this.#isChanged || clock.monotonicMs() - this.#savedAtMs < checkpointEveryMs) return;
    await this.#save();
  }

  async #save(): Promise<void> {
    if (this.#isBroken || this.#release === undefined) return;
    const { store, place, log, clock, analyzer, totals } = this.#parts;
    const last = this.#last ?? (this.#saved?.neededFrom ?? 0) - 1;
    const needed = Math.min(analyzer.oldestNeeded() ?? last + 1, last + 1);
    const neededFrom = Math.max(needed, this.#saved?.neededFrom ?? 0);
    const passed = this.#marks.filter(({ sequenceNumber }) => sequenceNumber < neededFrom);
    const position = passed.at(-1) ?? this.#saved?.position;
    for (const ids of this.#delivered.values()) ids.prune(neededFrom - 1);
    const saved: SavedPartition = {
      position,
      neededFrom,
      analyzer: analyzer.snapshot?.(),
      delivered: Object.fromEntries(
        [...this.#delivered].map(([name, ids]) => [name, ids.entries()]),
      ),
    };
    const done = await store.save(place, saved);
    this.#savedAtMs = clock.monotonicMs();
    if (!done.ok) {
      totals.failedSaves();
      log.warn(
        { partition: place.partitionId, reason: done.problem.detail },
        "checkpoint not written",
      );
      return;
    }
    this.#saved = saved;
    this.#isChanged = false;
    this.#marks = this.#marks.slice(passed.length);
  }
}
