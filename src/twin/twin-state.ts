import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { Problem } from "../contract/result.ts";
import { describeFault, type Fault } from "../contract/schema.ts";
import { SETTINGS_SCHEMA, type Settings } from "../contract/settings.ts";
import { EMPTY_TWIN, mergeUpdate, type TwinDocument } from "./twin-document.ts";

/** What outlives a restart. */
export interface TwinState {
  readonly document: TwinDocument;
  readonly settings: Settings;
  /** Keys of the findings that were raised for this document. */
  readonly raised: readonly string[];
}

const FORMAT = 1;
const RAISED_LIMIT = 64;

/** State as JSON; `readTwinState` takes it back. */
export function writeTwinState(state: TwinState): JsonObject {
  const { document, settings, raised } = state;
  return {
    format: FORMAT,
    desired: document.desired,
    ...(document.version === undefined ? {} : { version: document.version }),
    settings,
    raised,
  };
}

/**
 * Reads kept state of any content. What cannot be used costs only itself: `problem` names it and the
 * default stands. A restored document always asks for a full read, since updates went by meanwhile.
 */
export function readTwinState(
  saved: JsonValue,
  defaults: Settings,
): { readonly state: TwinState; readonly problem?: Problem } {
  if (!isJsonObject(saved) || saved["format"] !== FORMAT) {
    const state: TwinState = { document: EMPTY_TWIN, settings: defaults, raised: [] };
    return { state, problem: malformed(`expected an object of format ${FORMAT}`) };
  }
  const faults: Fault[] = [];
  const settings = readSettings(saved["settings"], defaults, faults);
  const document = readDocument(saved["desired"], saved["version"]);
  const raised = readRaised(saved["raised"]);
  const state: TwinState = { document: document ?? EMPTY_TWIN, settings, raised };
  const [fault] = faults;
  if (document === undefined) return { state, problem: malformed("no usable desired properties") };
  if (fault === undefined) return { state };
  return { state, problem: malformed(`settings ${describeFault(fault)}`) };
}

function malformed(detail: string): Problem {
  return { code: "malformed", subject: "kept twin state", detail: detail.slice(0, 300) };
}

function readSettings(saved: JsonValue | undefined, defaults: Settings, faults: Fault[]): Settings {
  if (!isJsonObject(saved)) {
    faults.push({ path: "", kind: "missing", found: "", expected: "the settings in force" });
    return defaults;
  }
  return SETTINGS_SCHEMA.read(saved, faults, "", defaults);
}

function readDocument(
  desired: JsonValue | undefined,
  version: JsonValue | undefined,
): TwinDocument | undefined {
  if (!isJsonObject(desired)) return undefined;
  if (version === undefined) return EMPTY_TWIN;
  if (typeof version !== "number" || !Number.isSafeInteger(version)) return undefined;
  const outcome = mergeUpdate(EMPTY_TWIN, { kind: "full", version, desired });
  if (outcome.status !== "merged") return undefined;
  return { ...outcome.document, needsFullRead: true };
}

function readRaised(saved: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(saved)) return [];
  const items: readonly unknown[] = saved;
  return items
    .filter((item) => typeof item === "string")
    .slice(0, RAISED_LIMIT)
    .map((item) => item.slice(0, 2_048));
}
