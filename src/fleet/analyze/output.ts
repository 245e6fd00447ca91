import type { Alert } from "../../posture/alerts/finding.ts";
import type { Place } from "./place.ts";
import type { DeliveredId } from "./saved-partition.ts";

/** An alert and the event that it was made at: of silence, the last event before. */
export interface NumberedAlert {
  readonly alert: Alert;
  readonly sequenceNumber: number;
}

/** What became of a delivery. Only `delivered` and `refused` let the partition go on. */
export type Delivery =
  | { readonly status: "delivered" }
  | {
      readonly status: "retry";
      readonly reason: string;
      readonly afterMs?: number;
      /** Waiting does not repair it: a person must act. */
      readonly needsPerson?: true;
    }
  /** It will never be taken, as it is. */
  | { readonly status: "refused"; readonly reason: string };

/** Where alerts go. */
export interface AlertOutput {
  /** Never changes from run to run: the record of what it has is kept by this name. */
  readonly name: string;
  /** Alerts that one delivery may hold. */
  readonly maxAlerts: number;
  /** It tells what it has itself, exactly: nothing needs to be written down after each delivery. */
  readonly hasMemory: boolean;
  /** What it has of this partition, as far as it can tell, oldest first. Called when a partition is opened. */
  recall(place: Place): Promise<readonly DeliveredId[]>;
  /** Never rejects. The alerts are of one partition and were never delivered, as far as anyone knows. */
  deliver(alerts: readonly NumberedAlert[], place: Place, signal: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}
