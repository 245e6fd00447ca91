import { isJsonObject, type JsonObject } from "../contract/json.ts";
import { parseJson } from "../parse/json.ts";
import { createRecordSplitter, type RecordPiece } from "../parse/json-records.ts";
import { plainText } from "../parse/plain-text.ts";
import { createFactIntake, kindOf, type RecordKind } from "../posture/hub/fact-intake.ts";
import { fieldOf, lineOf } from "../posture/hub/field.ts";
import type { HubFacts } from "../posture/hub/hub-facts.ts";
import type { Digest } from "../posture/hub/module-settings.ts";

/** What a source is said to hold; without it each record is taken for what it is. */
export type WantedKind = Exclude<RecordKind, "other">;

/** Records that a report names when they were skipped. */
const MOST_NAMED = 50;
/** A record is a twin of a module with its metadata at most, which is below 1 MB. */
const LONGEST_RECORD = 4_194_304;

const WORDS: Readonly<Record<RecordKind, readonly [one: string, more: string]>> = {
  hub: ["hub", "hubs"],
  identity: ["identity", "identities"],
  twin: ["twin", "twins"],
  log: ["log record", "log records"],
  other: ["record of no use here", "records of no use here"],
};

/** What came of one source. */
export interface SourceCount {
  readonly name: string;
  /** `12 twins, 3 log records`. */
  readonly records: string;
  readonly skipped: number;
}

export interface Skipped {
  readonly count: number;
  readonly records: readonly {
    readonly source: string;
    readonly subject: string;
    readonly reason: string;
  }[];
}

/** Takes one source: text in pieces and its end, or records one by one. */
export interface SourceDesk {
  text(piece: string): void;
  end(): void;
  record(record: JsonObject): void;
}

/** Where records of all sources arrive: counts them, names what was skipped, keeps what rules need. */
export interface RecordDesk {
  open(name: string, wanted?: WantedKind): SourceDesk;
  /** All edge twins of the hub have been read. */
  completeEdge(): void;
  facts(): HubFacts;
  sources(): readonly SourceCount[];
  skipped(): Skipped;
}

interface Source {
  readonly name: string;
  readonly kinds: Map<RecordKind, number>;
  skipped: number;
}

/** A desk without records. Secrets of records pass through `digest` and are kept nowhere. */
export function createRecordDesk(digest: Digest): RecordDesk {
  const sources: Source[] = [];
  const named: { source: string; subject: string; reason: string }[] = [];
  let count = 0;
  let current: Source | undefined;
  const skip = (subject: string, reason: string): void => {
    count += 1;
    if (current !== undefined) current.skipped += 1;
    if (named.length >= MOST_NAMED) return;
    const source = current?.name ?? "";
    named.push({ source, subject: plainText(subject, 200), reason: plainText(reason, 200) });
  };
  const intake = createFactIntake(digest, { onBroken: skip });
  return {
    open(name, wanted) {
      const source: Source = { name: plainText(name), kinds: new Map(), skipped: 0 };
      sources.push(source);
      const splitter = createRecordSplitter({ maxRecordLength: LONGEST_RECORD });
      const take = (record: JsonObject, place: string): void => {
        current = source;
        const kind = intake.take(record, wanted);
        if (kind === undefined) skip(subjectOf(record, place), reasonFor(wanted ?? kindOf(record)));
        else source.kinds.set(kind, (source.kinds.get(kind) ?? 0) + 1);
      };
      const pieces = (found: readonly RecordPiece[]): void => {
        current = source;
        for (const piece of found) takePiece(piece, take, skip);
      };
      return {
        text: (piece) => pieces(splitter.push(piece)),
        end: () => pieces(splitter.end()),
        record: (record) => take(record, "a record"),
      };
    },
    completeEdge: () => intake.completeEdge(),
    facts: () => intake.facts(),
    sources: () =>
      sources.map(({ name, kinds, skipped }) => ({ name, records: kindsText(kinds), skipped })),
    skipped: () => ({ count, records: named }),
  };
}

function takePiece(
  piece: RecordPiece,
  take: (record: JsonObject, place: string) => void,
  skip: (subject: string, reason: string) => void,
): void {
  const place = `line ${piece.line}`;
  if (piece.kind === "broken") {
    skip(place, piece.reason);
    return;
  }
  const parsed = parseJson(piece.text, place, { maxLength: LONGEST_RECORD });
  if (!parsed.ok) skip(place, parsed.problem.detail);
  else if (isJsonObject(parsed.value)) take(parsed.value, place);
}

function subjectOf(record: JsonObject, place: string): string {
  const id = lineOf(fieldOf(record, "deviceId")) || lineOf(fieldOf(record, "id"), 120);
  const moduleId = lineOf(fieldOf(record, "moduleId"));
  if (id === "") return place;
  return moduleId === "" ? `${id} (${place})` : `${id}/${moduleId} (${place})`;
}

function reasonFor(wanted: WantedKind | undefined): string {
  if (wanted === undefined) return "neither a hub, an identity, a twin nor a log record";
  const words = { hub: "a hub with properties", identity: "an identity with an id" };
  if (wanted === "hub" || wanted === "identity") return `not ${words[wanted]}`;
  return wanted === "twin"
    ? "not a twin with an id and properties"
    : "not a log record with a category and, of Connections, a device";
}

function kindsText(kinds: ReadonlyMap<RecordKind, number>): string {
  const texts = [...kinds].map(
    ([kind, number]) => `${number} ${WORDS[kind][number === 1 ? 0 : 1]}`,
  );
  return texts.length === 0 ? "none" : texts.join(", ");
}
