import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { Problem } from "../contract/result.ts";
import type { DesiredUpdate } from "../contract/transport.ts";

/** The desired properties as far as they are known. */
export interface TwinDocument {
  readonly desired: JsonObject;
  /** Version of `desired`; undefined before the first full read. */
  readonly version: number | undefined;
  /** True when an update was missed or came out of order, so that only a full read can tell. */
  readonly needsFullRead: boolean;
}

/**
 * merged: the document changed or was confirmed. stale: a patch already known. refused: the update
 * is too large or too deep, or a patch came before any full read; the document is as before.
 */
export interface MergeOutcome {
  readonly status: "merged" | "stale" | "refused";
  readonly document: TwinDocument;
  /** Why it was refused. */
  readonly problem?: Problem;
}

export const EMPTY_TWIN: TwinDocument = { desired: {}, version: undefined, needsFullRead: true };

/** Deepest nesting kept. The hub allows 10 levels. */
const MAX_DEPTH = 32;
/** Largest document kept, in characters of JSON, roughly. The hub allows 32 KB. */
const MAX_SIZE = 262_144;

/**
 * Brings a desired update into the document. A full read replaces everything; one that is older than
 * the document asks to be repeated, since a patch may have overtaken it. A patch merges property by
 * property, drops out when its version is known, and asks for a full read when it skips one.
 * Source: IoT Hub device twins, "desired properties" and "partial updates".
 */
export function mergeUpdate(document: TwinDocument, update: DesiredUpdate): MergeOutcome {
  if (!fits(update.desired)) return refused(document, "too-large", update.version);
  if (update.kind === "full") {
    const isOlder = document.version !== undefined && update.version < document.version;
    const desired = withoutPrototypeKeys(update.desired);
    return merged({ desired, version: update.version, needsFullRead: isOlder });
  }
  if (document.version === undefined) return refused(document, "unsupported", update.version);
  if (update.version <= document.version) return { status: "stale", document };
  const desired = mergePatch(document.desired, update.desired);
  if (!fits(desired)) return refused(document, "too-large", update.version);
  const isGap = update.version > document.version + 1;
  return merged({
    desired,
    version: update.version,
    needsFullRead: document.needsFullRead || isGap,
  });
}

function merged(document: TwinDocument): MergeOutcome {
  return { status: "merged", document };
}

function refused(
  document: TwinDocument,
  code: "too-large" | "unsupported",
  version: number,
): MergeOutcome {
  const detail =
    code === "too-large"
      ? `version ${version} is larger than ${MAX_SIZE} characters or nested deeper than ${MAX_DEPTH}`
      : `patch ${version} came before any full read`;
  return {
    status: "refused",
    document: { ...document, needsFullRead: document.needsFullRead || code === "unsupported" },
    problem: { code, subject: "desired properties", detail },
  };
}

/**
 * Objects merge recursively, null deletes, everything else (lists included) replaces. Both inputs
 * are within the depth bound. Source: RFC 7396, which IoT Hub follows for twins.
 */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const kept = new Map<string, JsonValue>(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (key === "__proto__") continue;
    if (value === null) kept.delete(key);
    else if (isJsonObject(value)) {
      const below = kept.get(key);
      kept.set(key, mergePatch(isJsonObject(below) ? below : {}, value));
    } else kept.set(key, value);
  }
  return Object.fromEntries(kept);
}

/** JSON text with such a key is refused when it is read, so it must not get into what is kept. */
function withoutPrototypeKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object)
      .filter(([key]) => key !== "__proto__")
      .map(([key, value]) => [key, isJsonObject(value) ? withoutPrototypeKeys(value) : value]),
  );
}

/** True within both bounds. Cost: one visit per value until a bound is passed; no recursion. */
function fits(root: JsonObject): boolean {
  const open: { readonly value: JsonValue; readonly depth: number }[] = [{ value: root, depth: 1 }];
  let size = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    size += typeof value === "string" ? value.length + 2 : 8;
    if (typeof value === "object" && value !== null) {
      if (depth > MAX_DEPTH) return false;
      for (const [key, below] of Object.entries(value)) {
        size += key.length + 3;
        if (size > MAX_SIZE) return false;
        open.push({ value: below, depth: depth + 1 });
      }
    }
    if (size > MAX_SIZE) return false;
  }
  return true;
}
