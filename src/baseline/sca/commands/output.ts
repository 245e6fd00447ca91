import { type Fact, unreadableFact } from "../../fact.ts";

/**
 * What a command would print, both of its streams together as the engine reads them. `no-program`: it
 * cannot be started; `not-known`: what it prints cannot be worked out here.
 */
export type CommandOutput =
  | {
      readonly state: "output";
      readonly text: string;
      /** Only lines about these words are as the command prints them. Absent: all are. */
      readonly onlyAbout?: readonly string[];
    }
  | { readonly state: "no-program"; readonly name: string }
  | { readonly state: "not-known"; readonly reason: string }
  | { readonly state: "unreadable"; readonly reason: string };

/** A whole output. */
export function printed(text: string): CommandOutput {
  return { state: "output", text };
}

/** Lines of an output, each with its line feed. */
export function printedLines(lines: readonly string[]): CommandOutput {
  return printed(lines.map((line) => `${line}\n`).join(""));
}

/** Lines of an output that are right as far as these words go. */
export function partlyPrinted(
  lines: readonly string[],
  onlyAbout: readonly string[],
): CommandOutput {
  return { state: "output", text: lines.map((line) => `${line}\n`).join(""), onlyAbout };
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

/** A fact that must be there. */
export function orUnreadable<T>(fact: Fact<T>, what: string): Fact<T> {
  return fact.state === "missing" ? unreadableFact(`${what}: not there`) : fact;
}
