import { type ChildProcessByStdio, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import type { Readable } from "node:stream";
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
  /** Folders to look in, instead of those of the system. */
  readonly folders?: readonly string[];
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
export function findProgram(
  names: readonly string[],
  folders: readonly string[] = FOLDERS,
): Result<string> {
  let refused: string | undefined;
  for (const name of names) {
    for (const folder of folders) {
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
 * nothing on standard input, until it ends, the deadline comes or it has said too much; then it and what
 * it started in its process group are ended. Errors: `not-found`, `not-permitted`, `timed-out` when the
 * signal was aborted before, or what spawn(2) says. How it ended is no error: see `exitCode` and `cut`.
 * Never rejects, and resolves at the latest a second after the deadline or the abort.
 */
export function runProgram(call: ProgramCall, clock: Clock): Promise<Result<ProgramEnd>> {
  const found = findProgram(call.names, call.folders);
  if (!found.ok) return Promise.resolve(found);
  const path = found.value;
  if (call.signal?.aborted === true) {
    return Promise.resolve(fail("timed-out", path, "abandoned before it was run"));
  }
  const child = start(path, call.args);
  return child.ok ? follow({ child: child.value, path }, call, clock) : Promise.resolve(child);
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function start(path: string, args: readonly string[]): Result<Child> {
  try {
    const child = spawn(path, [...args], {
      env: { PATH: FOLDERS.join(":"), LC_ALL: "C" },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: "/",
      // A process group of its own, so that what it starts can be ended with it.
      detached: true,
    });
    // Without free descriptors Node makes no pipes, whatever the types say, and reports it as an event.
    const { stdout }: { stdout: Readable | null | undefined } = child;
    if (stdout !== null && stdout !== undefined) return ok(child);
    child.on("error", () => undefined);
    return fail("too-large", path, "no free descriptors to run it");
  } catch (error) {
    // Some failures of fork and exec are thrown: no memory, too many processes.
    return problemOf(error, path);
  }
}

interface Started {
  readonly child: Child;
  readonly path: string;
}

function follow(
  { child, path }: Started,
  call: ProgramCall,
  clock: Clock,
): Promise<Result<ProgramEnd>> {
  return new Promise((resolve) => {
    const output = collectOutput(call.maxOutputBytes);
    const errorOutput = collectOutput(MAX_ERROR_BYTES);
    let cut: ProgramEnd["cut"];
    let exit: { readonly code: number | undefined } | undefined;
    let timer = clock.after(call.deadlineMs, () => end("timed-out"));

    /** Asks it to go, then makes it, then no longer waits for it. */
    function end(why: ProgramEnd["cut"]): void {
      if (cut !== undefined) return;
      cut = why;
      timer.cancel();
      if (exit !== undefined) {
        // It has gone, and something it started holds its output open. Its number may be another's now.
        settleEnd();
        return;
      }
      signalGroup(child.pid, "SIGTERM");
      timer = clock.after(KILL_AFTER_MS, () => {
        signalGroup(child.pid, "SIGKILL");
        timer = clock.after(KILL_AFTER_MS, settleEnd);
      });
    }
    const onAbort = (): void => end("aborted");
    call.signal?.addEventListener("abort", onAbort, { once: true });

    function settle(result: Result<ProgramEnd>): void {
      timer.cancel();
      call.signal?.removeEventListener("abort", onAbort);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(result);
    }
    function settleEnd(): void {
      const texts = { output: output.text(), errorOutput: errorOutput.text() };
      settle(ok({ path, ...texts, exitCode: exit?.code, cut }));
    }

    child.stdout.on("data", (bytes: Buffer) => {
      if (!output.add(bytes)) end("too-large");
    });
    child.stderr.on("data", (bytes: Buffer) => void errorOutput.add(bytes));
    child.on("error", (error) => settle(problemOf(error, path)));
    child.on("exit", (code) => {
      exit = { code: code ?? undefined };
      if (cut === undefined) return;
      // What it started has had the same time to go.
      signalGroup(child.pid, "SIGKILL");
      settleEnd();
    });
    child.on("close", settleEnd);
  });
}

function signalGroup(group: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (group === undefined) return;
  try {
    process.kill(-group, signal);
  } catch {
    // All of the group has gone already: that is what was wanted.
  }
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
