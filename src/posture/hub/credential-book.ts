import { MOST_DISPLACED_IN_HOUR } from "./catalogue.ts";
import type { CredentialFacts, DisplacedIdentity, SharedCredential } from "./hub-facts.ts";
import type { Digest } from "./module-settings.ts";
import type { ConnectionRecord } from "./read-connection-log.ts";
import type { ReadIdentity } from "./read-identity.ts";

/** Most credentials that are compared: two for each of a million devices, about 400 MB. */
const MOST_CREDENTIALS = 2_000_000;
/** Most identities that are told apart. */
const MOST_IDENTITIES = 1_000_000;
/** Most hours of identities that displaced connections are counted for. */
const MOST_HOURS = 200_000;
/** Most devices that a policy is known of by name. */
const MOST_POLICY_DEVICES = 1_000_000;
/** Most devices that are named with one credential. */
const MOST_NAMED = 12;
/** Characters of a hash that a report shows. */
const HASH_PREFIX = 12;
const HOUR_MS = 3_600_000;

/** Compares credentials by their keyed hashes, and counts what logs say of them. */
export interface CredentialBook {
  addIdentity(identity: ReadIdentity): void;
  addConnection(record: ConnectionRecord): void;
  facts(): CredentialFacts;
}

/** An empty book. A key is hashed at once and never kept. */
export function createCredentialBook(digest: Digest): CredentialBook {
  /** By kind and hash: the device, or the devices where there are more. */
  const holders = new Map<string, string | Set<string>>();
  const policyDevices = new Set<string>();
  const displacedByHour = new Map<string, number>();
  /** Identities by name, and whether their key is known or they have none: lists may name one twice. */
  const identities = new Map<string, boolean>();
  let notCompared = 0;
  let connectionRecords = 0;
  return {
    addIdentity({ deviceId, moduleId, credentials, isKeyMissing }) {
      const name = moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
      if (identities.size < MOST_IDENTITIES || identities.has(name)) {
        identities.set(name, identities.get(name) === true || !isKeyMissing);
      } else notCompared += 1;
      for (const { kind, secret } of credentials) {
        const key = `${kind === "symmetric key" ? "k" : "x"}${digest(secret)}`;
        const holder = holders.get(key);
        if (holder === undefined && holders.size >= MOST_CREDENTIALS) notCompared += 1;
        else if (holder === undefined) holders.set(key, deviceId);
        else if (typeof holder !== "string") holder.add(deviceId);
        else if (holder !== deviceId) holders.set(key, new Set([holder, deviceId]));
      }
    },
    addConnection({ identity, isByPolicy, isDisplaced, atMs }) {
      connectionRecords += 1;
      if (isByPolicy && policyDevices.size < MOST_POLICY_DEVICES) policyDevices.add(identity);
      if (!isDisplaced) return;
      const hour = atMs === undefined ? "" : String(Math.floor(atMs / HOUR_MS));
      const key = `${hour}\n${identity}`;
      const count = displacedByHour.get(key);
      if (count !== undefined) displacedByHour.set(key, count + 1);
      else if (displacedByHour.size < MOST_HOURS) displacedByHour.set(key, 1);
    },
    facts: () => ({
      identities: identities.size,
      withoutKeys: [...identities.values()].filter((isWhole) => !isWhole).length,
      notCompared,
      connectionRecords,
      shared: sharedOf(holders),
      policyDevices: [...policyDevices].sort().slice(0, 100),
      policyDeviceCount: policyDevices.size,
      displaced: displacedOf(displacedByHour),
    }),
  };
}

function sharedOf(holders: ReadonlyMap<string, string | Set<string>>): readonly SharedCredential[] {
  const shared: SharedCredential[] = [];
  for (const [key, holder] of holders) {
    if (typeof holder === "string") continue;
    shared.push({
      kind: key.startsWith("k") ? "symmetric key" : "X.509 thumbprint",
      hash: key.slice(1, 1 + HASH_PREFIX),
      devices: [...holder].sort().slice(0, MOST_NAMED),
      count: holder.size,
    });
  }
  return shared.sort(
    (a, b) =>
      b.count - a.count ||
      compareText(a.devices.join(), b.devices.join()) ||
      compareText(a.kind, b.kind),
  );
}

/** The worst hour of each identity that has one. */
function displacedOf(byHour: ReadonlyMap<string, number>): readonly DisplacedIdentity[] {
  const worst = new Map<string, DisplacedIdentity>();
  for (const [key, count] of byHour) {
    const [hourText = "", identity = ""] = key.split("\n");
    if (count < MOST_DISPLACED_IN_HOUR || (worst.get(identity)?.count ?? 0) >= count) continue;
    const hour =
      hourText === ""
        ? "not known"
        : `${new Date(Number(hourText) * HOUR_MS).toISOString().slice(0, 13)}Z`;
    worst.set(identity, { identity, hour, count });
  }
  return [...worst.values()].sort(
    (a, b) => b.count - a.count || compareText(a.identity, b.identity),
  );
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
