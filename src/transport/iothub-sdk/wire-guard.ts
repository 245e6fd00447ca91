import { isJsonObject } from "../../contract/json.ts";
import { parseJson } from "../../parse/json.ts";
import { parseTopic } from "../hub-topics.ts";
import { parsePatch, parseTwin } from "../twin-document.ts";

/** What the SDK gets to see of an incoming message. */
export type Guarded =
  | { readonly kind: "pass"; readonly payload: Uint8Array }
  /** A method call: `name` must have a handler before the SDK sees it. */
  | { readonly kind: "method"; readonly name: string; readonly payload: Uint8Array }
  | { readonly kind: "drop"; readonly anomaly: string; readonly mustReadTwin: boolean };

/** Source: IoT Hub documentation, direct methods: payloads up to 128 KB. */
const MOST_METHOD_BYTES = 131_072;

/**
 * Checks what the hub sent before the SDK parses it. The SDK (1.18) takes any twin answer whose body
 * carries no `errorCode` for success, whatever its status; reads `desired` of an absent body; and parses
 * patches and answers without a guard, so that broken JSON would end the process. `isTwinRead` tells
 * whether a request id belongs to a twin read.
 */
export function guardMessage(
  topicText: string,
  payload: Uint8Array,
  isTwinRead: (requestId: string) => boolean,
): Guarded {
  const topic = parseTopic(topicText);
  const text = new TextDecoder().decode(payload);
  if (topic.kind === "desired") {
    const patch = parsePatch(text, topic.version);
    if (patch.ok) return { kind: "pass", payload };
    const anomaly = `${patch.problem.subject}: ${patch.problem.detail}`;
    return { kind: "drop", anomaly, mustReadTwin: true };
  }
  if (topic.kind === "twin-response") {
    if (topic.status >= 300) return { kind: "pass", payload: errorBody(`status ${topic.status}`) };
    if (!isTwinRead(topic.requestId)) return { kind: "pass", payload: new Uint8Array() };
    const twin = parseTwin(text);
    if (twin.ok) return { kind: "pass", payload };
    return { kind: "pass", payload: errorBody(`${twin.problem.subject}: ${twin.problem.detail}`) };
  }
  if (topic.kind === "method") {
    const isSound = payload.length <= MOST_METHOD_BYTES && isJsonOrEmpty(text);
    // The SDK answers 400 to a payload that is not JSON; one that is too deep or long becomes that.
    const passed = isSound ? payload : new TextEncoder().encode("-");
    return { kind: "method", name: topic.name, payload: passed };
  }
  return { kind: "drop", anomaly: "a message on an unknown topic", mustReadTwin: false };
}

/** The only body that the SDK takes for a failure. */
function errorBody(message: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ errorCode: 1, message }));
}

function isJsonOrEmpty(text: string): boolean {
  return text === "" || parseJson(text, "method payload", { maxLength: MOST_METHOD_BYTES }).ok;
}

/** Status that `guardMessage` put into an error that came back through the SDK; undefined for others. */
export function statusIn(error: unknown): number | undefined {
  const text = isJsonObject(error) || error instanceof Error ? String(error.message) : "";
  const match = /\bstatus (\d{3})\b/.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
