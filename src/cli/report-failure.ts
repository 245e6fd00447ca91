import { AgentError, describeError } from "../contract/errors.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** Says what a command failed of, in a line and a remedy; returns the exit code. No stack, no secret. */
export function reportFailure(error: unknown, terminal: Terminal): number {
  terminal.warn(`${terminal.paint("red", "gatewarden:")} ${describeError(error)}`);
  if (error instanceof AgentError) terminal.warn(`  ${error.remedy}`);
  return exitCodeOf(error);
}
