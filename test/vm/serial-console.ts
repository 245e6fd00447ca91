/** A person at the serial console of a machine. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { pause, type VirtualMachine } from "./virtual-machine.ts";

const ANSWER_LIMIT_MS = 60_000;
const PROMPT_LIMIT_MS = 20_000;

export interface SerialConsole {
  /** Types a line. */
  enter(line: string): void;
  /** Waits until what was shown since the last answer matches, and returns what was shown up to there. */
  answer(pattern: RegExp, limitMs?: number): Promise<string>;
}

/** The console from the line it shows now. One person at a time: its words have no addressee. */
export function sitAtConsole(machine: VirtualMachine): SerialConsole {
  // A prompt that waits already is part of what is to be read.
  let seenBytes = readFrom(machine.consoleLog, 0).lastIndexOf("\n") + 1;
  return {
    enter: (line) => machine.type(`${line}\r`),
    async answer(pattern, limitMs = ANSWER_LIMIT_MS) {
      const endMs = Date.now() + limitMs;
      for (;;) {
        // Latin-1: one character is one byte, so that positions can be compared.
        const shown = readFrom(machine.consoleLog, seenBytes).toString("latin1");
        const match = pattern.exec(shown);
        if (match !== null) {
          const length = match.index + match[0].length;
          seenBytes += length;
          return shown.slice(0, length);
        }
        if (Date.now() > endMs) throw new Error(`no ${pattern} at the console: ${shown}`);
        await pause(100);
      }
    },
  };
}

/** Logs in and waits for a prompt; the login stays until `exit` is entered. */
export async function logIn(person: SerialConsole, user: string, password: string): Promise<void> {
  await offerName(person, user);
  await person.answer(/assword: ?/);
  person.enter(password);
  await person.answer(/[$#] $/);
}

/** Tries a password that is wrong, and waits for the refusal. */
export async function failToLogIn(
  person: SerialConsole,
  user: string,
  password: string,
): Promise<void> {
  await offerName(person, user);
  await person.answer(/assword: ?/);
  person.enter(password);
  await person.answer(/[Ll]ogin incorrect/);
}

/** Never types before the prompt is there: what crosses with it is thrown away or taken for a name. */
async function offerName(person: SerialConsole, user: string): Promise<void> {
  try {
    await person.answer(/login: $/, PROMPT_LIMIT_MS);
  } catch {
    // A message of the kernel stands behind the prompt: Enter brings it again.
    person.enter("");
    await person.answer(/login: $/);
  }
  person.enter(user);
}

function readFrom(file: string, offsetBytes: number): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const sizeBytes = fstatSync(descriptor).size;
    const bytes = Buffer.alloc(Math.max(0, sizeBytes - offsetBytes));
    const readBytes = readSync(descriptor, bytes, 0, bytes.length, offsetBytes);
    return bytes.subarray(0, readBytes);
  } finally {
    closeSync(descriptor);
  }
}
