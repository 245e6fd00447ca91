import type { JsonObject, JsonValue } from "../../contract/json.ts";
import { isJsonObject } from "../../contract/json.ts";
import { logDriverOf, privilegesOf, readCreateOptions } from "./create-options.ts";
import { entriesOf, fieldAt, fieldOf, lineOf, objectOf, timeOf, truthOf } from "./field.ts";
import {
  type EdgeClient,
  type EdgeDeployment,
  type EdgeModule,
  type EdgeRegistry,
  HEADS,
  type HeadName,
} from "./hub-facts.ts";
import { type Digest, leavesOf, settingsOf, settingsText } from "./module-settings.ts";

/** Bounds of what is read of one twin: its desired properties hold at most 32 KB. */
const MOST_MODULES = 200;
const MOST_REGISTRIES = 50;
const MOST_CLIENTS = 2_000;

export interface EdgeReading {
  readonly digest: Digest;
  /** Equal modules are kept once. */
  readonly knownModules: Map<string, EdgeModule>;
  onBroken(subject: string, reason: string): void;
}

type Deployment = Omit<EdgeDeployment, "group" | "clients" | "clientsAtMs">;

/**
 * The deployment in the desired properties of an `$edgeAgent` twin. Undefined where it has none. Passwords
 * of registries are not read. Source: IoT Edge, properties of the module twins, schema 1.0 and 1.1.
 */
export function readDeployment(
  deviceId: string,
  record: JsonObject,
  reading: EdgeReading,
): Deployment | undefined {
  const desired = desiredOf(record);
  if (!isJsonObject(desired)) return undefined;
  const brokenParts: string[] = [];
  const broken = (part: string, reason: string): void => {
    brokenParts.push(part);
    reading.onBroken(`${deviceId}/$edgeAgent, ${part}`, reason);
  };
  const modulesOf = (field: string, isSystem: boolean): readonly EdgeModule[] =>
    entriesOf(fieldOf(desired, field))
      .slice(0, MOST_MODULES)
      .flatMap(([name, module]) => {
        if (isJsonObject(module)) return [readModule(name, module, isSystem, reading, broken)];
        broken(`${field}.${lineOf(name)}`, "no object");
        return [];
      });
  const runtime = fieldAt(desired, "runtime", "settings");
  const defaultLogDriver = defaultDriverOf(fieldOf(runtime, "loggingOptions"), broken);
  return {
    deviceId,
    modules: [...modulesOf("systemModules", true), ...modulesOf("modules", false)],
    registries: registriesOf(fieldOf(runtime, "registryCredentials"), broken),
    brokenParts,
    ...(defaultLogDriver === "" ? {} : { defaultLogDriver }),
  };
}

/** Twins have `properties.desired`; a deployment file has `properties.desired` of the module below its name. */
function desiredOf(record: JsonObject): JsonValue | undefined {
  return fieldAt(record, "properties", "desired");
}

function readModule(
  name: string,
  module: JsonObject,
  isSystem: boolean,
  { digest, knownModules }: EdgeReading,
  broken: (part: string, reason: string) => void,
): EdgeModule {
  const created = readCreateOptions(fieldOf(module, "settings"));
  if (!created.isReadable) broken(`module ${lineOf(name)}`, created.reason);
  const options = created.isReadable ? created.options : undefined;
  const leaves = leavesOf(module, options);
  const settingsHash = digest(settingsText(`${isSystem} ${created.isReadable} ${name}`, leaves));
  const known = knownModules.get(settingsHash);
  if (known !== undefined) return known;
  const logDriver = logDriverOf(options);
  const fresh: EdgeModule = {
    name: lineOf(name, 128),
    isSystem,
    privileges: options === undefined ? [] : privilegesOf(options),
    isReadable: created.isReadable,
    settingsHash,
    settings: settingsOf(leaves, digest),
    ...(logDriver === "" ? {} : { logDriver }),
    ...(isSystem && name.toLowerCase() === "edgehub" ? { heads: headsOf(module) } : {}),
  };
  knownModules.set(settingsHash, fresh);
  return fresh;
}

/** Heads are on unless their variable says false. Source: IoT Edge hub, environment variables. */
function headsOf(module: JsonObject): readonly HeadName[] {
  return HEADS.filter((head) => {
    const variable = fieldOf(fieldOf(module, "env"), `${head}Settings__enabled`);
    return truthOf(isJsonObject(variable) ? fieldOf(variable, "value") : variable) !== false;
  });
}

function defaultDriverOf(
  options: JsonValue | undefined,
  broken: (part: string, reason: string) => void,
): string {
  if (options === undefined || options === null || options === "") return "";
  const read = objectOf(options);
  if (read === undefined) broken("runtime.settings.loggingOptions", "not JSON of an object");
  return lineOf(fieldOf(read, "type"), 64) || logDriverOf(read);
}

function registriesOf(
  credentials: JsonValue | undefined,
  broken: (part: string, reason: string) => void,
): readonly EdgeRegistry[] {
  return entriesOf(credentials)
    .slice(0, MOST_REGISTRIES)
    .flatMap(([name, one]) => {
      const address = lineOf(fieldOf(one, "address"));
      const username = lineOf(fieldOf(one, "username"));
      if (address !== "" && username !== "") return [{ address, username }];
      broken(`registryCredentials.${lineOf(name)}`, "no address and username");
      return [];
    });
}

/**
 * Clients in the reported properties of an `$edgeHub` twin, and the newest time that it gives. Undefined
 * where it reports none. Source: IoT Edge hub, reported properties: clients.
 */
export function readEdgeClients(
  record: JsonObject,
): { readonly clients: readonly EdgeClient[]; readonly atMs?: number } | undefined {
  const reported = fieldAt(record, "properties", "reported");
  if (!isJsonObject(reported) || fieldOf(reported, "clients") === undefined) return undefined;
  const clients = entriesOf(fieldOf(reported, "clients"))
    .slice(0, MOST_CLIENTS)
    .filter(([, one]) => isJsonObject(one))
    .map(([, one]): EdgeClient => {
      const isConnected = lineOf(fieldOf(one, "status")).toLowerCase() === "connected";
      const times = ["lastConnectedTimeUtc", "lastDisconnectTimeUtc", "lastDisconnectedTimeUtc"];
      const lastSeenMs = newest(times.map((name) => timeOf(fieldOf(one, name))));
      return { isConnected, ...(lastSeenMs === undefined ? {} : { lastSeenMs }) };
    });
  const atMs = newest([
    timeOf(fieldAt(reported, "$metadata", "$lastUpdated")),
    timeOf(fieldOf(record, "lastActivityTime")),
    ...clients.map(({ lastSeenMs }) => lastSeenMs),
  ]);
  return { clients, ...(atMs === undefined ? {} : { atMs }) };
}

function newest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce(
    (best, one) => (one !== undefined && (best === undefined || one > best) ? one : best),
    undefined,
  );
}

/** Whether a list of twins names an edge agent or an edge hub. */
export function edgeModuleOf(record: JsonObject): "agent" | "hub" | undefined {
  const moduleId = lineOf(fieldOf(record, "moduleId")).toLowerCase();
  if (moduleId === "$edgeagent") return "agent";
  return moduleId === "$edgehub" ? "hub" : undefined;
}
