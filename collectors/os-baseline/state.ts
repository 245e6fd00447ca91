import type { Standing } from "../../src/baseline/scan.ts";
import { WALK_LIST_LIMIT, type WalkList, type WalkReport } from "../../src/baseline/walk-report.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/contract/json.ts";
import {
  boolean,
  check,
  integer,
  list,
  optional,
  record,
  text,
} from "../../src/contract/schema.ts";

/** What is kept from run to run. */
export interface BaselineState {
  /** When every result was last sent, wall clock ms; undefined: never. */
  readonly fullAtMs: number | undefined;
  /** The last standing of each check, by its id. */
  readonly standings: ReadonlyMap<string, string>;
  /** The last walk; a text says why it could not be made. Undefined: none yet. */
  readonly walk: WalkReport | string | undefined;
  /** When that walk ended, wall clock ms. */
  readonly walkEndedAtMs: number | undefined;
}

const EMPTY: BaselineState = {
  fullAtMs: undefined,
  standings: new Map(),
  walk: undefined,
  walkEndedAtMs: undefined,
};

const FORMAT = 1;
/** More checks than there can be. */
const MOST_CHECKS = 1_000;
/** Paths of one list of the walk, bytes of JSON: seven lists and all standings stay below 64 KiB. */
const LIST_BYTES = 4_096;

/** One letter per standing, so that hundreds of them stay small. */
const LETTERS: Readonly<Record<Standing, string>> = {
  passed: "p",
  failed: "f",
  error: "e",
  "not-applicable": "n",
  manual: "m",
  waived: "w",
};

/** The letter of a standing, as the state keeps it. */
export function letterOf(standing: Standing): string {
  return LETTERS[standing];
}

const path = text({ maxLength: 4_096 });
const walkList = record({
  total: integer({ min: 0 }),
  paths: list(path, { maxItems: WALK_LIST_LIMIT }),
});
const walkForm = record({
  entries: integer({ min: 0 }),
  isCut: boolean(),
  finishedAtMs: integer(),
  openFolders: walkList,
  openFiles: walkList,
  unknownUsers: walkList,
  unknownGroups: walkList,
  setuid: walkList,
  setgid: walkList,
  unread: optional(walkList),
  usersUnknown: optional(text({ maxLength: 300 })),
  groupsUnknown: optional(text({ maxLength: 300 })),
});

/** Reads kept state of any content; what is of another form is as if it had never been. */
export function readState(kept: JsonValue | undefined): BaselineState {
  if (!isJsonObject(kept) || kept["format"] !== FORMAT) return EMPTY;
  const { fullAtMs, standings, walk, walkEndedAtMs } = kept;
  return {
    fullAtMs: numberOf(fullAtMs),
    standings: standingsOf(standings),
    walk: typeof walk === "string" ? walk : walkOf(walk),
    walkEndedAtMs: numberOf(walkEndedAtMs),
  };
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function standingsOf(value: JsonValue | undefined): ReadonlyMap<string, string> {
  const standings = new Map<string, string>();
  for (const [id, letter] of Object.entries(isJsonObject(value) ? value : {}).slice(
    0,
    MOST_CHECKS,
  )) {
    if (typeof letter === "string") standings.set(id, letter);
  }
  return standings;
}

function walkOf(value: JsonValue | undefined): WalkReport | undefined {
  if (value === undefined || check(walkForm, value).length > 0) return undefined;
  const { unread, usersUnknown, groupsUnknown, ...walk } = walkForm.read(value, []);
  return {
    ...walk,
    ...(unread === undefined ? {} : { unread }),
    ...(usersUnknown === undefined ? {} : { usersUnknown }),
    ...(groupsUnknown === undefined ? {} : { groupsUnknown }),
  };
}

/** State as JSON, below 64 KiB: of long lists of paths only the beginning. */
export function stateJson(state: BaselineState): JsonObject {
  const { fullAtMs, standings, walk, walkEndedAtMs } = state;
  return {
    format: FORMAT,
    ...(fullAtMs === undefined ? {} : { fullAtMs }),
    standings: Object.fromEntries([...standings].slice(0, MOST_CHECKS)),
    ...(walk === undefined ? {} : { walk: typeof walk === "string" ? walk : walkJson(walk) }),
    ...(walkEndedAtMs === undefined ? {} : { walkEndedAtMs }),
  };
}

function walkJson(walk: WalkReport): JsonObject {
  const { unread, ...rest } = walk;
  return {
    ...rest,
    openFolders: listJson(walk.openFolders),
    openFiles: listJson(walk.openFiles),
    unknownUsers: listJson(walk.unknownUsers),
    unknownGroups: listJson(walk.unknownGroups),
    setuid: listJson(walk.setuid),
    setgid: listJson(walk.setgid),
    ...(unread === undefined ? {} : { unread: listJson(unread) }),
  };
}

function listJson({ total, paths }: WalkList): JsonObject {
  const kept: string[] = [];
  let bytes = 0;
  for (const one of paths) {
    bytes += Buffer.byteLength(JSON.stringify(one)) + 1;
    if (bytes > LIST_BYTES) break;
    kept.push(one);
  }
  return { total, paths: kept };
}
