import type { Checkpoint } from "@azure/event-hubs";
import { BlobCheckpointStore } from "@azure/eventhubs-checkpointstore-blob";
import type { ContainerClient } from "@azure/storage-blob";
import { describeError } from "../../../contract/errors.ts";
import { fail, ok, type Result } from "../../../contract/result.ts";
import { parseJson } from "../../../parse/json.ts";
import type { Place } from "../place.ts";
import { savedPartition, savedText } from "../saved-partition.ts";
import type { AnalyzeStore } from "../store.ts";

const MAX_SAVED_BYTES = 64 * 1_048_576;
const NOT_FOUND = 404;

/**
 * Checkpoints and ownership in blob storage, for instances on several machines. Ownership is that of
 * Microsoft's store. A checkpoint is one blob with everything in it, its position repeated in its metadata,
 * so that position and state cannot come apart. No locks: who lost a partition may still be delivering.
 */
export function createBlobStore(container: ContainerClient): AnalyzeStore {
  const owners = new BlobCheckpointStore(container);
  const folderOf = (place: Omit<Place, "source" | "partitionId">): string =>
    [place.namespace, place.eventHub, place.consumerGroup, "gatewarden", ""]
      .join("/")
      .toLowerCase();
  const blobOf = (place: Place) =>
    container.getBlockBlobClient(`${folderOf(place)}${place.partitionId}`);

  return {
    listOwnership: (...args) => owners.listOwnership(...args),
    claimOwnership: (...args) => owners.claimOwnership(...args),
    async updateCheckpoint() {
      throw new Error("checkpoints are saved with what belongs to them");
    },
    async listCheckpoints(namespace, eventHub, consumerGroup) {
      const prefix = folderOf({ namespace, eventHub, consumerGroup });
      const found: Checkpoint[] = [];
      for await (const blob of container.listBlobsFlat({ prefix, includeMetadata: true })) {
        const { sequencenumber, offset } = blob.metadata ?? {};
        const sequenceNumber = Number(sequencenumber);
        if (offset === undefined || !Number.isSafeInteger(sequenceNumber)) continue;
        const named = { fullyQualifiedNamespace: namespace, eventHubName: eventHub, consumerGroup };
        found.push({
          ...named,
          partitionId: blob.name.slice(prefix.length),
          sequenceNumber,
          offset,
        });
      }
      return found;
    },
    async load(place) {
      const name = `checkpoint of partition ${place.partitionId}`;
      const text = await downloaded(blobOf(place), name);
      if (!text.ok || text.value === undefined) return text.ok ? ok(undefined) : text;
      const json = parseJson(text.value, name, { maxLength: MAX_SAVED_BYTES, maxDepth: 64 });
      return json.ok ? savedPartition(json.value, name) : json;
    },
    async save(place, saved) {
      const text = savedText(saved);
      const { position } = saved;
      const metadata: Record<string, string> =
        position === undefined
          ? {}
          : { sequencenumber: String(position.sequenceNumber), offset: position.offset };
      try {
        await blobOf(place).upload(text, Buffer.byteLength(text), { metadata });
        return ok(undefined);
      } catch (error) {
        return fail("not-permitted", `partition ${place.partitionId}`, describeError(error));
      }
    },
    lock: async () => ok(() => undefined),
  };
}

async function downloaded(
  blob: ReturnType<ContainerClient["getBlockBlobClient"]>,
  subject: string,
): Promise<Result<string | undefined>> {
  try {
    return ok((await blob.downloadToBuffer()).toString("utf8"));
  } catch (error) {
    const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
    return status === NOT_FOUND
      ? ok(undefined)
      : fail("not-permitted", subject, describeError(error));
  }
}
