import type { JsonValue } from "../../contract/json.ts";
import type { SecurityGroup } from "../../posture/alerts/security-group.ts";
import type { PartitionAnalyzer } from "../../posture/fleet/partition-analyzer.ts";
import type { Place } from "./place.ts";

/** An analyzer that may have something kept beside its checkpoint. */
export interface FleetAnalyzer extends PartitionAnalyzer {
  /** What a restart from `oldestNeeded()` cannot find out again. */
  snapshot?(): JsonValue;
  /** Takes up what `snapshot` gave, before the first record; false when it is not usable. */
  restore?(snapshot: JsonValue): boolean;
}

/** Makes the analyzer of one partition. */
export type AnalyzerFactory = (place: Place, groups: readonly SecurityGroup[]) => FleetAnalyzer;
