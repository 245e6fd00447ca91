import type { JournalEntry } from "../../src/contract/journal.ts";
import { isJsonObject, type JsonValue } from "../../src/contract/json.ts";
import type { Result } from "../../src/contract/result.ts";
import { readLoginText } from "../../src/parse/login/read-message.ts";
import type { Desk, LoginsContext } from "./desk.ts";
import type { Positions } from "./positions.ts";

/** LOG_AUTH and LOG_AUTHPRIV. Source: syslog(3). */
const FACILITIES = ["4", "10"];
const FIELDS = [
  "MESSAGE",
  "_PID",
  "_COMM",
  "_EXE",
  "SYSLOG_IDENTIFIER",
  "_SOURCE_REALTIME_TIMESTAMP",
];
const MOST_BYTES = 4_096;
/** Where only root puts programs: a file of that name elsewhere may be anybody's. */
const SYSTEM_PATH = /^\/(?:usr|bin|sbin|lib|lib64|opt|nix)\//;

/**
 * Follows the journal from where the last run stopped, or from now on. Who wrote an entry is taken from what
 * journald itself knows: anybody may claim to be sshd. Errors: those of `Probe.followJournal`.
 */
export function followJournal(
  context: LoginsContext,
  desk: Desk,
  positions: Positions,
): Result<() => void> {
  const { probe, clock, agent, log } = context;
  const start = positionFrom(positions.start) ?? { realtimeMs: clock.nowMs() };
  const followed = probe.followJournal(
    {
      matches: new Map([["SYSLOG_FACILITY", FACILITIES]]),
      fields: FIELDS,
      maxValueBytes: MOST_BYTES,
      // A time alone also serves as a cursor that is gone.
      afterCursor: start.cursor ?? "none",
      afterRealtimeMs: start.realtimeMs,
    },
    {
      onEntries(entries) {
        for (const entry of entries) takeEntry(entry, desk);
        const last = entries.at(-1);
        if (last === undefined) return;
        desk.reached({ journal: { cursor: last.cursor, realtimeMs: last.realtimeMs } });
      },
      onProblem(problem) {
        agent.countLoss("Login", "unreadable", 1);
        log.warn({ subject: problem.subject, detail: problem.detail }, "journal entry not read");
      },
    },
  );
  // A first run that is cut short before the first entry begins here next time.
  if (followed.ok && start.cursor === undefined) {
    positions.store({ journal: { realtimeMs: start.realtimeMs } });
  }
  return followed;
}

function takeEntry({ cursor, fields, realtimeMs }: JournalEntry, desk: Desk): void {
  const executable = fields.get("_EXE");
  if (executable !== undefined && !SYSTEM_PATH.test(executable)) return;
  const program = fields.get("_COMM") ?? "";
  const message = readLoginText(program, fields.get("MESSAGE") ?? "");
  if (message === undefined) return;
  const sentMs = Number(fields.get("_SOURCE_REALTIME_TIMESTAMP")) / 1_000;
  desk.entry({
    message,
    processId: Number(fields.get("_PID") ?? 0),
    executable,
    occurredAtMs: sentMs > 0 ? sentMs : realtimeMs,
    key: cursor,
  });
}

interface JournalPosition {
  readonly cursor?: string;
  readonly realtimeMs: number;
}

function positionFrom(saved: JsonValue | undefined): JournalPosition | undefined {
  const journal = isJsonObject(saved) ? saved["journal"] : undefined;
  if (!isJsonObject(journal)) return undefined;
  const { cursor, realtimeMs } = journal;
  if (typeof realtimeMs !== "number" || !Number.isFinite(realtimeMs)) return undefined;
  return typeof cursor === "string" ? { cursor, realtimeMs } : { realtimeMs };
}
