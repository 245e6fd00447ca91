import { createDevice } from "../../src/baseline/device.ts";
import { walkFileSystems } from "../../src/baseline/walk.ts";
import type { CollectorContext, Watch } from "../../src/contract/collector.ts";
import { describeError } from "../../src/contract/errors.ts";
import { pacerOf } from "./collect.ts";
import type { OsBaselineSettings } from "./schema.ts";
import { readState, stateJson } from "./state.ts";

type Context = CollectorContext<OsBaselineSettings>;

/** A device that has just started has other things to do. */
const FIRST_DELAY_MS = 600_000;
const HOUR_MS = 3_600_000;

/**
 * Walks over the file systems in the background, now and then, and says when a walk has been made. A
 * snapshot could not wait for it. A walk that was stopped begins anew.
 */
export async function watchFileSystems(context: Context, onChange: () => void): Promise<Watch> {
  if (!context.settings.isWalkEnabled || !context.probe.isLive)
    return { stop: async () => undefined };
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  context.signal.addEventListener("abort", stop, { once: true });
  const running = walkNowAndThen({ ...context, signal: stopping.signal }, onChange);
  return {
    async stop() {
      context.signal.removeEventListener("abort", stop);
      stopping.abort();
      await running;
    },
  };
}

async function walkNowAndThen(context: Context, onChange: () => void): Promise<void> {
  const { clock, signal, log } = context;
  for (;;) {
    await clock.sleep(waitMs(context), signal);
    if (signal.aborted) return;
    try {
      await walkOnce(context);
      if (signal.aborted) return;
      onChange();
    } catch (error) {
      // Nobody else waits for this loop; the next walk may go better.
      log.error({ reason: describeError(error) }, "file system walk failed");
    }
  }
}

function waitMs({ cursor, clock, settings }: Context): number {
  const { walkEndedAtMs } = readState(cursor.read());
  const intervalMs = settings.walkIntervalHours * HOUR_MS;
  const dueMs = walkEndedAtMs === undefined ? 0 : walkEndedAtMs + intervalMs - clock.nowMs();
  return Math.min(intervalMs, Math.max(FIRST_DELAY_MS, dueMs));
}

async function walkOnce(context: Context): Promise<void> {
  const { probe, clock, signal, settings, log } = context;
  const startedMs = clock.monotonicMs();
  const pacer = pacerOf(context, settings.walkFilesPerSecond);
  const report = await walkFileSystems({
    probe,
    device: createDevice(probe, clock.nowMs()),
    nowMs: () => clock.nowMs(),
    pacer,
    signal,
  });
  if (signal.aborted) return;
  const durationMs = Math.round(clock.monotonicMs() - startedMs);
  if (report.ok) {
    const { entries, isCut } = report.value;
    const restedMs = Math.round(pacer.restedMs);
    log.info({ entries, isCut, durationMs, restedMs }, "file systems walked");
  }
  const walk = report.ok ? report.value : `${report.problem.subject}: ${report.problem.detail}`;
  const state = readState(context.cursor.read());
  context.cursor.write(stateJson({ ...state, walk, walkEndedAtMs: clock.nowMs() }));
}
