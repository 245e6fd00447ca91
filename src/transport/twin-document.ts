import { isJsonObject, type JsonObject } from "../contract/json.ts";
import { fail, ok, type Result } from "../contract/result.ts";
import type { DesiredUpdate } from "../contract/transport.ts";
import { parseJsonObject } from "../parse/json.ts";

/**
 * A whole twin is desired plus reported, 32 KB each with their metadata, which repeats every key: a
 * megabyte of text is beyond any real one. Source: IoT Hub documentation, "Understand device twins".
 */
const TWIN_LIMITS = { maxLength: 1_048_576, maxDepth: 32 } as const;

/** Without the keys that are the hub's own. */
function ownProperties(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith("$")));
}

function versionOf(properties: JsonObject): number | undefined {
  const version = properties["$version"];
  return typeof version === "number" && Number.isSafeInteger(version) ? version : undefined;
}

/** Reads the answer to a twin GET: `{desired, reported}`, each with `$version`. */
export function parseTwin(text: string): Result<DesiredUpdate & { readonly kind: "full" }> {
  const parsed = parseJsonObject(text, "module twin", TWIN_LIMITS);
  return parsed.ok ? twinOf(parsed.value) : parsed;
}

/** As `parseTwin`, for a document that is already parsed. */
export function twinOf(twin: JsonObject): Result<DesiredUpdate & { readonly kind: "full" }> {
  const desired = twin["desired"];
  const reported = twin["reported"];
  if (!isJsonObject(desired)) return fail("malformed", "module twin", "it has no desired object");
  const version = versionOf(desired);
  if (version === undefined) return fail("malformed", "module twin", "desired has no $version");
  return ok({
    kind: "full",
    version,
    desired: ownProperties(desired),
    ...(isJsonObject(reported) ? { reported: ownProperties(reported) } : {}),
  });
}

/** Reads a desired patch; `topicVersion` is what its topic says, and wins over the body. */
export function parsePatch(
  text: string,
  topicVersion: number | undefined,
): Result<DesiredUpdate & { readonly kind: "patch" }> {
  const parsed = parseJsonObject(text, "desired patch", TWIN_LIMITS);
  return parsed.ok ? patchOf(parsed.value, topicVersion) : parsed;
}

/** As `parsePatch`, for a document that is already parsed. */
export function patchOf(
  value: JsonObject,
  topicVersion: number | undefined,
): Result<DesiredUpdate & { readonly kind: "patch" }> {
  const version = topicVersion ?? versionOf(value);
  if (version === undefined) return fail("malformed", "desired patch", "it has no $version");
  return ok({ kind: "patch", version, desired: ownProperties(value) });
}
