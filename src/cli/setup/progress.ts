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

const INDENT = " ".repeat(10);
const NARROWEST = 40;

export function createProgress(terminal: Terminal, steps: number): Progress {
  let current = 0;
  const width = Math.max(NARROWEST, Math.min(terminal.columns, 100) - INDENT.length);
  const put = (first: string, text: string): void => {
    const [start = "", ...rest] = wrapped(text, width);
    terminal.print(`${first}${start}`);
    for (const line of rest) terminal.print(`${INDENT}${line}`);
  };
  const mark = (word: string, colour: "green" | "yellow" | "red", text: string): void =>
    put(`  ${terminal.paint(colour, word.padEnd(6))}  `, text);
  return {
    step(title) {
      current += 1;
      terminal.print(terminal.paint("bold", `[${current}/${steps}] ${title}`));
    },
    done: (text) => mark("ok", "green", text),
    note: (text) => mark("note", "yellow", text),
    failed(text, remedy) {
      mark("failed", "red", text);
      if (remedy !== "") put(INDENT, remedy);
    },
    line: (text) => (text === "" ? terminal.print("") : put(INDENT, text)),
  };
}

/** Breaks at blanks only: a path or a command is never cut. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
