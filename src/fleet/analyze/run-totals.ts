import type { FleetRecord } from "../../posture/fleet/partition-analyzer.ts";
import type { Place } from "./place.ts";

/** What this process has done since its start; only ever grows. */
export interface Totals {
  readonly read: number;
  readonly readBySource: Readonly<Record<FleetRecord["source"], number>>;
  /** Records that could be nothing, by reason, as the analyzers say. */
  readonly delivered: number;
  readonly repeated: number;
  readonly refused: number;
  readonly retries: number;
  readonly lost: number;
  readonly ticks: number;
  readonly failedSaves: number;
  readonly opened: number;
  /** When the event read last was put in, ms since the Unix epoch. */
  readonly enqueuedAtMs: number | undefined;
}

/** Counters of a process. */
export class RunTotals {
  #totals = {
    read: 0,
    delivered: 0,
    repeated: 0,
    refused: 0,
    retries: 0,
    lost: 0,
    ticks: 0,
    failedSaves: 0,
    opened: 0,
  };
  readonly #readBySource = { endpoint: 0, logs: 0 };
  #enqueuedAtMs: number | undefined;

  read(record: FleetRecord): void {
    this.#totals.read += 1;
    this.#readBySource[record.source] += 1;
    this.#enqueuedAtMs = record.enqueuedAtMs;
  }
  delivered(count: number): void {
    this.#totals.delivered += count;
  }
  repeated(count: number): void {
    this.#totals.repeated += count;
  }
  refused(count: number): void {
    this.#totals.refused += count;
  }
  retried(): void {
    this.#totals.retries += 1;
  }
  lost(count: number): void {
    this.#totals.lost += count;
  }
  ticked(): void {
    this.#totals.ticks += 1;
  }
  failedSaves(): void {
    this.#totals.failedSaves += 1;
  }
  opened(_place: Place): void {
    this.#totals.opened += 1;
  }

  snapshot(): Totals {
    return {
      ...this.#totals,
      readBySource: { ...this.#readBySource },
      enqueuedAtMs: this.#enqueuedAtMs,
    };
  }
}
