import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { isRecommendationType, type RecommendationType } from "./catalogue.ts";
import type { HealthState, Verdict } from "./verdict.ts";

/** What is remembered of a recommendation. Times are ms since the Unix epoch. */
export interface StateEntry {
  readonly type: RecommendationType;
  readonly state: HealthState;
  /** Things wrong at the last look, 0 unless unhealthy. */
  readonly count: number;
  /** When the state became what it is. */
  readonly sinceMs: number;
  /**
   * First and last look that was unhealthy, of the present spell or else the latest one. A spell ends with
   * a healthy look; an unknown one in between does not end it.
   */
  readonly firstSeenMs?: number;
  readonly lastSeenMs?: number;
  /** The spell that `firstSeenMs` belongs to has ended. */
  readonly hasCleared: boolean;
}

/** States by recommendation: plain JSON, one entry per type of the catalogue at most, in the order of types. */
export interface StateBook {
  readonly entries: readonly StateEntry[];
}

/** A state that is not what it was. */
export interface StateChange {
  /** Undefined: this is the first verdict. */
  readonly from: HealthState | undefined;
  readonly verdict: Verdict;
  readonly entry: StateEntry;
}

/** Nothing was judged yet. */
export const EMPTY_BOOK: StateBook = { entries: [] };

/**
 * Notes verdicts made at `nowMs` (Unix epoch), and says which states changed. Types without a verdict keep
 * their entry; of two verdicts of a type the later one counts.
 */
export function noteVerdicts(
  book: StateBook,
  verdicts: readonly Verdict[],
  nowMs: number,
): { readonly book: StateBook; readonly changes: readonly StateChange[] } {
  const entries = new Map(book.entries.map((entry) => [entry.type, entry]));
  const changes: StateChange[] = [];
  for (const verdict of new Map(verdicts.map((one) => [one.type, one])).values()) {
    const before = entries.get(verdict.type);
    const entry = entryAfter(before, verdict, nowMs);
    entries.set(verdict.type, entry);
    if (before?.state !== verdict.state) changes.push({ from: before?.state, verdict, entry });
  }
  return { book: { entries: inOrder(entries.values()) }, changes };
}

function entryAfter(before: StateEntry | undefined, verdict: Verdict, nowMs: number): StateEntry {
  const { type, state, count } = verdict;
  const sinceMs = before?.state === state ? before.sinceMs : nowMs;
  const base = { type, state, count, sinceMs };
  if (state === "unhealthy") {
    const isSameSpell = before !== undefined && !before.hasCleared;
    const firstSeenMs = isSameSpell ? (before.firstSeenMs ?? nowMs) : nowMs;
    // A clock that was set back must not make the last look earlier than the first.
    const lastSeenMs = Math.max(nowMs, firstSeenMs);
    return { ...base, firstSeenMs, lastSeenMs, hasCleared: false };
  }
  const hasCleared = state === "healthy" || (before?.hasCleared ?? false);
  return { ...base, ...seenOf(before), hasCleared };
}

function seenOf(
  entry: Pick<StateEntry, "firstSeenMs" | "lastSeenMs"> | undefined,
): Pick<StateEntry, "firstSeenMs" | "lastSeenMs"> {
  const { firstSeenMs, lastSeenMs } = entry ?? {};
  if (firstSeenMs === undefined || lastSeenMs === undefined) return {};
  return { firstSeenMs, lastSeenMs };
}

function inOrder(entries: Iterable<StateEntry>): readonly StateEntry[] {
  return [...entries].sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

/** A book as it was stored. Entries that are damaged or of no known type are left out. */
export function readStateBook(stored: JsonValue | undefined): StateBook {
  const listed = isJsonObject(stored) ? stored["entries"] : undefined;
  const entries = new Map<RecommendationType, StateEntry>();
  for (const value of Array.isArray(listed) ? listed : []) {
    const entry = isJsonObject(value) ? entryOf(value) : undefined;
    if (entry !== undefined) entries.set(entry.type, entry);
  }
  return { entries: inOrder(entries.values()) };
}

function entryOf(value: JsonObject): StateEntry | undefined {
  const { type, state, count, sinceMs, firstSeenMs, lastSeenMs, hasCleared } = value;
  if (typeof type !== "string" || !isRecommendationType(type) || !isState(state)) return undefined;
  if (!isTime(sinceMs)) return undefined;
  const isSeen = isTime(firstSeenMs) && isTime(lastSeenMs) && lastSeenMs >= firstSeenMs;
  return {
    type,
    state,
    count: isTime(count) ? count : 0,
    sinceMs,
    ...(isSeen ? { firstSeenMs, lastSeenMs } : {}),
    hasCleared: hasCleared === true,
  };
}

function isState(value: JsonValue | undefined): value is HealthState {
  return value === "healthy" || value === "unhealthy" || value === "unknown";
}

function isTime(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
