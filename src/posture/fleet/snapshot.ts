import { isJsonObject, type JsonValue } from "../../contract/json.ts";

/** What an analyzer must know beside the records that it replays. */
export interface PartitionSnapshot {
  /** The replay begins here or earlier. */
  readonly replayFromSequence: number;
  /** Windows that were over at this time are judged. */
  readonly watermarkMs: number;
  /** Since when all records are known. */
  readonly watchedFromMs: number | undefined;
  /** Devices as they were known before the first record of the replay. */
  readonly devices: readonly JsonValue[];
}

const VERSION = 1;

export function snapshotJson(snapshot: PartitionSnapshot): JsonValue {
  const { replayFromSequence, watermarkMs, watchedFromMs, devices } = snapshot;
  return {
    version: VERSION,
    replayFromSequence,
    watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : null,
    watchedFromMs: watchedFromMs ?? null,
    devices,
  };
}

/** A snapshot of any origin; undefined when it is none of this version. */
export function readSnapshot(stored: JsonValue): PartitionSnapshot | undefined {
  if (!isJsonObject(stored) || stored["version"] !== VERSION) return undefined;
  const { replayFromSequence, watermarkMs, watchedFromMs, devices } = stored;
  if (!isWhole(replayFromSequence) || !Array.isArray(devices)) return undefined;
  if (!isWhole(watermarkMs)) return undefined;
  return {
    replayFromSequence,
    watermarkMs,
    watchedFromMs: isWhole(watchedFromMs) ? watchedFromMs : undefined,
    devices,
  };
}

function isWhole(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}
