import { AgentError, describeError } from "../contract/errors.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** Says what a command threw, with the remedy where there is one; returns the exit code. */
export function tellFailure(error: unknown, terminal: Terminal): number {
  terminal.warn(`${terminal.paint("red", "gatewarden:")} ${describeError(error)}`);
  if (error instanceof AgentError) terminal.warn(`  ${error.remedy}`);
  return exitCodeOf(error);
}
