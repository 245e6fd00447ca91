import type { Clock, Timer } from "../contract/clock.ts";
import type { JournalEntry, JournalListener, JournalQuery } from "../contract/journal.ts";
import { ok, type Problem, type Result } from "../contract/result.ts";
import type { JournalHandle } from "./journal-library.ts";
import type { JournalStart } from "./journal-start.ts";
import type { Readiness } from "./readiness.ts";

/** Entries looked at before others have their turn. */
const MOST_ENTRIES = 200;

/** An opened journal, placed where the reading begins. */
export interface OpenedJournal {
  readonly handle: JournalHandle;
  readonly start: JournalStart;
  readonly descriptor: number;
}

export interface ReaderParts extends OpenedJournal {
  readonly query: JournalQuery;
  readonly readiness: Readiness;
  readonly clock: Clock;
}

export interface ReaderListener extends JournalListener {
  /** The journal as a whole cannot be read on; the reader has stopped. */
  onBroken(problem: Problem): void;
}

/**
 * Reads an opened journal on, now and whenever its files change; the listener is first called after
 * this has returned. Returns what ends it and closes the journal; safe to call twice, also from the
 * listener.
 */
export function readJournal(parts: ReaderParts, listener: ReaderListener): () => void {
  const { handle, clock } = parts;
  let { start } = parts;
  let isStopped = false;
  let timer: Timer | undefined = clock.after(0, turn);
  const stopWatching = parts.readiness.watch(parts.descriptor, () => {
    // Without taking note of the change, the descriptor would stay readable.
    const noted = handle.process();
    if (noted.ok) timer ??= clock.after(0, turn);
    else giveUp(noted.problem);
  });

  function stop(): void {
    if (isStopped) return;
    isStopped = true;
    timer?.cancel();
    stopWatching();
    handle.close();
  }

  function giveUp(problem: Problem): void {
    stop();
    listener.onBroken(problem);
  }

  function turn(): void {
    timer = undefined;
    const portion = readPortion(parts, start);
    start = "read";
    if (portion.entries.length > 0) listener.onEntries(portion.entries);
    for (const problem of portion.problems) if (!isStopped) listener.onProblem(problem);
    if (isStopped) return;
    if (portion.broken !== undefined) giveUp(portion.broken);
    else if (portion.isFull) timer ??= clock.after(0, turn);
  }

  return stop;
}

interface Portion {
  readonly entries: readonly JournalEntry[];
  readonly problems: readonly Problem[];
  /** There may be more at once. */
  readonly isFull: boolean;
  readonly broken?: Problem;
}

function readPortion({ handle, query }: ReaderParts, start: JournalStart): Portion {
  const entries: JournalEntry[] = [];
  const problems: Problem[] = [];
  for (let count = 0; count < MOST_ENTRIES; count += 1) {
    if (count > 0 || start === "read") {
      const stepped = handle.step("next");
      if (!stepped.ok) return { entries, problems, isFull: false, broken: stepped.problem };
      if (!stepped.value) return { entries, problems, isFull: false };
    }
    const entry = readEntry(handle, query);
    if (entry.ok) entries.push(entry.value);
    else problems.push(entry.problem);
  }
  return { entries, problems, isFull: true };
}

function readEntry(handle: JournalHandle, query: JournalQuery): Result<JournalEntry> {
  const realtimeMs = handle.realtimeMs();
  if (!realtimeMs.ok) return realtimeMs;
  const cursor = handle.cursor();
  if (!cursor.ok) return cursor;
  const fields = new Map<string, string>();
  for (const field of query.fields) {
    // One byte more than wanted tells whether there is more.
    const value = handle.value(field, query.maxValueBytes + 1);
    if (!value.ok) return value;
    if (value.value !== undefined) fields.set(field, cutText(value.value, query.maxValueBytes));
  }
  return ok({ cursor: cursor.value, realtimeMs: realtimeMs.value, fields });
}

// A byte order mark is content.
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** UTF-8 as text, at most `maxBytes` of it, without half a character at the cut; bad bytes are U+FFFD. */
function cutText(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.length <= maxBytes) return UTF8.decode(bytes);
  let end = maxBytes;
  // Bytes 10xxxxxx go on with a character; there are at most three in one.
  while (end > 0 && maxBytes - end < 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return UTF8.decode(bytes.subarray(0, end));
}
