import { describeError } from "../contract/errors.ts";
import type { Log } from "../contract/log.ts";
import { EXIT } from "./exit-code.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Resolves with the name of the first signal that asks the process to end. A second one ends it at
 * once with exit code 130: what was not sent is still on disk.
 */
export function untilStopped(other?: Promise<string>): Promise<string> {
  return new Promise((resolve) => {
    let isAsked = false;
    const ask = (why: string): void => {
      if (isAsked && why.startsWith("SIG")) process.exit(EXIT.interrupted);
      isAsked = true;
      resolve(why);
    };
    for (const signal of SIGNALS) process.on(signal, () => ask(signal));
    other?.then(ask, () => ask("failed"));
  });
}

/** The last resort: an error that nobody caught ends the process with one clear line. */
export function guardProcess(log: Log): { release(): void } {
  const die = (error: unknown): void => {
    log.error(
      { reason: describeError(error), remedy: "this is a fault of the agent: report it" },
      "agent failed",
    );
    process.exit(EXIT.failed);
  };
  process.on("uncaughtException", die);
  process.on("unhandledRejection", die);
  return {
    release() {
      process.removeListener("uncaughtException", die);
      process.removeListener("unhandledRejection", die);
    },
  };
}
