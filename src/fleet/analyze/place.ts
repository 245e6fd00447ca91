import type { FleetRecord } from "../../posture/fleet/partition-analyzer.ts";

/** One partition of one event hub, as one consumer group reads it. */
export interface Place {
  readonly source: FleetRecord["source"];
  /** Host name, such as `ns.servicebus.windows.net`. */
  readonly namespace: string;
  readonly eventHub: string;
  readonly consumerGroup: string;
  readonly partitionId: string;
}

/** A name for files, locks and logs that no other partition has: letters, digits and `._~%,-` only. */
export function nameOfPlace(place: Omit<Place, "source" | "partitionId">, rest: string): string {
  const parts = [place.namespace, place.eventHub, place.consumerGroup, rest];
  return parts.map((part) => encodeURIComponent(part.toLowerCase())).join(",");
}
