/** Fields of a log line: facts first. Never a key, a token or a command line that was not redacted. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * error: a person must act; warn: something was lost or degraded; info: a state changed; debug: the rest.
 * The message is constant text in lower case; everything variable is a field.
 */
export interface Log {
  error(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
}
