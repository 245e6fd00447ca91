import { describeError } from "../contract/errors.ts";
import type { Log } from "../contract/log.ts";

/** Lets a promise run on its own; a rejection is a bug here and is logged, never lost. */
export function background(work: Promise<unknown>, what: string, log: Log): void {
  work.catch((error: unknown) => {
    log.warn({ what, error: describeError(error) }, "background work failed");
  });
}
