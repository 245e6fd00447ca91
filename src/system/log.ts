import { writeSync } from "node:fs";
import { pino } from "pino";
import type { Clock } from "../contract/clock.ts";
import type { Log } from "../contract/log.ts";
import { systemClock } from "./clock.ts";
import { isTerminal, mayColour } from "./environment.ts";
import { writableFields, writableText } from "./log-mask.ts";
import { type ClosableLog, withoutRepeats } from "./log-repeats.ts";
import { logLineAsText } from "./log-text.ts";
import { errorName } from "./system-problem.ts";

export const LOG_LEVELS = ["error", "warn", "info", "debug", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Takes whole lines, each with its newline. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  /** The least important level that is written; `silent` writes nothing. */
  readonly level: LogLevel;
  /** Default `stderr`, so that the output of a command stays clean. */
  readonly destination?: "stderr" | "stdout" | LogDestination;
  /** `auto`, the default: text on a terminal, JSON elsewhere (a file, a pipe, the journal). */
  readonly format?: "auto" | "json" | "text";
  /** Measures the windows of repeats; the machine's clock by default. */
  readonly clock?: Clock;
}

/** How long a full pipe is waited for in all before a line is given up. */
const LONGEST_WAIT_MS = 1_000;
const WAIT_STEP_MS = 5;

/**
 * The log of the agent: one line per call, JSON with `level`, `time` (ISO 8601, UTC), the fields and
 * `msg`, or readable text on a terminal. Lines are written before the call returns, so an exit loses
 * none. Text fields are cut at 300 characters and masked when they look like a secret; a repeated
 * warning is written once and then counted (see `withoutRepeats`); call `close` at the end.
 */
export function createLog(options: LogOptions): ClosableLog {
  const destination = openDestination(options);
  const writer = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const log: Log = {
    error: (fields, message) => writer.error(writableFields(fields), writableText(message)),
    warn: (fields, message) => writer.warn(writableFields(fields), writableText(message)),
    info: (fields, message) => writer.info(writableFields(fields), writableText(message)),
    debug: (fields, message) => writer.debug(writableFields(fields), writableText(message)),
  };
  return withoutRepeats(log, options.clock ?? systemClock);
}

function openDestination(options: LogOptions): LogDestination {
  const { destination = "stderr", format = "auto" } = options;
  if (typeof destination !== "string") {
    return format === "text" ? asText(destination, false) : destination;
  }
  const descriptor = destination === "stdout" ? 1 : 2;
  const stream = descriptorStream(descriptor);
  const isText = format === "text" || (format === "auto" && isTerminal(descriptor));
  return isText ? asText(stream, mayColour(descriptor)) : stream;
}

function asText(inner: LogDestination, isColoured: boolean): LogDestination {
  return { write: (line) => inner.write(logLineAsText(line, isColoured)) };
}

/** Writes to a descriptor before returning. A log that nobody can take must not stop the agent. */
function descriptorStream(descriptor: 1 | 2): LogDestination {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let isBroken = false;

  function writeAll(bytes: Uint8Array): void {
    let written = 0;
    let waitedMs = 0;
    while (written < bytes.length) {
      try {
        written += writeSync(descriptor, bytes, written);
      } catch (error) {
        // A pipe whose reader is slow: wait for it, but not for ever.
        if (errorName(error) !== "EAGAIN" || waitedMs >= LONGEST_WAIT_MS) throw error;
        Atomics.wait(sleeper, 0, 0, WAIT_STEP_MS);
        waitedMs += WAIT_STEP_MS;
      }
    }
  }

  return {
    write(line) {
      if (isBroken) return;
      try {
        writeAll(Buffer.from(line));
      } catch (error) {
        // Nobody is left to be told. A reader that has gone (EPIPE) does not come back.
        isBroken = errorName(error) === "EPIPE";
      }
    },
  };
}
