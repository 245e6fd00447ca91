import type { WriteStream } from "node:tty";

export type Colour = "green" | "yellow" | "red" | "cyan" | "grey" | "bold";

const CODES: Readonly<Record<Colour, string>> = {
  green: "32",
  yellow: "33",
  red: "31",
  cyan: "36",
  grey: "90",
  bold: "1",
};

/**
 * Where commands write: results to standard output, everything else to standard error. Colours only
 * on a terminal and never when NO_COLOR is set. Source: no-color.org.
 */
export interface Terminal {
  readonly isInteractive: boolean;
  readonly columns: number;
  print(line: string): void;
  warn(line: string): void;
  /** A line of standard error that the next one replaces, on a terminal only; the empty text removes it. */
  status(line: string): void;
  paint(colour: Colour, text: string): string;
}

export function createTerminal(
  out: WriteStream,
  err: WriteStream,
  variables: Readonly<Record<string, string | undefined>>,
): Terminal {
  // A reader that went away, such as `head`, ends the output and is no fault of the command.
  for (const stream of [out, err]) stream.on("error", () => undefined);
  const isInteractive = out.isTTY === true;
  const noColour = variables["NO_COLOR"] ?? "";
  const hasColour = isInteractive && noColour === "" && variables["TERM"] !== "dumb";
  return {
    isInteractive,
    columns: out.columns ?? 100,
    print: (line) => out.write(`${line}\n`),
    warn: (line) => err.write(`${line}\n`),
    status(line) {
      if (err.isTTY === true) err.write(`\r\u001b[K${line.slice(0, (err.columns ?? 100) - 1)}`);
    },
    paint: (colour, text) => (hasColour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text),
  };
}
