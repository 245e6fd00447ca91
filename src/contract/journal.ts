import type { Problem } from "./result.ts";

/** One entry of the systemd journal. Source: systemd.journal-fields(7). */
export interface JournalEntry {
  /** Opaque position: following from it gives what came after this entry. */
  readonly cursor: string;
  /** When the journal received it, wall clock ms (CLOCK_REALTIME). */
  readonly realtimeMs: number;
  /** The fields asked for that the entry has, as UTF-8 text, each cut at the limit asked for. */
  readonly fields: ReadonlyMap<string, string>;
}

/** Which entries, and what of them. */
export interface JournalQuery {
  /** Entries whose field has one of these values, such as `_COMM` or `SYSLOG_FACILITY`; all lines must fit. */
  readonly matches: ReadonlyMap<string, readonly string[]>;
  /** Fields to read. */
  readonly fields: readonly string[];
  /** Bytes of one value. */
  readonly maxValueBytes: number;
  /** Begin after this entry; absent: begin with what comes now. */
  readonly afterCursor?: string;
  /** Where `afterCursor` is no longer in the journal: begin after this moment, wall clock ms. */
  readonly afterRealtimeMs?: number;
}

/** What follows the journal. Called from the event loop. */
export interface JournalListener {
  /** Entries in order, at most some hundred at a time. */
  onEntries(entries: readonly JournalEntry[]): void;
  /** An entry that could not be read; the following goes on behind it. */
  onProblem(problem: Problem): void;
}
