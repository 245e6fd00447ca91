import { existsSync } from "node:fs";
import type { Clock } from "../contract/clock.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { runProgram } from "./program.ts";

const UNIT = "gatewarden.service";
const SHOW_DEADLINE_MS = 10_000;
/**
 * A start of Type=notify and a stop that flushes both wait for the service: longer than TimeoutStartSec of the
 * unit, after which systemd itself says what went wrong.
 */
const CHANGE_DEADLINE_MS = 120_000;
const MAX_OUTPUT_BYTES = 65_536;
const JOURNAL_LINES = "8";

/** What systemd knows of the service. */
export interface ServiceStatus {
  /** The unit file is there and could be read. */
  readonly isInstalled: boolean;
  /** `active`, `inactive`, `failed`, `activating`, … Source: systemctl(1), list-units. */
  readonly activeState: string;
  /** `success`, `exit-code`, `signal`, … of the last run. */
  readonly result: string;
  /** Exit code of the last run of the main process; 0 while there was none. */
  readonly exitCode: number;
  /** Times that systemd started it anew by itself. */
  readonly restarts: number;
}

/** Steers the one service of this project. Every call has a deadline. */
export interface ServiceControl {
  /** Errors: `unsupported` where systemd does not run; those of running a program. */
  status(): Promise<Result<ServiceStatus>>;
  /** Errors: as `status`; `malformed` with what systemctl said when it failed. */
  enable(): Promise<Result<void>>;
  stop(): Promise<Result<void>>;
  start(): Promise<Result<void>>;
  /** The last lines that the service wrote since it was started last; none when they cannot be had. */
  lastLines(): Promise<readonly string[]>;
}

const PROPERTIES = "LoadState,ActiveState,Result,ExecMainStatus,NRestarts";

/** systemctl with fixed arguments. Source: systemctl(1), journalctl(1), sd_booted(3). */
export function createServiceControl(clock: Clock): ServiceControl {
  async function systemctl(args: readonly string[], deadlineMs: number): Promise<Result<string>> {
    if (!existsSync("/run/systemd/system")) {
      return fail("unsupported", "systemd", "systemd does not run on this machine");
    }
    const ran = await runProgram(
      { names: ["systemctl"], args, deadlineMs, maxOutputBytes: MAX_OUTPUT_BYTES },
      clock,
    );
    if (!ran.ok) return ran;
    const { output, errorOutput, exitCode, cut } = ran.value;
    const subject = `systemctl ${args[0] ?? ""}`;
    if (cut !== undefined) return fail("timed-out", subject, "systemctl did not end in time");
    if (exitCode !== 0) return fail("malformed", subject, firstLineOf(errorOutput));
    return ok(output);
  }
  async function change(args: readonly string[]): Promise<Result<void>> {
    const changed = await systemctl(args, CHANGE_DEADLINE_MS);
    return changed.ok ? ok(undefined) : changed;
  }
  return {
    async status() {
      const shown = await systemctl(["show", UNIT, `--property=${PROPERTIES}`], SHOW_DEADLINE_MS);
      return shown.ok ? ok(parseServiceStatus(shown.value)) : shown;
    },
    enable: () => change(["enable", UNIT]),
    stop: () => change(["stop", UNIT]),
    async start() {
      // A unit that failed too often may not be started again before this.
      await systemctl(["reset-failed", UNIT], SHOW_DEADLINE_MS);
      return change(["start", UNIT]);
    },
    async lastLines() {
      const args = ["-u", UNIT, "-n", JOURNAL_LINES, "-o", "cat", "--no-pager", "-b"];
      const ran = await runProgram(
        {
          names: ["journalctl"],
          args,
          deadlineMs: SHOW_DEADLINE_MS,
          maxOutputBytes: MAX_OUTPUT_BYTES,
        },
        clock,
      );
      if (!ran.ok || ran.value.exitCode !== 0) return [];
      return ran.value.output.split("\n").filter((line) => line.trim() !== "");
    },
  };
}

/** Reads the `Name=value` lines of systemctl show; what is missing is empty or 0. */
export function parseServiceStatus(text: string): ServiceStatus {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  return {
    isInstalled: values.get("LoadState") === "loaded",
    activeState: values.get("ActiveState") ?? "",
    result: values.get("Result") ?? "",
    exitCode: countOf(values.get("ExecMainStatus")),
    restarts: countOf(values.get("NRestarts")),
  };
}

function countOf(text: string | undefined): number {
  return /^\d{1,9}$/.test(text ?? "") ? Number(text) : 0;
}

function firstLineOf(text: string): string {
  const line = text.split("\n").find((candidate) => candidate.trim() !== "") ?? "it failed";
  return line
    .trim()
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, 200);
}
