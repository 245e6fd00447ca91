import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ContainerClient } from "@azure/storage-blob";
import type { SavedPartition } from "../../src/fleet/analyze/saved-partition.ts";
import type { AnalyzeStore } from "../../src/fleet/analyze/store.ts";
import { createBlobStore } from "../../src/fleet/analyze/stores/blob-store.ts";
import { type BlobStandIn, startBlobStandIn } from "./blob-stand-in.ts";
import { PLACE } from "./sample-alert.ts";

const HUB = [PLACE.namespace, PLACE.eventHub, PLACE.consumerGroup] as const;

describe("checkpoints in blob storage, the real client at a stand-in", () => {
  let blobs: BlobStandIn;
  let a: AnalyzeStore;
  let b: AnalyzeStore;
  before(async () => {
    blobs = await startBlobStandIn();
    const open = () => createBlobStore(new ContainerClient(blobs.connectionString, "c"));
    [a, b] = [open(), open()];
  });
  after(() => blobs.close());

  const wanted = (ownerId: string, etag?: string) => ({
    fullyQualifiedNamespace: HUB[0],
    eventHubName: HUB[1],
    consumerGroup: HUB[2],
    partitionId: "3",
    ownerId,
    ...(etag === undefined ? {} : { etag }),
  });

  it("give a partition to the next only by the etag that it saw", async () => {
    const [first] = await a.claimOwnership([wanted("a")]);
    assert.equal(first?.ownerId, "a");
    const [seen] = await b.listOwnership(...HUB);
    assert.equal(seen?.ownerId, "a");
    const [second] = await b.claimOwnership([wanted("b", seen?.etag)]);
    assert.equal(second?.ownerId, "b");
    assert.deepEqual(await a.claimOwnership([wanted("a", seen?.etag)]), []);
  });

  it("give back position and state as one", async () => {
    const saved: SavedPartition = {
      position: { sequenceNumber: 9, offset: "576" },
      neededFrom: 12,
      analyzer: { version: 1 },
      delivered: { webhook: [["id-1", 11]] },
    };
    assert.deepEqual(await b.load(PLACE), { ok: true, value: undefined });
    assert.ok((await a.save(PLACE, { ...saved, position: undefined })).ok);
    assert.deepEqual(await b.listCheckpoints(...HUB), []);
    assert.ok((await a.save(PLACE, saved)).ok);
    assert.deepEqual(await b.load(PLACE), { ok: true, value: saved });
    const [checkpoint] = await b.listCheckpoints(...HUB);
    assert.equal(checkpoint?.partitionId, "3");
    assert.equal(checkpoint?.offset, "576");
    assert.equal(checkpoint?.sequenceNumber, 9);
    assert.equal((await b.listOwnership(...HUB)).length, 1);
  });

  it("say that storage cannot be reached instead of throwing", async () => {
    const gone = createBlobStore(
      new ContainerClient(blobs.connectionString.replace(/:\d+\/account/, ":9/account"), "c", {
        retryOptions: { maxTries: 1 },
      }),
    );
    assert.equal((await gone.load(PLACE)).ok, false);
  });
});
