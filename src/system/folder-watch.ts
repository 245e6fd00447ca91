import { type FSWatcher, watch } from "node:fs";
import type { Clock, Timer } from "../contract/clock.ts";
import { ok, type Result } from "../contract/result.ts";
import { problemOf } from "./system-problem.ts";

/** A tool that changes several files is told of once, when it has been quiet for so long. */
const QUIET_MS = 1_500;
/** Who never stops is told of all the same. */
const LONGEST_MS = 10_000;

/**
 * See `Probe.watchFolder`. The folder is watched and not the files: tools put a new file in the place of
 * the old one. Source: inotify(7), rename(2).
 */
export function watchFolder(
  real: string,
  names: ReadonlySet<string>,
  onChange: () => void,
  clock: Clock,
): Result<() => void> {
  let timer: Timer | undefined;
  let firstAtMs: number | undefined;
  let watcher: FSWatcher;
  try {
    watcher = watch(real, (_event, name) => {
      if (name !== null && !names.has(name)) return;
      const nowMs = clock.monotonicMs();
      firstAtMs ??= nowMs;
      timer?.cancel();
      timer = clock.after(Math.min(QUIET_MS, firstAtMs + LONGEST_MS - nowMs), () => {
        firstAtMs = undefined;
        onChange();
      });
    });
  } catch (error) {
    return problemOf(error, real);
  }
  const stop = (): void => {
    timer?.cancel();
    watcher.close();
  };
  // The folder is gone, or the kernel has no more watches: snapshots still tell.
  watcher.on("error", stop);
  return ok(stop);
}
