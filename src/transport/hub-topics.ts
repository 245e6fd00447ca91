import type { OutgoingMessage } from "../contract/message.ts";
import { fail, ok, type Result } from "../contract/result.ts";

/** Names of IoT Hub's MQTT surface. Source: IoT Hub documentation, "Use MQTT to communicate with IoT Hub". */
export const TWIN_RESPONSES = "$iothub/twin/res/#";
export const DESIRED_PATCHES = "$iothub/twin/PATCH/properties/desired/#";
export const METHOD_CALLS = "$iothub/methods/POST/#";

const TWIN_RESPONSE_PREFIX = "$iothub/twin/res/";
const DESIRED_PREFIX = "$iothub/twin/PATCH/properties/desired/";
const METHOD_PREFIX = "$iothub/methods/POST/";

/** The interface id that hubs forward to the retired cloud service. */
const SECURITY_INTERFACE_ID = "urn:azureiot:Security:SecurityAgent:1";

/** MQTT topics are at most 65,535 bytes. Source: MQTT 3.1.1 section 1.5.3. */
const LONGEST_TOPIC = 65_535;

export interface DeviceName {
  readonly deviceId: string;
  readonly moduleId?: string | undefined;
}

/** What a topic of the hub means for us. */
export type Incoming =
  | {
      readonly kind: "twin-response";
      readonly status: number;
      readonly requestId: string;
      readonly version: number | undefined;
    }
  | { readonly kind: "desired"; readonly version: number | undefined }
  | { readonly kind: "method"; readonly name: string; readonly requestId: string }
  | { readonly kind: "other" };

/** Name/value pairs as `name=value&…`, each side URL-encoded, in the order of the entries. */
export function encodeBag(entries: readonly (readonly [string, string])[]): string {
  return entries
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join("&");
}

/** Inverse of `encodeBag`; a name without `=` has an empty value. Problem `malformed` on bad escapes. */
export function decodeBag(bag: string): Result<readonly (readonly [string, string])[]> {
  if (bag === "") return ok([]);
  const entries: (readonly [string, string])[] = [];
  for (const part of bag.split("&")) {
    const at = part.indexOf("=");
    const name = decodePart(at < 0 ? part : part.slice(0, at));
    const value = decodePart(at < 0 ? "" : part.slice(at + 1));
    if (name === undefined || value === undefined) {
      return fail("malformed", "property bag", "a percent escape is broken");
    }
    entries.push([name, value]);
  }
  return ok(entries);
}

function decodePart(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // URIError is the only way the language reports a bad escape.
    return undefined;
  }
}

/**
 * Topic of a device-to-cloud message with all its properties. Problem `malformed` for property text
 * outside printable ASCII (hubs refuse it) and `too-large` for a topic beyond what MQTT can carry.
 */
export function telemetryTopic(
  device: DeviceName,
  message: Pick<OutgoingMessage, "messageId" | "contentType" | "contentEncoding" | "properties">,
  options: { readonly markAsSecurity: boolean },
): Result<string> {
  const entries: (readonly [string, string])[] = [
    ...Object.entries(message.properties).sort(([a], [b]) => (a < b ? -1 : 1)),
    ["$.mid", message.messageId],
    ["$.ct", message.contentType],
    ["$.ce", message.contentEncoding],
    ...(options.markAsSecurity ? ([["$.ifid", SECURITY_INTERFACE_ID]] as const) : []),
  ];
  const bad = entries.find(([name, value]) => !/^[\x20-\x7e]+$/.test(`${name}${value}`));
  if (bad !== undefined) return fail("malformed", `property ${bad[0]}`, "not printable ASCII");
  const module = device.moduleId === undefined ? "" : `/modules/${device.moduleId}`;
  const topic = `devices/${device.deviceId}${module}/messages/events/${encodeBag(entries)}`;
  if (topic.length > LONGEST_TOPIC) return fail("too-large", "properties", "longer than a topic");
  return ok(topic);
}

export function twinGetTopic(requestId: string): string {
  return `$iothub/twin/GET/?$rid=${requestId}`;
}

export function reportTopic(requestId: string): string {
  return `$iothub/twin/PATCH/properties/reported/?$rid=${requestId}`;
}

export function methodReplyTopic(status: number, requestId: string): string {
  return `$iothub/methods/res/${status}/?$rid=${encodeURIComponent(requestId)}`;
}

/** Reads a topic that the hub sent. Anything unknown or malformed is `other`. */
export function parseTopic(topic: string): Incoming {
  const at = topic.indexOf("?");
  const path = at < 0 ? topic : topic.slice(0, at);
  const bag = decodeBag(at < 0 ? "" : topic.slice(at + 1));
  if (!bag.ok) return { kind: "other" };
  const query = new Map(bag.value);
  const version = wholeNumber(query.get("$version"));
  if (path.startsWith(DESIRED_PREFIX)) return { kind: "desired", version };
  const requestId = query.get("$rid");
  if (requestId === undefined || requestId === "") return { kind: "other" };
  if (path.startsWith(TWIN_RESPONSE_PREFIX)) {
    const status = wholeNumber(path.slice(TWIN_RESPONSE_PREFIX.length).replace(/\/$/, ""));
    if (status === undefined) return { kind: "other" };
    return { kind: "twin-response", status, requestId, version };
  }
  if (path.startsWith(METHOD_PREFIX)) {
    const name = decodePart(path.slice(METHOD_PREFIX.length).replace(/\/$/, ""));
    if (name === undefined || name === "" || name.length > 256) return { kind: "other" };
    return { kind: "method", name, requestId };
  }
  return { kind: "other" };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
