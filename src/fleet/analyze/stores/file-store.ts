import type { Checkpoint, PartitionOwnership } from "@azure/event-hubs";
import type { Clock } from "../../../contract/clock.ts";
import { isJsonObject } from "../../../contract/json.ts";
import { fail, ok, type Result } from "../../../contract/result.ts";
import type { SharedFolder } from "../../../contract/shared-folder.ts";
import { parseJson } from "../../../parse/json.ts";
import { nameOfPlace, type Place } from "../place.ts";
import { type SavedPartition, savedPartition, savedText } from "../saved-partition.ts";
import type { AnalyzeStore } from "../store.ts";

const MAX_SAVED_BYTES = 64 * 1_048_576;
const MAX_CLAIM_BYTES = 4_096;

type Hub = Omit<Place, "source" | "partitionId">;

interface Claim {
  readonly partitionId: string;
  readonly generation: number;
  readonly name: string;
}

/**
 * Checkpoints and ownership in a folder, for any number of processes on one machine.
 *
 * A claim of generation n + 1 is a new file, made by whoever is first; the file of the highest generation
 * counts, and its number is the etag. So two processes cannot both follow the same claim, whatever dies in
 * between, and nothing has to be locked. Source: link(2); CheckpointStore of @azure/event-hubs.
 */
export function createFileStore(folder: SharedFolder, clock: Clock): AnalyzeStore {
  const prefixOf = (hub: Hub): string => nameOfPlace(hub, "claim");
  const savedName = (place: Place): string => nameOfPlace(place, `saved-${place.partitionId}.json`);

  function claimsOf(hub: Hub): ReadonlyMap<string, Claim> {
    const names = folder.list();
    if (!names.ok) throw new Error(`claims: ${names.problem.detail}`);
    const latest = new Map<string, Claim>();
    const pattern = /^-([^-]+)-(\d+)\.json$/;
    for (const name of names.value) {
      if (!name.startsWith(prefixOf(hub))) continue;
      const [, partition, digits] = pattern.exec(name.slice(prefixOf(hub).length)) ?? [];
      if (partition === undefined || digits === undefined) continue;
      const claim = {
        partitionId: decodeURIComponent(partition),
        generation: Number(digits),
        name,
      };
      const known = latest.get(claim.partitionId);
      if (known === undefined || known.generation < claim.generation) {
        latest.set(claim.partitionId, claim);
      }
    }
    return latest;
  }

  function claimName(hub: Hub, partitionId: string, generation: number): string {
    return `${prefixOf(hub)}-${encodeURIComponent(partitionId)}-${generation}.json`;
  }

  function claim(wanted: PartitionOwnership): PartitionOwnership | undefined {
    const hub = hubOf(wanted);
    const { partitionId, ownerId } = wanted;
    const current = claimsOf(hub).get(partitionId);
    const seen = wanted.etag === undefined ? 0 : Number(wanted.etag);
    if ((current?.generation ?? 0) !== seen) return undefined;
    const name = claimName(hub, partitionId, seen + 1);
    const lastModifiedTimeInMs = clock.nowMs();
    const made = folder.create(name, JSON.stringify({ ownerId, lastModifiedTimeInMs }));
    if (!made.ok) {
      if (made.problem.code === "conflict") return undefined;
      throw new Error(`claim: ${made.problem.detail}`);
    }
    // Someone may have come further while we looked at an old list: then ours is a file without meaning.
    if ((claimsOf(hub).get(partitionId)?.generation ?? 0) > seen + 1) {
      folder.remove(name);
      return undefined;
    }
    if (current !== undefined) folder.remove(current.name);
    return { ...wanted, etag: String(seen + 1), lastModifiedTimeInMs };
  }

  async function load(place: Place): Promise<Result<SavedPartition | undefined>> {
    const name = savedName(place);
    const read = folder.read(name, MAX_SAVED_BYTES);
    if (!read.ok) return read.problem.code === "not-found" ? ok(undefined) : read;
    const json = parseJson(read.value, name, { maxLength: MAX_SAVED_BYTES, maxDepth: 64 });
    return json.ok ? savedPartition(json.value, name) : json;
  }

  return {
    async listOwnership(namespace, eventHub, consumerGroup) {
      const hub = { namespace, eventHub, consumerGroup };
      return [...claimsOf(hub).values()].flatMap((claim) => {
        const facts = ownerOf(folder.read(claim.name, MAX_CLAIM_BYTES), claim.name);
        // Followed and removed since it was listed: the next round sees its successor.
        if (!facts.ok) return [];
        const { partitionId, generation } = claim;
        const named = { fullyQualifiedNamespace: namespace, eventHubName: eventHub, consumerGroup };
        return [{ ...named, partitionId, etag: String(generation), ...facts.value }];
      });
    },
    claimOwnership: async (wanted) => wanted.flatMap((one) => claim(one) ?? []),
    async updateCheckpoint() {
      throw new Error("checkpoints are saved with what belongs to them");
    },
    async listCheckpoints(namespace, eventHub, consumerGroup) {
      const hub = { namespace, eventHub, consumerGroup };
      const names = folder.list();
      const start = nameOfPlace(hub, "saved-");
      const saved = (names.ok ? names.value : []).filter((name) => name.startsWith(start));
      const found: Checkpoint[] = [];
      for (const name of saved) {
        const partitionId = decodeURIComponent(name.slice(start.length).replace(/\.json$/, ""));
        const loaded = await load({ ...hub, source: "endpoint", partitionId });
        const position = loaded.ok ? loaded.value?.position : undefined;
        if (position === undefined) continue;
        const named = { fullyQualifiedNamespace: namespace, eventHubName: eventHub, consumerGroup };
        found.push({ ...named, partitionId, ...position });
      }
      return found;
    },
    load,
    save: async (place, saved) => folder.write(savedName(place), savedText(saved)),
    lock: async (place) => folder.lock(nameOfPlace(place, `lock-${place.partitionId}`)),
  };
}

function hubOf(ownership: PartitionOwnership): Hub {
  return {
    namespace: ownership.fullyQualifiedNamespace,
    eventHub: ownership.eventHubName,
    consumerGroup: ownership.consumerGroup,
  };
}

function ownerOf(
  text: Result<string>,
  subject: string,
): Result<{ readonly ownerId: string; readonly lastModifiedTimeInMs: number }> {
  const json = text.ok ? parseJson(text.value, subject) : text;
  if (!json.ok) return json;
  const { ownerId, lastModifiedTimeInMs } = isJsonObject(json.value) ? json.value : {};
  return typeof ownerId === "string" && typeof lastModifiedTimeInMs === "number"
    ? ok({ ownerId, lastModifiedTimeInMs })
    : fail("malformed", subject, "names no owner");
}
