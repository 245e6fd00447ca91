import type { JsonValue } from "../../contract/json.ts";
import type { Alert } from "../alerts/finding.ts";

/** One record of an event hub partition, as its consumer gets it. */
export interface FleetRecord {
  /** `endpoint`: the hub's built-in endpoint or a route. `logs`: an event hub with diagnostic logs. */
  readonly source: "endpoint" | "logs";
  /** Parsed body; undefined when it was no JSON. */
  readonly body: JsonValue | undefined;
  /** What the hub has set, such as `iothub-connection-device-id`, `iothub-message-source`, `iothub-enqueuedtime`. */
  readonly systemProperties: Readonly<Record<string, JsonValue>>;
  /** Application properties and enrichments, such as `kind` and `SecurityGroup`. */
  readonly properties: Readonly<Record<string, JsonValue>>;
  /** When the event hub took it, ms since the Unix epoch; never falls within a partition. */
  readonly enqueuedAtMs: number;
  readonly sequenceNumber: number;
}

/** What was looked at and what could not be used, by reason; only ever grows. */
export interface FleetCounts {
  readonly records: number;
  readonly events: number;
  readonly skipped: Readonly<Record<string, number>>;
}

/**
 * The custom alerts of all devices of one partition. Deterministic: the same records and ticks give the
 * same alerts with the same ids, so that a replay from `oldestNeeded()` repeats what was judged and
 * nothing else. No clock, no file, no network.
 */
export interface PartitionAnalyzer {
  /** Counts a record; alerts of windows that the partition's own time has now closed. */
  accept(record: FleetRecord): readonly Alert[];
  /** The partition has been read to its end, and this is the time: silence is judged as well. */
  tick(atMs: number): readonly Alert[];
  /**
   * Sequence number of the first record that an open window still needs; undefined when nothing is
   * open, so that all that was accepted may be checkpointed.
   */
  oldestNeeded(): number | undefined;
  counts(): FleetCounts;
  /** Devices with an open window, for the footprint. */
  deviceCount(): number;
}

/**
 * An analyzer whose knowledge outlives it: which devices there are, their groups and protocols, which is
 * older than any window. Whoever keeps checkpoints keeps this with them.
 */
export interface RestorablePartitionAnalyzer extends PartitionAnalyzer {
  /**
   * What to keep together with the checkpoint of this very moment: about 100 bytes per known device.
   * Store it before the checkpoint, and both only after the alerts given so far were delivered.
   */
  snapshot(): JsonValue;
  /**
   * Before the first record: goes on where the snapshot was made. Windows that were judged then are not
   * judged again, whatever the replay begins with. False when it cannot be used: this is a cold start.
   */
  restore(stored: JsonValue): boolean;
}
