import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { Terminal } from "../terminal.ts";

/** Questions to a person. Every answer is trimmed. Rejects with `Interrupted` on Ctrl-C and Ctrl-D. */
export interface Prompter {
  /** False where nobody can answer: standard input is no terminal. Then nothing may be asked. */
  readonly isInteractive: boolean;
  /** An empty answer is the fallback; without one the question is asked again. */
  line(question: string, fallback?: string): Promise<string>;
  /** As `line`, and what is typed is not shown. */
  secret(question: string): Promise<string>;
  /** One of numbered choices, by its place; the first is the answer to Enter. */
  choose(question: string, choices: readonly string[]): Promise<number>;
  /** Yes or no. */
  confirm(question: string, fallback: boolean): Promise<boolean>;
}

/** The person ended the questions. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
    this.name = "Interrupted";
  }
}

/** Asks on standard error and reads standard input, so that results can still be piped. */
export function createPrompter(terminal: Terminal): Prompter {
  const read = async (question: string, isHidden: boolean): Promise<string> => {
    for (;;) {
      const answer = (await readLine(question, isHidden)).trim();
      if (answer !== "") return answer;
    }
  };
  const prompter: Prompter = {
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    async line(question, fallback) {
      if (fallback === undefined) return read(`${question}: `, false);
      const answer = (await readLine(`${question} [${fallback}]: `, false)).trim();
      return answer === "" ? fallback : answer;
    },
    secret: (question) => read(`${question}: `, true),
    async choose(question, choices) {
      terminal.warn(question);
      for (const [at, choice] of choices.entries()) terminal.warn(`  ${at + 1}  ${choice}`);
      for (;;) {
        const answer = await prompter.line("Number", "1");
        if (/^\d{1,2}$/.test(answer) && Number(answer) >= 1 && Number(answer) <= choices.length) {
          return Number(answer) - 1;
        }
        terminal.warn(`  a number from 1 to ${choices.length}`);
      }
    },
    async confirm(question, fallback) {
      for (;;) {
        const answer = await prompter.line(`${question} (y/n)`, fallback ? "y" : "n");
        if (/^y(?:es)?$/i.test(answer)) return true;
        if (/^no?$/i.test(answer)) return false;
      }
    },
  };
  return prompter;
}

function readLine(question: string, isHidden: boolean): Promise<string> {
  // The interface echoes through its output: a sink that swallows everything hides what is typed.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(isHidden ? question : "");
  const lines = createInterface({
    input: process.stdin,
    output: isHidden ? silent : process.stderr,
    terminal: true,
    historySize: 0,
  });
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    const end = (): void => {
      isAnswered = true;
      lines.close();
      if (isHidden) process.stderr.write("\n");
    };
    lines.on("SIGINT", () => {
      if (isAnswered) return;
      if (!isHidden) process.stderr.write("\n");
      end();
      reject(new Interrupted());
    });
    lines.on("close", () => {
      if (!isAnswered) reject(new Interrupted());
    });
    lines.question(isHidden ? "" : question, (answer) => {
      end();
      resolve(answer);
    });
  });
}
