import type { JsonObject } from "../../contract/json.ts";
import { createCredentialBook } from "./credential-book.ts";
import { fieldAt, fieldOf, lineOf } from "./field.ts";
import type { EdgeClient, EdgeModule, HubFacts, HubSettings } from "./hub-facts.ts";
import type { Digest } from "./module-settings.ts";
import { categoryOf, readConnectionRecord } from "./read-connection-log.ts";
import { edgeModuleOf, readDeployment, readEdgeClients } from "./read-edge-twin.ts";
import { readHubSettings } from "./read-hub-settings.ts";
import { groupOf, readIdentity } from "./read-identity.ts";

/** What a record is taken for. `other`: a log of another category, or a twin that nothing is judged by. */
export type RecordKind = "hub" | "identity" | "twin" | "log" | "other";

/** Gateways whose deployments are compared; equal modules are kept once, so each costs little. */
const MOST_DEPLOYMENTS = 100_000;
const MOST_HUBS = 100;
/** Most devices whose group is kept. */
const MOST_DEVICES = 1_000_000;

/** Takes records one by one and keeps only what the rules need. */
export interface FactIntake {
  /**
   * Takes a record for what it is, and says what that was; undefined where it is nothing that is known.
   * `wanted` says what the caller takes it for, such as by the option that named its file.
   */
  take(record: JsonObject, wanted?: "hub" | "identity" | "twin" | "log"): RecordKind | undefined;
  /** All edge twins of the hub have been read: what did not come does not exist. */
  completeEdge(): void;
  facts(): HubFacts;
}

interface Told {
  onBroken(subject: string, reason: string): void;
}

/** An empty intake. `onBroken` is told of each part that could not be read, by its subject. */
export function createFactIntake(digest: Digest, { onBroken }: Told): FactIntake {
  const hubs: HubSettings[] = [];
  const credentials = createCredentialBook(digest);
  const deployments = new Map<string, ReturnType<typeof readDeployment>>();
  const clients = new Map<string, { clients: readonly EdgeClient[]; atMs?: number }>();
  const groups = new Map<string, string>();
  const gateways = new Set<string>();
  const knownModules = new Map<string, EdgeModule>();
  let isComplete = false;
  let leftOut = 0;

  function takeTwin(record: JsonObject): RecordKind | undefined {
    const deviceId = lineOf(fieldOf(record, "deviceId"));
    if (deviceId === "") return undefined;
    const which = edgeModuleOf(record);
    if (which === "agent") {
      const deployment = readDeployment(deviceId, record, { digest, knownModules, onBroken });
      if (deployment === undefined) return undefined;
      if (deployments.size < MOST_DEPLOYMENTS) deployments.set(deviceId, deployment);
      else leftOut += 1;
    } else if (which === "hub") {
      const read = readEdgeClients(record);
      if (read !== undefined && clients.size < MOST_DEPLOYMENTS) clients.set(deviceId, read);
    } else if (lineOf(fieldOf(record, "moduleId")) !== "") return "other";
    else noteGroup(deviceId, record);
    return "twin";
  }

  function noteGroup(deviceId: string, record: JsonObject): void {
    const tags = fieldOf(record, "tags");
    const isEdge = fieldAt(record, "capabilities", "iotEdge");
    if (isEdge === true && gateways.size < MOST_DEVICES) gateways.add(deviceId);
    // Of other devices the group decides nothing here, and there may be very many.
    if ((tags !== undefined || isEdge !== undefined) && groups.size < MOST_DEVICES) {
      const group = tags === undefined ? "" : groupOf(tags);
      if (isEdge !== false) groups.set(deviceId, group === "" ? "default" : group);
    }
  }

  function takeIdentity(record: JsonObject): RecordKind | undefined {
    const identity = readIdentity(record);
    if (identity === undefined) return undefined;
    credentials.addIdentity(identity);
    if (identity.moduleId === undefined) noteGroup(identity.deviceId, record);
    return "identity";
  }

  function takeLog(record: JsonObject): RecordKind | undefined {
    const category = categoryOf(record);
    if (category === undefined) return undefined;
    if (category !== "connections") return "other";
    const connection = readConnectionRecord(record);
    if (connection === undefined) return undefined;
    credentials.addConnection(connection);
    return "log";
  }

  function takeHub(record: JsonObject): RecordKind | undefined {
    const read = readHubSettings(record, onBroken);
    if (!read.ok || hubs.length >= MOST_HUBS) return undefined;
    hubs.push(read.value);
    return "hub";
  }

  return {
    take(record, wanted) {
      const kind = wanted ?? kindOf(record);
      if (kind === "hub") return takeHub(record);
      if (kind === "log") return takeLog(record);
      if (kind === "identity" && edgeModuleOf(record) === undefined) return takeIdentity(record);
      if (kind === "identity") return takeTwin(record);
      if (kind !== "twin") return undefined;
      // A query over devices answers with twins that have thumbprints: those are identities as well.
      const isIdentity = wanted === undefined && hasAuthentication(record);
      return isIdentity ? (takeIdentity(record) ?? takeTwin(record)) : takeTwin(record);
    },
    completeEdge() {
      isComplete = true;
    },
    facts: () => ({
      hubs,
      credentials: credentials.facts(),
      edge: {
        deployments: [...deployments.values()].flatMap((one) => {
          if (one === undefined) return [];
          const group = groups.get(one.deviceId);
          const known = clients.get(one.deviceId);
          return [
            {
              ...one,
              ...(group === undefined ? {} : { group }),
              ...(known === undefined ? {} : { clients: known.clients }),
              ...(known?.atMs === undefined ? {} : { clientsAtMs: known.atMs }),
            },
          ];
        }),
        withoutTwin: [...gateways].filter((id) => !deployments.has(id)).sort(),
        isComplete,
        leftOut,
      },
    }),
  };
}

/** What a record is, by its content; undefined where nothing of it is known. */
export function kindOf(record: JsonObject): "hub" | "identity" | "twin" | "log" | undefined {
  const id = `${lineOf(fieldOf(record, "type"))} ${lineOf(fieldOf(record, "id"), 512)}`;
  if (/microsoft\.devices\/iothubs/i.test(id)) return "hub";
  if (categoryOf(record) !== undefined && fieldOf(record, "operationName") !== undefined) {
    return "log";
  }
  const properties = fieldOf(record, "properties");
  const isTwin =
    fieldOf(properties, "desired") !== undefined || fieldOf(properties, "reported") !== undefined;
  if (isTwin) return "twin";
  return hasAuthentication(record) ? "identity" : undefined;
}

function hasAuthentication(record: JsonObject): boolean {
  if (lineOf(fieldOf(record, "moduleId")).startsWith("$")) return false;
  return ["authentication", "authenticationType", "x509Thumbprint"].some(
    (name) => fieldOf(record, name) !== undefined,
  );
}
