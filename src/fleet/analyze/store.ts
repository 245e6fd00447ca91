import type { CheckpointStore } from "@azure/event-hubs";
import type { Result } from "../../contract/result.ts";
import type { Place } from "./place.ts";
import type { SavedPartition } from "./saved-partition.ts";

/**
 * Who reads which partition, and how far each was read. The client's own `CheckpointStore`, plus what the
 * analyzer needs beside a checkpoint, saved with it in one step.
 */
export interface AnalyzeStore extends CheckpointStore {
  load(place: Place): Promise<Result<SavedPartition | undefined>>;
  save(place: Place, saved: SavedPartition): Promise<Result<void>>;
  /** Keeps other processes out of a partition where that can be done; `conflict` while one is in. */
  lock(place: Place): Promise<Result<() => void>>;
}
