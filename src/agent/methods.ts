import { describeError } from "../contract/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../contract/json.ts";
import type { MethodCall, MethodReply } from "../contract/transport.ts";

/** What the direct methods of the module do. */
export interface MethodActions {
  status(): JsonObject;
  /** Snapshot collectors by collector name or event name; all when absent. */
  collect(names: readonly string[] | undefined): Promise<readonly JsonObject[]>;
  /** Sends everything that waits; returns what was sent and what still waits. */
  flush(): Promise<JsonObject>;
  /** The verdicts as they are now. */
  posture(): JsonObject;
  /** Takes all snapshots, judges, and returns the verdicts. */
  scan(): Promise<JsonObject>;
}

const MOST_NAMES = 64;
const METHOD_NAMES = ["status", "collect", "flush", "posture", "scan"] as const;

/**
 * Answers direct methods: `status`, `collect`, `flush`, `posture`, `scan`. Nothing a caller sends reaches a path or a
 * command; names are only compared. Replies: 200 done, 400 wrong payload, 404 unknown, 500 failed.
 */
export async function answerMethod(call: MethodCall, actions: MethodActions): Promise<MethodReply> {
  try {
    return await answer(call, actions);
  } catch (error) {
    return { status: 500, payload: { error: describeError(error) } };
  }
}

async function answer(call: MethodCall, actions: MethodActions): Promise<MethodReply> {
  switch (call.name) {
    case "status":
      return { status: 200, payload: actions.status() };
    case "flush":
      return { status: 200, payload: await actions.flush() };
    case "posture":
      return { status: 200, payload: actions.posture() };
    case "scan":
      return { status: 200, payload: await actions.scan() };
    case "collect": {
      const names = namesIn(call.payload);
      if (names === "malformed") return wrongPayload();
      const reports = await actions.collect(names);
      const isAllKnown = reports.every((report) => report["outcome"] !== "unknown");
      return { status: isAllKnown ? 200 : 404, payload: { collected: reports } };
    }
    default: {
      const error = `there is no method '${call.name.slice(0, 64)}'`;
      return { status: 404, payload: { error, methods: METHOD_NAMES } };
    }
  }
}

/** Accepts nothing, `["a"]` and `{"collectors":["a"]}`. */
function namesIn(payload: JsonValue): readonly string[] | undefined | "malformed" {
  if (payload === null) return undefined;
  if (isJsonObject(payload)) {
    const given = payload["collectors"];
    if (given === undefined) return Object.keys(payload).length === 0 ? undefined : "malformed";
    return namesIn(given);
  }
  if (!Array.isArray(payload) || payload.length > MOST_NAMES) return "malformed";
  const names: readonly JsonValue[] = payload;
  const texts = names.filter((name) => typeof name === "string");
  if (texts.length !== names.length) return "malformed";
  return texts.length === 0 ? undefined : texts;
}

function wrongPayload(): MethodReply {
  const error = `expected nothing or {"collectors": ["listening-ports", …]}, at most ${MOST_NAMES} names`;
  return { status: 400, payload: { error } };
}
