import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { PartitionOwnership } from "@azure/event-hubs";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { openSharedFolder } from "../../../system/shared-folder.ts";
import type { Place } from "../place.ts";
import type { SavedPartition } from "../saved-partition.ts";
import { createFileStore } from "./file-store.ts";

const HUB = ["ns.example", "telemetry", "$Default"] as const;
const PLACE: Place = {
  source: "endpoint",
  namespace: HUB[0],
  eventHub: HUB[1],
  consumerGroup: HUB[2],
  partitionId: "0",
};

function wanted(ownerId: string, partitionId: string, etag?: string): PartitionOwnership {
  return {
    fullyQualifiedNamespace: HUB[0],
    eventHubName: HUB[1],
    consumerGroup: HUB[2],
    partitionId,
    ownerId,
    ...(etag === undefined ? {} : { etag }),
  };
}

describe("checkpoints and ownership in a folder", () => {
  const root = mkdtempSync(join(tmpdir(), "gatewarden-store-"));
  after(() => rmSync(root, { recursive: true }));
  let serial = 0;
  function stores() {
    serial += 1;
    const path = join(root, String(serial));
    const clock = new FakeClock();
    // Two of them, as two processes would open the folder.
    const [a, b] = [0, 1].map(() => createFileStore(openSharedFolder(path), clock));
    assert.ok(a !== undefined && b !== undefined);
    return { a, b, clock, path };
  }

  it("give a partition to the first who asks, and to the next only by the etag that it saw", async () => {
    const { a, b } = stores();
    const [first] = await a.claimOwnership([wanted("a", "0")]);
    assert.ok(first !== undefined);
    assert.deepEqual(await b.claimOwnership([wanted("b", "0")]), []);
    const [seen] = await b.listOwnership(...HUB);
    assert.equal(seen?.ownerId, "a");
    const [second] = await b.claimOwnership([wanted("b", "0", seen?.etag)]);
    assert.equal(second?.ownerId, "b");
    assert.deepEqual(await a.claimOwnership([wanted("a", "0", first.etag)]), []);
    assert.deepEqual(
      (await a.listOwnership(...HUB)).map(({ ownerId, partitionId }) => [ownerId, partitionId]),
      [["b", "0"]],
    );
  });

  it("take a claim of long ago for no claim, however many came since", async () => {
    const { a, b } = stores();
    let etag = (await a.claimOwnership([wanted("a", "0")]))[0]?.etag;
    const old = etag;
    for (let at = 0; at < 5; at += 1) {
      etag = (await a.claimOwnership([wanted("a", "0", etag)]))[0]?.etag;
    }
    assert.ok(etag !== undefined);
    assert.deepEqual(await b.claimOwnership([wanted("b", "0", old)]), []);
    assert.equal((await b.listOwnership(...HUB))[0]?.ownerId, "a");
  });

  it("keep event hubs and consumer groups apart", async () => {
    const { a } = stores();
    await a.claimOwnership([wanted("a", "0")]);
    assert.deepEqual(await a.listOwnership(HUB[0], HUB[1], "$Default2"), []);
    assert.deepEqual(await a.listOwnership(HUB[0], "telemetry2", HUB[2]), []);
    await a.save(PLACE, saved(4));
    assert.deepEqual(await a.listCheckpoints(HUB[0], HUB[1], "other"), []);
  });

  function saved(sequenceNumber: number): SavedPartition {
    return {
      position: { sequenceNumber, offset: String(sequenceNumber * 64) },
      neededFrom: sequenceNumber + 3,
      analyzer: { version: 1, devices: ["a"] },
      delivered: { jsonLines: [["id-1", 5]] },
    };
  }

  it("give back what was saved, to the client and to the analyzer", async () => {
    const { a, b } = stores();
    assert.deepEqual(await b.load(PLACE), { ok: true, value: undefined });
    await a.save(PLACE, saved(4));
    await a.save(PLACE, saved(9));
    assert.deepEqual(await b.load(PLACE), { ok: true, value: saved(9) });
    const [checkpoint] = await b.listCheckpoints(...HUB);
    assert.equal(checkpoint?.offset, "576");
    assert.equal(checkpoint?.partitionId, "0");
  });

  it("say that a checkpoint is garbage, and list the others", async () => {
    const { a, path } = stores();
    await a.save(PLACE, saved(4));
    await a.save({ ...PLACE, partitionId: "1" }, saved(5));
    for (const text of ['{"version":1', "[]", '{"version":2}', '{"version":1,"neededFrom":"x"}']) {
      writeFileSync(join(path, "ns.example,telemetry,%24default,saved-0.json"), text);
      assert.equal((await a.load(PLACE)).ok, false, text);
      assert.deepEqual(
        (await a.listCheckpoints(...HUB)).map(({ partitionId }) => partitionId),
        ["1"],
      );
    }
  });

  it("let one reader into a partition at a time", async () => {
    const { a, b } = stores();
    const first = await a.lock(PLACE);
    assert.ok(first.ok);
    assert.equal((await b.lock(PLACE)).ok, false);
    first.value();
    assert.ok((await b.lock(PLACE)).ok);
  });
});
