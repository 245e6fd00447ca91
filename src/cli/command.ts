import { parseArgs } from "node:util";
import { AgentError, describeError } from "../contract/errors.ts";
import type { Environment } from "../system/environment.ts";
import type { Terminal } from "./terminal.ts";

/** What a command is given. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly environment: Environment;
}

/** One command of the CLI; its file is loaded only when it is called. */
export interface Command {
  /** Text of `--help`. */
  readonly help: string;
  /** Runs the command with the arguments after its name; returns the exit code. */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}

export interface OptionForm {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly default?: string | boolean;
  /** May be given several times. */
  readonly multiple?: boolean;
}

export interface ParsedArguments {
  readonly text: (name: string) => string | undefined;
  /** All values of an option that may be given several times. */
  readonly texts: (name: string) => readonly string[];
  readonly flag: (name: string) => boolean;
  readonly positionals: readonly string[];
}

/** Parses a command's arguments. Throws AGENT_USAGE naming what is wrong. Source: util.parseArgs. */
export function parseArguments(
  args: readonly string[],
  options: Readonly<Record<string, OptionForm>>,
  usage: { readonly command: string; readonly positionals: number },
): ParsedArguments {
  const remedy = `Run \`gatewarden ${usage.command} --help\`.`;
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    if (parsed.positionals.length > usage.positionals) {
      const extra = parsed.positionals[usage.positionals] ?? "";
      throw new AgentError("AGENT_USAGE", `unexpected argument '${extra}'`, { remedy });
    }
    const values: Readonly<Record<string, unknown>> = parsed.values;
    return {
      text: (name) => {
        const value = values[name];
        return typeof value === "string" ? value : undefined;
      },
      texts: (name) => {
        const value = values[name];
        return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
      },
      flag: (name) => values[name] === true,
      positionals: parsed.positionals,
    };
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError("AGENT_USAGE", describeError(error), { remedy, cause: error });
  }
}

/** A whole number from an option, or the fallback when it is absent. Throws AGENT_USAGE. */
export function wholeNumber(
  text: string | undefined,
  option: string,
  bounds: { readonly min: number; readonly max: number; readonly fallback: number },
): number {
  if (text === undefined) return bounds.fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= bounds.min && value <= bounds.max) return value;
  throw new AgentError("AGENT_USAGE", `--${option} is '${text}'`, {
    remedy: `Give a whole number from ${bounds.min} to ${bounds.max}.`,
  });
}
