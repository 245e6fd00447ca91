/** Takes secrets out of what people and programs type. */
export interface SecretMask {
  /** The arguments of a command as one line, each secret in them replaced. */
  commandLine(args: readonly string[]): string;
  /** A text, such as a line of a log, with whatever looks like a secret replaced. */
  text(text: string): string;
}
