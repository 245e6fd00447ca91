import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { PropertyOutcome, TwinDialect, TwinVerdict } from "./dialect.ts";
import { printable } from "./found-text.ts";

/** Key of the agent's own object among the reported properties. */
export const AGENT_OBJECT_NAME = "gatewarden";

/** What the agent's own object says of the twin. Other keys in that object belong to other writers. */
const AGENT_KEYS = [
  "agentVersion",
  "desiredVersion",
  "status",
  "properties",
  "rejected",
  "unknown",
  "unsupported",
  "posture",
] as const;

const UNKNOWN_LIMIT = 8;
const NAME_LENGTH = 40;
const REASON_LENGTH = 110;
/** All reasons together: a document with everything wrong must not outgrow the report. */
const REASONS_LENGTH = 1_600;

/** The facts a report is made of. */
export interface ReportFacts {
  readonly agentVersion: string;
  /** Version of the desired properties judged; undefined before the first full read. */
  readonly desiredVersion: number | undefined;
  /** How the device was judged, small; undefined: not judged yet. */
  readonly posture?: JsonObject | undefined;
}

/**
 * The reported properties: the dialect's object with every value in force, and the agent's object
 * with a verdict per property and, under `posture`, what the device was judged to be. Without the latter
 * always under 10 KB of JSON; names from outside appear as values only,
 * because keys may not hold dots, blanks or `$`.
 */
export function buildReported(
  dialect: TwinDialect,
  verdict: TwinVerdict,
  facts: ReportFacts,
): JsonObject {
  return {
    [dialect.objectName]: dialect.report(verdict.settings, verdict),
    [AGENT_OBJECT_NAME]: {
      agentVersion: printable(facts.agentVersion, NAME_LENGTH),
      ...(facts.desiredVersion === undefined ? {} : { desiredVersion: facts.desiredVersion }),
      status: {
        applied: countOf(verdict, "applied"),
        defaulted: countOf(verdict, "defaulted"),
        rejected: countOf(verdict, "rejected"),
      },
      properties: Object.fromEntries(
        verdict.properties.map((property) => [property.name, property.outcome]),
      ),
      ...exceptions(verdict),
      ...(facts.posture === undefined ? {} : { posture: facts.posture }),
    },
  };
}

/** What is out of the ordinary; nothing at all for a good document, so that a fleet can ask for it. */
function exceptions(verdict: TwinVerdict): JsonObject {
  const wrong = verdict.properties.filter((property) => property.outcome === "rejected");
  const length = Math.min(REASON_LENGTH, Math.floor(REASONS_LENGTH / Math.max(1, wrong.length)));
  const rejected = wrong.map(({ name, reason }): [string, JsonObject] => [
    name,
    { reason: printable(reason ?? "", length) },
  ]);
  const unknown = verdict.unknown
    .slice(0, UNKNOWN_LIMIT)
    .map((key) => printable(key.name, NAME_LENGTH));
  return {
    ...(rejected.length === 0 ? {} : { rejected: Object.fromEntries(rejected) }),
    ...(unknown.length === 0 ? {} : { unknown }),
    ...(verdict.unsupported.length === 0 ? {} : { unsupported: verdict.unsupported }),
  };
}

function countOf(verdict: TwinVerdict, outcome: PropertyOutcome): number {
  return verdict.properties.filter((property) => property.outcome === outcome).length;
}

/**
 * The least patch that turns what the hub holds into `next`: changed values, and null for keys of
 * ours that are gone. Keys of other writers stay. Undefined when nothing differs.
 */
export function reportedPatch(
  previous: JsonObject | undefined,
  next: JsonObject,
): JsonObject | undefined {
  const patch: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(next)) {
    const before =
      previous !== undefined && Object.hasOwn(previous, key) ? previous[key] : undefined;
    const isOurs =
      key === AGENT_OBJECT_NAME
        ? (name: string) => AGENT_KEYS.some((agentKey) => agentKey === name)
        : () => true;
    const change = difference(before, value, isOurs);
    if (change !== undefined) patch.push([key, change]);
  }
  return patch.length === 0 ? undefined : Object.fromEntries(patch);
}

/** The patch from one value to the other, undefined when they are equal. */
function difference(
  before: JsonValue | undefined,
  after: JsonValue,
  isOurs: (name: string) => boolean,
): JsonValue | undefined {
  if (!isJsonObject(after) || !isJsonObject(before)) {
    return before !== undefined && isSame(before, after) ? undefined : after;
  }
  const changes: [string, JsonValue][] = [];
  for (const key of Object.keys(before)) {
    if (isOurs(key) && !Object.hasOwn(after, key)) changes.push([key, null]);
  }
  for (const [key, value] of Object.entries(after)) {
    const held = Object.hasOwn(before, key) ? before[key] : undefined;
    const change = difference(held, value, () => true);
    if (change !== undefined) changes.push([key, change]);
  }
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/** Equality of a held value with one of ours, which is shallow: a scalar, a list of text, `{}`. */
function isSame(held: JsonValue, ours: JsonValue): boolean {
  if (!Array.isArray(held) || !Array.isArray(ours)) return held === ours;
  return held.length === ours.length && held.every((item, at) => item === ours[at]);
}
