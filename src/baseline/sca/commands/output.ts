import type { Device } from "../../device.ts";

/**
 * What a command would print. `no-program`: it cannot be started; `not-known`: what it prints cannot be
 * worked out here.
 */
export type CommandOutput =
  | {
      readonly state: "output";
      readonly text: string;
      /** What goes to the other stream, which a pipe does not take. The engine reads both. */
      readonly errors?: string;
      /** Only lines about these words are as the command prints them. Absent: all are. */
      readonly onlyAbout?: readonly string[];
    }
  | { readonly state: "no-program"; readonly name: string }
  | { readonly state: "not-known"; readonly reason: string }
  | { readonly state: "unreadable"; readonly reason: string };

/** Names of commands, and what tells what each of them prints. */
export type CommandTable = readonly (readonly [
  string,
  (args: readonly string[], device: Device) => CommandOutput,
])[];

function together(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** A whole output of lines, and those of the other stream. */
export function printedLines(
  lines: readonly string[],
  errors: readonly string[] = [],
): CommandOutput {
  const text = together(lines);
  return errors.length === 0
    ? { state: "output", text }
    : { state: "output", text, errors: together(errors) };
}

/** Nothing but a message to the other stream. */
export function complained(...errors: readonly string[]): CommandOutput {
  return printedLines([], errors);
}

/** Lines of an output that are right as far as these words go. */
export function partlyPrinted(
  lines: readonly string[],
  onlyAbout: readonly string[],
  errors: readonly string[] = [],
): CommandOutput {
  return { state: "output", text: together(lines), errors: together(errors), onlyAbout };
}

/** A name as GNU coreutils shows it in messages: quoted where a shell would need it. */
export function shownName(name: string): string {
  return /^[\w./,+@%:=^-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}

export function notKnown(reason: string): CommandOutput {
  return { state: "not-known", reason };
}

export function unreadable(reason: string): CommandOutput {
  return { state: "unreadable", reason };
}

/** What an offline root cannot tell. */
export function needsRunningDevice(name: string): CommandOutput {
  return notKnown(`${name} speaks of a running device, and this is none`);
}
