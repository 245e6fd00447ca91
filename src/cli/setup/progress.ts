import type { Terminal } from "../terminal.ts";

/** The lines that tell a person where the setup is. */
export interface Progress {
  /** Begins the next step. */
  step(title: string): void;
  done(text: string): void;
  note(text: string): void;
  /** What went wrong and what to do. */
  failed(text: string, remedy: string): void;
  /** Something plain, such as a command to run. */
  line(text: string): void;
}

export function createProgress(terminal: Terminal, steps: number): Progress {
  let current = 0;
  const mark = (word: string, colour: "green" | "yellow" | "red", text: string): void =>
    terminal.print(`  ${terminal.paint(colour, word.padEnd(6))}  ${text}`);
  return {
    step(title) {
      current += 1;
      terminal.print(terminal.paint("bold", `[${current}/${steps}] ${title}`));
    },
    done: (text) => mark("ok", "green", text),
    note: (text) => mark("note", "yellow", text),
    failed(text, remedy) {
      mark("failed", "red", text);
      if (remedy !== "") terminal.print(`          ${remedy}`);
    },
    line: (text) => terminal.print(text === "" ? "" : `          ${text}`),
  };
}
