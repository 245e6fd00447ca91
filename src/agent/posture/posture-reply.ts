import { isJsonObject, type JsonObject, type JsonValue } from "../../contract/json.ts";

/** A reply to a direct method may have 128 KB; the rest is for what stands around. */
const MOST_REPLY_BYTES = 98_304;

/**
 * Verdicts as a direct method may answer them: while they are too large, each loses the second half of its
 * evidence. Without any they are below 64 KB.
 */
export function postureReply(verdicts: JsonObject): JsonObject {
  let reply = verdicts;
  for (let most = 16; most >= 0 && sizeOf(reply) > MOST_REPLY_BYTES; most = halved(most)) {
    const items = reply["recommendations"];
    const list: readonly JsonValue[] = Array.isArray(items) ? items : [];
    reply = { ...reply, recommendations: list.map((item) => withEvidence(item, most)) };
  }
  return reply;
}

function halved(most: number): number {
  return most === 0 ? -1 : Math.floor(most / 2);
}

function sizeOf(reply: JsonObject): number {
  return Buffer.byteLength(JSON.stringify(reply));
}

function withEvidence(item: JsonValue, most: number): JsonValue {
  if (!isJsonObject(item)) return item;
  const given = item["Evidence"];
  const evidence: readonly JsonValue[] = Array.isArray(given) ? given : [];
  if (evidence.length <= most) return item;
  const omitted = typeof item["EvidenceOmitted"] === "number" ? item["EvidenceOmitted"] : 0;
  return {
    ...item,
    Evidence: evidence.slice(0, most),
    EvidenceOmitted: omitted + evidence.length - most,
  };
}
