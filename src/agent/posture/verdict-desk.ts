import type { Clock } from "../../contract/clock.ts";
import type { RecommendationItem } from "../../contract/extension.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";
import { METER_BYTES } from "../../contract/settings.ts";
import type { RecommendationType } from "../../posture/recommendations/catalogue.ts";
import {
  noteVerdicts,
  readStateBook,
  type StateBook,
} from "../../posture/recommendations/state-book.ts";
import { type Summary, summarise } from "../../posture/recommendations/summary.ts";
import {
  judgeMessages,
  MESSAGE_THRESHOLDS,
  readMessageWindow,
  recordMessages,
} from "../../posture/recommendations/unutilized-messages.ts";
import type { Verdict } from "../../posture/recommendations/verdict.ts";
import { recommendationItem } from "./extension-drafts.ts";

/** What the desk is made of. */
export interface VerdictDeskOptions {
  readonly clock: Clock;
  /** What `toJson` gave before, of any content. */
  readonly stored: JsonValue | undefined;
  /** States that changed, or all of them when a summary is due. */
  readonly onItems: (items: readonly RecommendationItem[]) => void;
}

/** What is remembered of verdicts: states and since when, the messages of a day, the last summary. */
export interface VerdictDesk {
  /** A security message of that size was sent. */
  messageSent(meteredBytes: number): void;
  /** How the messages of the last 24 hours fare, with that share of small ones being too many. */
  judgeMessages(percent: number): Verdict;
  /** Takes verdicts; true when the summary changed. */
  note(verdicts: readonly Verdict[]): boolean;
  /** Tells all verdicts when the last summary is so long ago; the first is due then, too. */
  summariseWhenDue(intervalMs: number): void;
  /** Every verdict so far, in the order of types. */
  items(): readonly RecommendationItem[];
  summary(): Summary;
  /** True when `toJson` would say something new since the last call of it. */
  readonly isChanged: boolean;
  toJson(): JsonObject;
}

/** Takes up what was kept. The first summary is due one interval after the last that was kept, or from now. */
export function createVerdictDesk(options: VerdictDeskOptions): VerdictDesk {
  const { clock } = options;
  const kept = isJsonObject(options.stored) ? options.stored : {};
  let book: StateBook = readStateBook(kept["book"]);
  let window = readMessageWindow(kept["messages"], clock.nowMs());
  const toldAtMs = kept["summaryAtMs"];
  let summaryAtMs = typeof toldAtMs === "number" ? toldAtMs : clock.nowMs();
  const verdicts = new Map<RecommendationType, Verdict>();
  let isChanged = false;

  function itemsFor(reason: "change" | "summary"): readonly RecommendationItem[] {
    return book.entries.flatMap((entry) => {
      const verdict = verdicts.get(entry.type);
      return verdict === undefined ? [] : [recommendationItem(verdict, entry, { reason })];
    });
  }

  return {
    messageSent(meteredBytes) {
      const smallMessages = meteredBytes < METER_BYTES ? 1 : 0;
      window = recordMessages(window, { messages: 1, smallMessages }, clock.nowMs());
      isChanged = true;
    },
    judgeMessages: (percent) =>
      judgeMessages(window, clock.nowMs(), { ...MESSAGE_THRESHOLDS, share: percent / 100 }),
    note(given) {
      if (given.length === 0) return false;
      const before = JSON.stringify(summarise(book));
      const noted = noteVerdicts(book, given, clock.nowMs());
      for (const verdict of given) verdicts.set(verdict.type, verdict);
      book = noted.book;
      if (noted.changes.length > 0) {
        isChanged = true;
        const items = noted.changes.map(({ from, verdict, entry }) =>
          recommendationItem(verdict, entry, { reason: "change", from }),
        );
        options.onItems(items);
      }
      return JSON.stringify(summarise(book)) !== before;
    },
    summariseWhenDue(intervalMs) {
      const sinceMs = clock.nowMs() - summaryAtMs;
      // A clock that was set back must not put the summary off for as long.
      if (sinceMs >= 0 && sinceMs < intervalMs) return;
      const items = itemsFor("summary");
      if (items.length === 0) return;
      summaryAtMs = clock.nowMs();
      isChanged = true;
      options.onItems(items);
    },
    items: () => itemsFor("summary"),
    summary: () => summarise(book),
    get isChanged() {
      return isChanged;
    },
    toJson() {
      isChanged = false;
      const entries = book.entries.map((entry) => ({ ...entry }));
      const buckets = window.buckets.map((bucket) => ({ ...bucket }));
      const messages = { observedSinceMs: window.observedSinceMs, buckets };
      return { book: { entries }, messages, summaryAtMs };
    },
  };
}
