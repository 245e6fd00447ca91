import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openSpool } from "../../src/pipeline/spool/spool.ts";
import type { Queue, Spool, SpoolEntry } from "../../src/pipeline/spool/spool-contract.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";

/** A spool on a folder of its own, which can be closed and opened again, or left as a kill leaves it. */
export interface SpoolRig {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly log: RecordingLog;
  open(maxCacheBytes?: number): Spool;
  remove(): void;
  /** Closes all that were opened, for tests that open more than a process may. */
  closeAll(): Promise<void>;
}

export function spoolRig(test?: TestContext): SpoolRig {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-spool-"));
  const clock = new FakeClock();
  const log = new RecordingLog();
  const opened: Spool[] = [];
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  test?.after(remove);
  return {
    folder,
    clock,
    log,
    remove,
    closeAll: async () => {
      for (const spool of opened) await spool.close();
    },
    open: (maxCacheBytes = 1_000_000) => {
      const spool = openSpool({
        folder,
        maxCacheBytes,
        clock,
        log,
        flush: { highDelayMs: 2_000, lowDelayMs: 30_000, maxBytes: 65_536 },
      });
      opened.push(spool);
      return spool;
    },
  };
}

/** An entry whose JSON is its number, padded. */
export function entry(queue: Queue, id: number, padding = 0): SpoolEntry {
  return {
    queue,
    priority: queue === "high" ? "High" : "Low",
    name: queue === "operational" ? "Diagnostic" : queue === "high" ? "Login" : "ProcessCreate",
    json: JSON.stringify({ id, padding: "x".repeat(padding) }),
  };
}

/** Ids of everything that waits in a queue, oldest first. */
export function idsIn(spool: Spool, queue: Queue): readonly number[] {
  return spool.peek(queue, Number.MAX_SAFE_INTEGER).map((event) => {
    const value: { id: number } = JSON.parse(event.json);
    return value.id;
  });
}
