import type { HubIdentity } from "./hub-contract.ts";

/** `devices/gateway/modules/azureiotsecurity` */
export function identityPath(identity: HubIdentity): string {
  const module = identity.moduleId === undefined ? "" : `/modules/${identity.moduleId}`;
  return `devices/${identity.deviceId}${module}`;
}

/** `gateway/azureiotsecurity`, the client id and the name people use. */
export function identityName(identity: HubIdentity): string {
  return identity.moduleId === undefined
    ? identity.deviceId
    : `${identity.deviceId}/${identity.moduleId}`;
}

/** Names of devices and modules. Source: IoT Hub, identity registry: allowed characters. */
const NAME = /^[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;

export interface UserName {
  readonly hubName: string;
  readonly identity: HubIdentity;
  readonly apiVersion: string;
}

/** Reads `{hub}/{device}[/{module}]/?api-version=…`; undefined when it has another form. */
export function parseUserName(userName: string): UserName | undefined {
  const at = userName.indexOf("?");
  if (at < 0) return undefined;
  const parts = userName
    .slice(0, at)
    .split("/")
    .filter((part) => part !== "");
  const [hubName = "", deviceId = "", moduleId, ...rest] = parts;
  const apiVersion = new URLSearchParams(userName.slice(at + 1)).get("api-version") ?? "";
  if (rest.length > 0 || !NAME.test(deviceId) || hubName === "") return undefined;
  if (moduleId === undefined) return { hubName, identity: { deviceId }, apiVersion };
  return NAME.test(moduleId)
    ? { hubName, identity: { deviceId, moduleId }, apiVersion }
    : undefined;
}

export interface PropertyBag {
  readonly system: Readonly<Record<string, string>>;
  readonly application: Readonly<Record<string, string>>;
}

/**
 * Decodes the properties at the end of a telemetry topic: `k=v&%24.ct=application%2Fjson/`. System
 * properties lose their `$.`. Undefined when it cannot be decoded. Source: IoT Hub, MQTT support.
 */
export function decodeBag(text: string): PropertyBag | undefined {
  const system = new Map<string, string>();
  const application = new Map<string, string>();
  const bag = text.endsWith("/") ? text.slice(0, -1) : text;
  if (bag === "") return { system: {}, application: {} };
  for (const pair of bag.replace(/^\?/, "").split("&")) {
    const at = pair.indexOf("=");
    const name = component(at < 0 ? pair : pair.slice(0, at));
    const value = component(at < 0 ? "" : pair.slice(at + 1));
    if (name === undefined || value === undefined || name === "") return undefined;
    if (name.startsWith("$.")) system.set(name.slice(2), value);
    else application.set(name, value);
  }
  return { system: Object.fromEntries(system), application: Object.fromEntries(application) };
}

function component(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The value of `$rid` in a topic such as `$iothub/twin/GET/?$rid=7`. */
export function requestIdOf(topic: string): string | undefined {
  const at = topic.indexOf("?");
  const rid = at < 0 ? null : new URLSearchParams(topic.slice(at + 1)).get("$rid");
  return rid === null || rid === "" ? undefined : rid;
}

export const TWIN_RESPONSES = "$iothub/twin/res/#";
export const DESIRED_UPDATES = "$iothub/twin/PATCH/properties/desired/#";
export const METHOD_CALLS = "$iothub/methods/POST/#";

/** Whether an identity may subscribe to a filter: only the documented ones exist. */
export function isKnownFilter(filter: string, identity: HubIdentity): boolean {
  if ([TWIN_RESPONSES, DESIRED_UPDATES, METHOD_CALLS].includes(filter)) return true;
  const path = identityPath(identity);
  if (identity.moduleId === undefined) return filter === `${path}/messages/devicebound/#`;
  return filter === `${path}/inputs/#` || filter === `${path}/messages/devicebound/#`;
}
