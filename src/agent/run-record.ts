import { isJsonObject, type JsonValue } from "../contract/json.ts";

/** Where the record of a run is kept. */
export interface RunRecordStore {
  /** Survives a power cut; written at the start and end of a run only, for the sake of flash. */
  readonly kept: JsonCell;
  /** In memory (tmpfs), gone with the power; undefined where there is no such folder. */
  readonly volatile: JsonCell | undefined;
}

export interface JsonCell {
  read(): JsonValue | undefined;
  write(value: JsonValue): void;
}

/** How the run before this one ended. */
export type PreviousEnd =
  /** The first run, or a clean stop. */
  | { readonly kind: "none" }
  /** The device went off or restarted without stopping the agent. */
  | { readonly kind: "power" }
  /** systemd ended an agent that was silent for too long; `reason` where it knew what was stuck. */
  | { readonly kind: "watchdog"; readonly silentMs: number; readonly reason: string | undefined }
  /** It ended in any other way: killed, out of memory, a fault. */
  | { readonly kind: "killed" };

export interface RunRecord {
  readonly previous: PreviousEnd;
  /** Alive; `stuck` says what does not go on. */
  note(stuck: string | undefined): void;
  /** The run ends as it should. */
  end(): void;
}

export interface RunRecordOptions {
  readonly store: RunRecordStore;
  readonly nowMs: () => number;
  /** Changes with every boot. Source: random(4), /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  readonly watchdogMs: number | undefined;
}

/**
 * Finds out how the last run ended, and begins the record of this one. systemd does not tell a service
 * why it was started again, so the agent leaves notes: one on disk that is taken away at a clean stop,
 * one in memory with the time of the last sign of life.
 */
export function beginRun(options: RunRecordOptions): RunRecord {
  const { store, bootId } = options;
  const previous = previousEnd(options);
  store.kept.write({ bootId, isRunning: true });
  const note = (stuck: string | undefined): void => {
    store.volatile?.write({ aliveAtMs: options.nowMs(), stuck: stuck ?? null });
  };
  note(undefined);
  return { previous, note, end: () => store.kept.write({ bootId, isRunning: false }) };
}

function previousEnd({ store, nowMs, bootId, watchdogMs }: RunRecordOptions): PreviousEnd {
  const kept = store.kept.read();
  if (!isJsonObject(kept) || kept["isRunning"] !== true) return { kind: "none" };
  if (kept["bootId"] !== bootId) return { kind: "power" };
  const noted = store.volatile?.read();
  if (!isJsonObject(noted) || typeof noted["aliveAtMs"] !== "number") return { kind: "killed" };
  const silentMs = nowMs() - noted["aliveAtMs"];
  const { stuck } = { stuck: noted["stuck"] };
  const reason = typeof stuck === "string" ? stuck : undefined;
  // A sign of life comes twice per interval: only a wedged agent is silent for a whole one.
  const isSilent = watchdogMs !== undefined && silentMs >= watchdogMs;
  if (reason === undefined && !isSilent) return { kind: "killed" };
  return { kind: "watchdog", silentMs, reason };
}
