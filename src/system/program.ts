import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import type { Clock } from "../contract/clock.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { errorName, problemOf } from "./system-problem.ts";

/** Where programs of the system are, on every distribution; PATH is not asked. */
const FOLDERS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"] as const;
/** A program that ignores SIGTERM gets SIGKILL this much later. */
const KILL_AFTER_MS = 500;
const MAX_ERROR_BYTES = 4_096;

export interface ProgramCall {
  /** Names in order of preference; the first that is installed is run. */
  readonly names: readonly string[];
  /** Fixed text: nothing that comes from outside. */
  readonly args: readonly string[];
  readonly deadlineMs: number;
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Path that was run. */
  readonly path: string;
  /** Bytes that are not UTF-8 became U+FFFD. */
  readonly output: string;
  /** Standard error, the first 4 KiB. */
  readonly errorOutput: string;
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  /** The output was longer than allowed, or the deadline came: `output` is its beginning. */
  readonly cut: "too-large" | "timed-out" | "aborted" | undefined;
}

/** Path of the first of these programs that is installed and may be run. */
export function findProgram(names: readonly string[]): Result<string> {
  let refused: string | undefined;
  for (const name of names) {
    for (const folder of FOLDERS) {
      const path = `${folder}/${name}`;
      try {
        accessSync(path, constants.X_OK);
        return ok(path);
      } catch (error) {
        // Most are absent; one that is there and may not be run is worth a word.
        if (errorName(error) === "EACCES") refused ??= path;
      }
    }
  }
  if (refused !== undefined) return fail("not-permitted", refused, "may not be run");
  return fail("not-found", names[0] ?? "program", `not installed: ${names.join(", ")}`);
}

/**
 * Runs a program without a shell, with an empty environment but for a fixed PATH and the C locale, with
 * nothing on standard input, until it ends, the deadline comes or it has said too much. Errors:
 * `not-found`, `not-permitted`, or what spawn(2) says. How it ended is no error: see `exitCode` and `cut`.
 */
export function runProgram(call: ProgramCall, clock: Clock): Promise<Result<ProgramEnd>> {
  const found = findProgram(call.names);
  if (!found.ok) return Promise.resolve(found);
  const path = found.value;
  return new Promise((resolve) => {
    const child = spawn(path, [...call.args], {
      env: { PATH: FOLDERS.join(":"), LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: "/",
    });
    const output = collectOutput(call.maxOutputBytes);
    const errorOutput = collectOutput(MAX_ERROR_BYTES);
    let cut: ProgramEnd["cut"];
    let killTimer = clock.after(call.deadlineMs, () => end("timed-out"));

    function end(why: ProgramEnd["cut"]): void {
      if (cut !== undefined) return;
      cut = why;
      child.kill("SIGTERM");
      killTimer.cancel();
      killTimer = clock.after(KILL_AFTER_MS, () => child.kill("SIGKILL"));
    }
    const onAbort = (): void => end("aborted");
    call.signal?.addEventListener("abort", onAbort, { once: true });
    if (call.signal?.aborted === true) onAbort();

    function settle(result: Result<ProgramEnd>): void {
      killTimer.cancel();
      call.signal?.removeEventListener("abort", onAbort);
      // A grandchild may hold the pipes open: what it says is no longer heard.
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(result);
    }

    child.stdout.on("data", (bytes: Buffer) => {
      if (!output.add(bytes)) end("too-large");
    });
    child.stderr.on("data", (bytes: Buffer) => void errorOutput.add(bytes));
    child.on("error", (error) => settle(problemOf(error, path)));
    child.on("close", done);
    // After being killed its end counts, not that of the pipes.
    child.on("exit", (code, signal) => {
      if (cut !== undefined) done(code, signal);
    });
    function done(code: number | null, _signal: NodeJS.Signals | null): void {
      const exitCode = code ?? undefined;
      const texts = { output: output.text(), errorOutput: errorOutput.text() };
      settle(ok({ path, ...texts, exitCode, cut }));
    }
  });
}

interface Output {
  /** False once there is more than allowed; what is beyond is dropped. */
  add(bytes: Buffer): boolean;
  text(): string;
}

function collectOutput(maxBytes: number): Output {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    add(bytes) {
      const room = maxBytes - length;
      if (room > 0) chunks.push(bytes.length > room ? bytes.subarray(0, room) : bytes);
      length += bytes.length;
      return length <= maxBytes;
    },
    text: () => new TextDecoder().decode(Buffer.concat(chunks)),
  };
}
