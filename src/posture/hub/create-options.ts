import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { parseJsonObject } from "../../parse/json.ts";
import { entriesOf, fieldAt, fieldOf, lineOf, listOf, truthOf } from "./field.ts";
import type { ModulePrivilege } from "./hub-facts.ts";

/** createOptions of a module; `undefined` inside means that they could not be read, and `reason` says why. */
export type CreateOptions =
  | { readonly isReadable: true; readonly options: JsonObject }
  | { readonly isReadable: false; readonly reason: string };

/** Chunks of createOptions: without a number, then 01 to 99. Source: IoT Edge agent, ChunkedProperty. */
const CHUNK = /^createOptions(\d{2})?$/i;

/**
 * createOptions from the settings of a module: JSON in a string, in chunks of 512 characters where it is
 * longer. Without any they are empty. A missing chunk makes them unreadable.
 */
export function readCreateOptions(settings: JsonValue | undefined): CreateOptions {
  const chunks = new Map<number, JsonValue>();
  for (const [name, value] of entriesOf(settings)) {
    const found = CHUNK.exec(name);
    if (found !== null) chunks.set(Number(found[1] ?? "0"), value);
  }
  const first = chunks.get(0);
  if (chunks.size === 1 && isJsonObject(first)) return { isReadable: true, options: first };
  let text = "";
  for (let at = 0; at < chunks.size; at += 1) {
    const chunk = chunks.get(at);
    if (chunk === null && chunks.size === 1) continue;
    if (typeof chunk !== "string") {
      return { isReadable: false, reason: `part ${at} of createOptions is no text` };
    }
    text += chunk;
  }
  if (text.trim() === "") return { isReadable: true, options: {} };
  const parsed = parseJsonObject(text, "createOptions");
  return parsed.ok
    ? { isReadable: true, options: parsed.value }
    : { isReadable: false, reason: `createOptions: ${parsed.problem.detail}` };
}

/** Capabilities with which a container is no boundary. Source: capabilities(7). */
const STRONG_CAPABILITIES: ReadonlySet<string> = new Set([
  "ALL",
  "SYS_ADMIN",
  "NET_ADMIN",
  "SYS_MODULE",
  "SYS_PTRACE",
  "SYS_RAWIO",
  "DAC_READ_SEARCH",
]);
/** Sources of binds that hand the gateway over. */
const STRONG_BINDS: ReadonlySet<string> = new Set([
  "/",
  "/var/run/docker.sock",
  "/run/docker.sock",
]);
/** Most privileges that are told of one module. */
const MOST_PRIVILEGES = 20;

/** Options that give a container what root of the gateway has. Source: Docker Engine API, ContainerCreate. */
export function privilegesOf(options: JsonObject): readonly ModulePrivilege[] {
  const host = fieldOf(options, "HostConfig");
  const found: ModulePrivilege[] = [];
  if (truthOf(fieldOf(host, "Privileged")) === true) {
    found.push({ jsonPath: "HostConfig.Privileged", value: "true" });
  }
  for (const one of listOf(fieldOf(host, "CapAdd"))) {
    const capability = lineOf(one, 64);
    if (STRONG_CAPABILITIES.has(capability.toUpperCase().replace(/^CAP_/, ""))) {
      found.push({ jsonPath: "HostConfig.CapAdd", value: capability });
    }
  }
  for (const mode of ["NetworkMode", "PidMode", "IpcMode"]) {
    if (lineOf(fieldOf(host, mode)).toLowerCase() === "host") {
      found.push({ jsonPath: `HostConfig.${mode}`, value: "host" });
    }
  }
  if (fieldAt(options, "NetworkingConfig", "EndpointsConfig", "host") !== undefined) {
    found.push({ jsonPath: "NetworkingConfig.EndpointsConfig", value: "host" });
  }
  return [...found, ...bindsOf(host)].slice(0, MOST_PRIVILEGES);
}

function bindsOf(host: JsonValue | undefined): readonly ModulePrivilege[] {
  const binds = listOf(fieldOf(host, "Binds")).flatMap((one) => {
    const text = lineOf(one);
    return isStrongBind(text.split(":")[0] ?? "")
      ? [{ jsonPath: "HostConfig.Binds", value: text }]
      : [];
  });
  const mounts = listOf(fieldOf(host, "Mounts")).flatMap((one) => {
    const source = lineOf(fieldOf(one, "Source"));
    const isBind = lineOf(fieldOf(one, "Type")).toLowerCase() === "bind";
    return isBind && isStrongBind(source) ? [{ jsonPath: "HostConfig.Mounts", value: source }] : [];
  });
  return [...binds, ...mounts];
}

function isStrongBind(source: string): boolean {
  if (!source.startsWith("/")) return false;
  const path = source.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
  return STRONG_BINDS.has(path);
}

/** The log driver that createOptions name; empty where the engine or the runtime decides. */
export function logDriverOf(options: JsonValue | undefined): string {
  return lineOf(fieldAt(options, "HostConfig", "LogConfig", "Type"), 64);
}
