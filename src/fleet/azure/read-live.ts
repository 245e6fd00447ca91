import type { TokenCredential } from "@azure/identity";
import type { Registry } from "azure-iothub";
import type { Clock } from "../../contract/clock.ts";
import { AgentError, describeError } from "../../contract/errors.ts";
import { isJsonObject, type JsonObject } from "../../contract/json.ts";
import { createSecretMask } from "../../parse/mask-secrets.ts";
import type { RecordDesk, WantedKind } from "../record-desk.ts";
import type { HubAddress } from "./resource-id.ts";

export interface LiveOptions {
  readonly address: HubAddress;
  /** Of a service policy; without it the services are asked with `credential` too. */
  readonly connectionString?: string;
  /** Reads identities with their keys as well, for which more rights are needed. */
  readonly isWithKeys: boolean;
  readonly clock: Clock;
  /** In place of the identity that the environment has. */
  readonly credential?: TokenCredential;
  /** In place of the public cloud. */
  readonly armEndpoint?: string;
}

/** What was not read, each with the right that it needs. */
export interface LiveOutcome {
  readonly gaps: readonly string[];
  /** False where nothing could be read at all. */
  readonly isAnythingRead: boolean;
}

/** Items of a page; the hub gives fewer where it wants. */
const PAGE_SIZE = 100;
/** Most pages of a query: a million devices. */
const MOST_PAGES = 10_000;
/** Devices that the registry lists with their keys, at most. Source: REST, Devices Get Devices. */
const MOST_LISTED = 1_000;
/** Queries are limited to 20 a minute and unit. Source: IoT Hub quotas and throttling. */
const THROTTLED_PAUSE_MS = 10_000;
const MOST_TRIES = 12;

const EDGE_MODULES =
  "SELECT * FROM devices.modules WHERE moduleId = '$edgeAgent' OR moduleId = '$edgeHub'";
const GATEWAYS = "SELECT * FROM devices WHERE capabilities.iotEdge = true";
const DEVICES = "SELECT * FROM devices";

const MASK = createSecretMask([]);

/**
 * Reads the resource of a hub, its edge twins and, if asked, its identities, with the packages of Azure,
 * which are loaded here and nowhere before. What may not be read is a gap, never an error. Nothing is
 * changed. Least rights: docs/hub-posture.md.
 */
export async function readLive(options: LiveOptions, desk: RecordDesk): Promise<LiveOutcome> {
  const gaps: string[] = [];
  let successes = 0;
  const attempt = async <T>(what: string, right: string, read: () => Promise<T>) => {
    try {
      const value = await read();
      successes += 1;
      return value;
    } catch (error) {
      gaps.push(MASK.text(`${what}: ${describeError(error)} (it needs ${right})`));
      return undefined;
    }
  };
  const credential = options.credential ?? (await defaultCredential());
  const host = await attempt("resource of the hub", "Reader on the hub", () =>
    readResource(options, credential, desk),
  );
  const registry = await openRegistry(options, credential, host);
  if (registry === undefined) {
    gaps.push("twins: the host name of the hub is not known without its resource");
    return { gaps, isAnythingRead: successes > 0 };
  }
  const ask = (query: string, wanted: WantedKind) =>
    readQuery(registry, query, wanted, options.clock, desk);
  const right = "IoT Hub Data Reader, or a policy with ServiceConnect";
  const modules = await attempt("edge twins", right, () => ask(EDGE_MODULES, "twin"));
  const gateways = await attempt("twins of gateways", right, () => ask(GATEWAYS, "twin"));
  if (modules === true && gateways === true) desk.completeEdge();
  if (options.isWithKeys) {
    await attempt("identities", right, () => ask(DEVICES, "identity"));
    const keyRight = "IoT Hub Data Reader, or a policy with RegistryRead";
    await attempt("keys of identities", keyRight, () => readKeys(registry, desk));
  }
  return { gaps, isAnythingRead: successes > 0 };
}

async function defaultCredential(): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential();
}

/** The host name that the resource gives. */
async function readResource(
  { address, armEndpoint }: LiveOptions,
  credential: TokenCredential,
  desk: RecordDesk,
): Promise<string | undefined> {
  const { IotHubClient } = await import("@azure/arm-iothub");
  const endpoint = armEndpoint === undefined ? {} : { endpoint: armEndpoint };
  const client = new IotHubClient(credential, address.subscriptionId, endpoint);
  const hub = await client.iotHubResource.get(address.resourceGroup, address.hubName);
  // What the package parsed from JSON is JSON again, but its types do not say so.
  const record: unknown = hub;
  if (isJsonObject(record)) desk.open("Azure Resource Manager", "hub").record(record);
  return hub.properties?.hostName;
}

async function openRegistry(
  { connectionString }: LiveOptions,
  credential: TokenCredential,
  hostName: string | undefined,
): Promise<Registry | undefined> {
  if (connectionString === undefined && hostName === undefined) return undefined;
  // A CommonJS package: outside the bundle Node gives its exports as the default alone.
  const { default: iothub } = await import("azure-iothub");
  if (connectionString !== undefined) return registryOf(iothub.Registry, connectionString);
  return hostName === undefined
    ? undefined
    : iothub.Registry.fromTokenCredential(hostName, credential);
}

/** The package's own errors may quote what they refuse. */
function registryOf(type: typeof Registry, connectionString: string): Registry {
  try {
    return type.fromConnectionString(connectionString);
  } catch {
    throw new AgentError("AGENT_SECRET_UNREADABLE", "the service policy is no connection string", {
      remedy:
        "az iot hub connection-string show --policy-name service: HostName=…;SharedAccessKeyName=…;…",
    });
  }
}

/** All pages of a query; false where there are more than are read. */
async function readQuery(
  registry: Registry,
  text: string,
  wanted: WantedKind,
  clock: Clock,
  desk: RecordDesk,
): Promise<boolean> {
  const source = desk.open(text, wanted);
  const query = registry.createQuery(text, PAGE_SIZE);
  for (let page = 0; page < MOST_PAGES && query.hasMoreResults; page += 1) {
    const answer = await patiently(() => query.next(query.continuationToken), clock);
    const records: unknown = answer.result;
    if (!Array.isArray(records)) throw new Error("the answer is no list");
    for (const record of records) source.record(isJsonObject(record) ? record : {});
  }
  return !query.hasMoreResults;
}

/** Waits while the hub says that there are too many requests. */
async function patiently<T>(ask: () => Promise<T>, clock: Clock): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      const isThrottled =
        error instanceof Error && /throttl|429/i.test(`${error.name} ${error.message}`);
      if (!isThrottled || tries >= MOST_TRIES) throw error;
      await clock.sleep(THROTTLED_PAUSE_MS);
    }
  }
}

/** Identities with their keys, as far as the registry lists them. */
async function readKeys(registry: Registry, desk: RecordDesk): Promise<void> {
  const source = desk.open(`registry, at most ${MOST_LISTED} devices with keys`, "identity");
  const { responseBody } = await registry.list();
  for (const device of responseBody) {
    const { deviceId, authentication, capabilities } = device;
    source.record(plainRecord({ deviceId, authentication, capabilities }));
  }
}

/** Objects of a package's classes as an object of JSON; what is undefined is left out. */
function plainRecord(fields: Readonly<Record<string, unknown>>): JsonObject {
  const record: unknown = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  );
  return isJsonObject(record) ? record : {};
}
