import type { JournalQuery } from "../contract/journal.ts";
import { ok, type Result } from "../contract/result.ts";
import type { JournalHandle } from "./journal-library.ts";

/** `unread`: the journal stands at the first entry to be read; `read`: before it. */
export type JournalStart = "unread" | "read";

/**
 * Places a journal where a query begins: behind its cursor; where that entry is gone, at the first entry
 * of its moment or later; else behind the last entry. From there `step("next")` gives what comes later,
 * also when nothing matches yet: libsystemd would stay for ever at a tail that has no entry.
 * Source: sd_journal_seek_tail(3), sd_journal_test_cursor(3).
 */
export function placeAtStart(handle: JournalHandle, query: JournalQuery): Result<JournalStart> {
  const { afterCursor, afterRealtimeMs } = query;
  if (afterCursor !== undefined) {
    // A text that is no cursor is one whose entry is gone.
    const placed = handle.seekCursor(afterCursor).ok ? behind(handle, afterCursor) : undefined;
    if (placed !== undefined) return placed;
    if (afterRealtimeMs !== undefined) {
      const sought = handle.seekRealtime(afterRealtimeMs);
      return sought.ok ? atNext(handle) : sought;
    }
    // Nothing better than where the library looked for the cursor, or than the end.
    if (handle.seekCursor(afterCursor).ok) return atNext(handle);
  }
  const sought = handle.seekTail();
  return sought.ok ? atPrevious(handle) : sought;
}

/** Behind the entry of the cursor, to which the journal was sought; undefined when it is not there. */
function behind(handle: JournalHandle, cursor: string): Result<JournalStart> | undefined {
  const stepped = handle.step("next");
  if (!stepped.ok) return stepped;
  if (!stepped.value) return undefined;
  const same = handle.isAt(cursor);
  if (!same.ok) return same;
  return same.value ? ok("read") : undefined;
}

/** What was sought may lie ahead of all entries: then what comes after the last one is new. */
function atNext(handle: JournalHandle): Result<JournalStart> {
  const stepped = handle.step("next");
  if (!stepped.ok) return stepped;
  return stepped.value ? ok("unread") : atPrevious(handle);
}

function atPrevious(handle: JournalHandle): Result<JournalStart> {
  const stepped = handle.step("previous");
  if (!stepped.ok) return stepped;
  if (stepped.value) return ok("read");
  const sought = handle.seekHead();
  return sought.ok ? ok("read") : sought;
}
