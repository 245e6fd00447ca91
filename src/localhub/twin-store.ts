import type { Clock } from "../contract/clock.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import { utcTimestamp } from "../parse/timestamps.ts";
import type { TwinDocument } from "./hub-contract.ts";
import { propertyFault, sizeFault } from "./twin-rules.ts";

/** What became of an update: the new version, and what a client is told. */
export interface TwinChange {
  readonly version: number;
  /** As a patch: null for what went away. */
  readonly patch: JsonObject;
}

/** The twin of one identity. Every update counts its section's version up, even one without effect. */
export interface Twin {
  /** As a service sees it: with `$version` and `$metadata`. */
  document(): TwinDocument;
  /** As a device reads it: with `$version`, without `$metadata`. */
  deviceView(): JsonObject;
  /** Merges; null deletes. Problem `malformed` or `too-large` by the limits of twins. */
  patchDesired(patch: JsonObject): Result<TwinChange>;
  replaceDesired(desired: JsonObject): Result<TwinChange>;
  patchReported(patch: JsonObject): Result<TwinChange>;
  /** Counts the desired version up without a change. */
  countDesiredUp(): number;
}

interface Section {
  readonly properties: JsonObject;
  readonly metadata: JsonObject;
  readonly version: number;
}

/** A twin whose desired properties are `desired`, at version 1. Problem as `replaceDesired`. */
export function createTwin(desired: JsonObject, clock: Clock): Result<Twin> {
  const now = (): string => utcTimestamp(clock.nowMs());
  const first = { properties: {}, metadata: { $lastUpdated: now() }, version: 1 };
  let reportedSection: Section = first;
  const initial = updated({ ...first, version: 0 }, withoutSystemKeys(desired), now(), true);
  if (!initial.ok) return initial;
  let desiredSection: Section = initial.value;

  function patchDesired(patch: JsonObject): Result<TwinChange> {
    const given = withoutSystemKeys(patch);
    const next = updated(desiredSection, given, now(), true);
    if (!next.ok) return next;
    desiredSection = next.value;
    return ok({ version: desiredSection.version, patch: given });
  }

  return ok({
    document: () => ({
      desired: serviceView(desiredSection),
      reported: serviceView(reportedSection),
    }),
    deviceView: () => ({
      desired: { ...desiredSection.properties, $version: desiredSection.version },
      reported: { ...reportedSection.properties, $version: reportedSection.version },
    }),
    patchDesired,
    replaceDesired(wanted) {
      const given = withoutSystemKeys(wanted);
      const fault = propertyFault(given);
      if (fault !== undefined) return fail("malformed", "twin", fault);
      return patchDesired(difference(desiredSection.properties, given));
    },
    patchReported(patch) {
      const next = updated(reportedSection, patch, now(), false);
      if (!next.ok) return next;
      reportedSection = next.value;
      return ok({ version: reportedSection.version, patch });
    },
    countDesiredUp() {
      desiredSection = { ...desiredSection, version: desiredSection.version + 1 };
      return desiredSection.version;
    },
  });
}

function updated(
  section: Section,
  patch: JsonObject,
  now: string,
  isDesired: boolean,
): Result<Section> {
  const fault = propertyFault(patch);
  if (fault !== undefined) return fail("malformed", "twin", fault);
  const properties = merged(section.properties, patch);
  const overSize = sizeFault(properties);
  if (overSize !== undefined) return fail("too-large", "twin", overSize);
  const version = section.version + 1;
  const stamp: JsonObject = isDesired
    ? { $lastUpdated: now, $lastUpdatedVersion: version }
    : { $lastUpdated: now };
  return ok({ properties, metadata: stamped(section.metadata, patch, stamp), version });
}

/** RFC 7396, as IoT Hub merges: objects into objects, null deletes, everything else replaces. */
function merged(current: JsonObject, patch: JsonObject): JsonObject {
  const result = new Map(Object.entries(current));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else if (isJsonObject(value)) {
      const old = result.get(key);
      result.set(key, merged(isJsonObject(old) ? old : {}, value));
    } else result.set(key, value);
  }
  return Object.fromEntries(result);
}

/** The tree of `$lastUpdated` beside the properties. */
function stamped(metadata: JsonObject, patch: JsonObject, stamp: JsonObject): JsonObject {
  const result = new Map(Object.entries({ ...metadata, ...stamp }));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else {
      const old = result.get(key);
      const below = isJsonObject(value) ? value : {};
      result.set(key, stamped(isJsonObject(old) && isJsonObject(value) ? old : {}, below, stamp));
    }
  }
  return Object.fromEntries(result);
}

/** The patch that turns `current` into `wanted`: what went away is null, the rest is given whole. */
function difference(current: JsonObject, wanted: JsonObject): JsonObject {
  const patch = new Map<string, JsonValue>();
  for (const key of Object.keys(current)) {
    if (!Object.hasOwn(wanted, key) || wanted[key] === null) patch.set(key, null);
  }
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null) continue;
    const old = Object.hasOwn(current, key) ? current[key] : undefined;
    patch.set(key, isJsonObject(old) && isJsonObject(value) ? difference(old, value) : value);
  }
  return Object.fromEntries(patch);
}

function serviceView(section: Section): JsonObject {
  return { ...section.properties, $metadata: section.metadata, $version: section.version };
}

/** Owners paste whole documents: what the hub itself adds is left out. */
function withoutSystemKeys(properties: JsonObject): JsonObject {
  const { $version: _version, $metadata: _metadata, ...own } = properties;
  return own;
}
