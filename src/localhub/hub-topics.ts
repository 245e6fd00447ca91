import type { HubIdentity } from "./hub-contract.ts";
import { decodePairs } from "./property-bag.ts";

/** `devices/gateway/modules/azureiotsecurity`: the path in tokens and topics. */
export function identityPath(identity: HubIdentity): string {
  const module = identity.moduleId === undefined ? "" : `/modules/${identity.moduleId}`;
  return `devices/${identity.deviceId}${module}`;
}

/** `gateway/azureiotsecurity`: the client id, the common name of X.509, and the name people use. */
export function identityName(identity: HubIdentity): string {
  return identity.moduleId === undefined
    ? identity.deviceId
    : `${identity.deviceId}/${identity.moduleId}`;
}

/** An identity of its parts, without an undefined `moduleId`. */
export function identityOf(deviceId: string, moduleId: string | undefined): HubIdentity {
  return moduleId === undefined ? { deviceId } : { deviceId, moduleId };
}

/** Ids as IoT Hub allows them, without what needs escaping in a topic or a user name. */
const ID = /^[A-Za-z0-9\-:._*!(),=@;$']{1,128}$/;

/** True for an identity that the local hub can keep. Source: IoT Hub, identity registry. */
export function isUsableIdentity(identity: HubIdentity): boolean {
  return (
    ID.test(identity.deviceId) && (identity.moduleId === undefined || ID.test(identity.moduleId))
  );
}

/** Filters that clients subscribe to. Source: IoT Hub documentation, "Use MQTT". */
export const TWIN_RESPONSES = "$iothub/twin/res/#";
export const DESIRED_UPDATES = "$iothub/twin/PATCH/properties/desired/#";
export const METHOD_CALLS = "$iothub/methods/POST/#";

/** Filter of cloud-to-device messages; only devices have them. */
export function deviceboundFilter(deviceId: string): string {
  return `devices/${deviceId}/messages/devicebound/#`;
}

/** Whether an identity may subscribe to a filter: only the documented ones exist. */
export function isKnownFilter(filter: string, identity: HubIdentity): boolean {
  if ([TWIN_RESPONSES, DESIRED_UPDATES, METHOD_CALLS].includes(filter)) return true;
  return identity.moduleId === undefined && filter === deviceboundFilter(identity.deviceId);
}

/** What a client means by publishing to a topic. */
export type PublishTopic =
  | { readonly kind: "events"; readonly bag: string }
  | { readonly kind: "twin-get"; readonly requestId: string }
  | { readonly kind: "report"; readonly requestId: string }
  | { readonly kind: "method-reply"; readonly status: number; readonly requestId: string }
  | { readonly kind: "wrong"; readonly why: string };

const GET = "$iothub/twin/GET/";
const REPORT = "$iothub/twin/PATCH/properties/reported/";

/** Reads a topic that a client published to; `wrong` says why the hub closes the connection on it. */
export function parsePublishTopic(topic: string, identity: HubIdentity): PublishTopic {
  const bag = eventsBag(topic, identity);
  if (bag !== undefined) return { kind: "events", bag };
  const { path, query } = splitTopic(topic);
  const reply = /^\$iothub\/methods\/res\/(-?\d{1,9})\/$/.exec(path);
  const shown = topic.slice(0, 120);
  if (reply === null && path !== GET && path !== REPORT) return wrong(`publish to '${shown}'`);
  const requestId = query.get("$rid") ?? "";
  if (requestId === "") return wrong(`publish to '${shown}' without $rid`);
  if (reply !== null) return { kind: "method-reply", status: Number(reply[1]), requestId };
  return { kind: path === GET ? "twin-get" : "report", requestId };
}

/** The property bag at the end of the identity's own events topic; undefined for other topics. */
export function eventsBag(topic: string, identity: HubIdentity): string | undefined {
  const events = `${identityPath(identity)}/messages/events`;
  if (topic === events) return "";
  return topic.startsWith(`${events}/`) ? topic.slice(events.length + 1) : undefined;
}

/** Path and query of a topic such as `$iothub/twin/GET/?$rid=7`; an unreadable query is empty. */
export function splitTopic(topic: string): {
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
} {
  const at = topic.indexOf("?");
  const pairs = decodePairs(at < 0 ? "" : topic.slice(at + 1));
  const path = at < 0 ? topic : topic.slice(0, at);
  return { path, query: new Map(pairs.ok ? pairs.value : []) };
}

function wrong(why: string): PublishTopic {
  return { kind: "wrong", why };
}
