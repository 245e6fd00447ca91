import type { Timer } from "../../src/contract/clock.ts";
import type { CollectorContext } from "../../src/contract/collector.ts";
import { isJsonObject, type JsonValue } from "../../src/contract/json.ts";

/** Longer than events may take to get from memory to disk, by default: a power cut takes what is younger. */
const SAFE_AFTER_MS = 40_000;
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** How far a source has been read and reported. */
export interface Positions {
  /** Where to begin; undefined on the first start. */
  readonly start: JsonValue | undefined;
  /** Everything up to there has been reported. */
  store(position: JsonValue): void;
  /** Everything that was reported is on disk, or will be: the agent is about to end. */
  close(): void;
}

/**
 * Keeps two positions: the newest, which holds as long as the machine has not been restarted, since what the
 * agent wrote is then in the kernel's hands; and one that is old enough to be right after a power cut as well.
 * Beginning there repeats events under the Ids that they had, and loses none.
 */
export function createPositions(
  context: Pick<CollectorContext<unknown>, "clock" | "cursor" | "probe">,
): Positions {
  const { clock, cursor, probe } = context;
  const boot = probe.readText(BOOT_ID, 128);
  const bootId = boot.ok ? boot.value.trim() : "";
  const saved = cursor.read();
  const start = startFrom(saved, bootId);
  let newest = start;
  let safe = start;
  let timer: Timer | undefined;

  function write(): void {
    if (newest !== undefined) cursor.write({ bootId, newest, safe: safe ?? newest });
  }

  function store(position: JsonValue): void {
    newest = position;
    safe ??= position;
    write();
    timer ??= clock.after(SAFE_AFTER_MS, () => {
      timer = undefined;
      safe = position;
      // What was stored meanwhile gets a round of its own.
      if (newest === undefined || newest === position) write();
      else store(newest);
    });
  }

  return {
    start,
    store,
    close() {
      timer?.cancel();
      if (newest === undefined) return;
      safe = newest;
      write();
    },
  };
}

function startFrom(saved: JsonValue | undefined, bootId: string): JsonValue | undefined {
  if (!isJsonObject(saved)) return undefined;
  return bootId !== "" && saved["bootId"] === bootId ? saved["newest"] : saved["safe"];
}
