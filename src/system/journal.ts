import type { Clock, Timer } from "../contract/clock.ts";
import type { JournalListener, JournalQuery } from "../contract/journal.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { checkJournalAccess, JOURNAL_FOLDERS } from "./journal-access.ts";
import type { JournalHandle, JournalLibrary } from "./journal-library.ts";
import { type OpenedJournal, readJournal } from "./journal-reader.ts";
import { placeAtStart } from "./journal-start.ts";
import type { Readiness } from "./readiness.ts";

/** A journal that failed as a whole is opened anew after so long. */
const REOPEN_MS = 10_000;
/** Source: systemd.journal-fields(7): capital letters, digits, underscores; at most 64. */
const FIELD_NAME = /^[A-Z0-9_]{1,64}$/;

/** What following takes; the libraries are asked for only when needed. */
export interface JournalParts {
  readonly library: () => Result<JournalLibrary>;
  readonly readiness: () => Result<Readiness>;
  readonly clock: Clock;
  /** Follow the files of this folder; absent: the journal of this machine. */
  readonly folder?: string;
}

/**
 * See `Probe.followJournal`. The files are read through memory maps on the event loop, 200 entries in a
 * turn; nothing runs while the journal does not change. Of a field with several values the first is
 * read. Files that are damaged beyond reading are left out by libsystemd, without a word. A journal
 * that can no longer be read as a whole is a problem, and is opened anew behind the last entry told.
 * Errors: `not-found`, `not-permitted`, `unsupported` without libsystemd, `malformed` for a query with
 * names that are none or with a field that no value fits.
 * Source: sd-journal(3), sd_journal_get_fd(3).
 */
export function followJournal(
  parts: JournalParts,
  query: JournalQuery,
  listener: JournalListener,
): Result<() => void> {
  const checked = checkQuery(query);
  if (!checked.ok) return checked;
  const access = checkJournalAccess(parts.folder === undefined ? JOURNAL_FOLDERS : [parts.folder]);
  if (!access.ok) return access;
  const library = parts.library();
  if (!library.ok) return library;
  const readiness = parts.readiness();
  if (!readiness.ok) return readiness;
  return follow({ ...parts, library: library.value, readiness: readiness.value }, query, listener);
}

function checkQuery(query: JournalQuery): Result<void> {
  for (const name of [...query.fields, ...query.matches.keys()]) {
    if (!FIELD_NAME.test(name)) return fail("malformed", "journal", `no name of a field: ${name}`);
  }
  for (const [name, values] of query.matches) {
    if (values.length === 0) return fail("malformed", "journal", `no value fits ${name}`);
  }
  return ok(undefined);
}

interface Machinery {
  readonly library: JournalLibrary;
  readonly readiness: Readiness;
  readonly clock: Clock;
  readonly folder?: string;
}

/** Reads one opening of the journal after another; only the first one fails the call. */
function follow(
  machinery: Machinery,
  query: JournalQuery,
  listener: JournalListener,
): Result<() => void> {
  const { clock } = machinery;
  let stopReading: (() => void) | undefined;
  let reopening: Timer | undefined;
  let from = query;

  function open(): Result<void> {
    const opened = openAt(machinery, from);
    if (!opened.ok) return opened;
    stopReading = readJournal(
      { ...machinery, ...opened.value, query },
      {
        onEntries(entries) {
          const last = entries[entries.length - 1];
          if (last !== undefined) {
            from = { ...query, afterCursor: last.cursor, afterRealtimeMs: last.realtimeMs };
          }
          listener.onEntries(entries);
        },
        onProblem: (problem) => listener.onProblem(problem),
        onBroken(problem) {
          reopening = clock.after(REOPEN_MS, reopen);
          listener.onProblem(problem);
        },
      },
    );
    return ok(undefined);
  }

  function reopen(): void {
    const opened = open();
    if (opened.ok) return;
    reopening = clock.after(REOPEN_MS, reopen);
    listener.onProblem(opened.problem);
  }

  const opened = open();
  if (!opened.ok) return opened;
  return ok(() => {
    reopening?.cancel();
    stopReading?.();
  });
}

function openAt(machinery: Machinery, query: JournalQuery): Result<OpenedJournal> {
  const opened = machinery.library.open(machinery.folder);
  if (!opened.ok) return opened;
  const prepared = prepare(opened.value, query);
  if (!prepared.ok) opened.value.close();
  return prepared;
}

function prepare(handle: JournalHandle, query: JournalQuery): Result<OpenedJournal> {
  // First of all, so that files that appear from here on are noticed.
  const descriptor = handle.descriptor();
  if (!descriptor.ok) return descriptor;
  const limited = handle.limitData(query.maxValueBytes + 1);
  if (!limited.ok) return limited;
  for (const [field, values] of query.matches) {
    for (const value of values) {
      const added = handle.addMatch(field, value);
      if (!added.ok) return added;
    }
  }
  const start = placeAtStart(handle, query);
  if (!start.ok) return start;
  return ok({ handle, start: start.value, descriptor: descriptor.value });
}
