import type { Clock } from "../contract/clock.ts";
import type { JsonObject } from "../contract/json.ts";
import type { Log } from "../contract/log.ts";
import type { Random } from "../contract/random.ts";
import type { ReportOutcome } from "../contract/transport.ts";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;

export interface TwinReporterOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What the hub does not know yet, or undefined when it knows everything. */
  readonly pending: () => JsonObject | undefined;
  readonly send: (patch: JsonObject, signal: AbortSignal) => Promise<ReportOutcome>;
  /** The hub confirmed this patch. */
  readonly onConfirmed: (patch: JsonObject) => void;
}

/**
 * Keeps reported properties equal to what is in force: one patch at a time, again after a failure
 * with backoff, never the same refused patch twice.
 */
export interface TwinReporter {
  /** What is in force may have changed. */
  changed(): void;
  /** The hub can be reached, or no longer. */
  setConnected(isConnected: boolean): void;
  stop(): void;
}

export function createTwinReporter(options: TwinReporterOptions): TwinReporter {
  const stopping = new AbortController();
  let isConnected = false;
  let isSending = false;
  let refused: string | undefined;
  let waitMs = FIRST_WAIT_MS;

  async function sendUntilNothingIsPending(): Promise<void> {
    isSending = true;
    try {
      while (isConnected && !stopping.signal.aborted) {
        const patch = options.pending();
        if (patch === undefined || JSON.stringify(patch) === refused) break;
        await sendOnce(patch);
      }
    } finally {
      isSending = false;
    }
  }

  async function sendOnce(patch: JsonObject): Promise<void> {
    const outcome = await options.send(patch, stopping.signal);
    if (outcome.status === "confirmed") {
      waitMs = FIRST_WAIT_MS;
      refused = undefined;
      options.onConfirmed(patch);
    } else if (outcome.status === "refused") {
      refused = JSON.stringify(patch);
      options.log.error(
        { reason: outcome.reason, remedy: "this is a fault of the agent: report it" },
        "hub refused the reported properties",
      );
    } else {
      const pauseMs = outcome.afterMs ?? waitMs * (0.5 + options.random.fraction() / 2);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      options.log.debug({ reason: outcome.reason, pauseMs }, "reported properties wait");
      await options.clock.sleep(pauseMs, stopping.signal);
    }
  }

  function wake(): void {
    if (isConnected && !isSending && !stopping.signal.aborted) {
      sendUntilNothingIsPending().catch((error: unknown) => {
        options.log.error({ reason: String(error) }, "reporting the twin failed");
      });
    }
  }

  return {
    changed: wake,
    setConnected(next) {
      isConnected = next;
      if (next) waitMs = FIRST_WAIT_MS;
      wake();
    },
    stop() {
      stopping.abort();
    },
  };
}
