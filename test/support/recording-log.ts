import type { Log, LogFields } from "../../src/contract/log.ts";

export interface LogLine {
  readonly level: "error" | "warn" | "info" | "debug";
  readonly fields: LogFields;
  readonly message: string;
}

/** A log that keeps its lines for assertions. */
export class RecordingLog implements Log {
  readonly lines: LogLine[] = [];

  error(fields: LogFields, message: string): void {
    this.lines.push({ level: "error", fields, message });
  }
  warn(fields: LogFields, message: string): void {
    this.lines.push({ level: "warn", fields, message });
  }
  info(fields: LogFields, message: string): void {
    this.lines.push({ level: "info", fields, message });
  }
  debug(fields: LogFields, message: string): void {
    this.lines.push({ level: "debug", fields, message });
  }
}
