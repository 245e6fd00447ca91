import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { EventHubConsumerClient } from "@azure/event-hubs";
import type { Analyze } from "../../src/fleet/analyze/analyze.ts";
import { afterTheFirst, withoutEnd } from "../eventhubs/counting-analyzer.ts";
import type { StoredEvent } from "../eventhubs/partition-log.ts";
import { type RemoteServer, startRemoteServer } from "../eventhubs/remote-server.ts";
import { RecordingLog } from "../support/recording-log.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { alertsIn, analyzeRig, type RigForm } from "./analyze-rig.ts";

/** Noon of a day long ago, so that the end of a partition closes every window. */
const NOON_MS = Date.UTC(2026, 0, 15, 12);

function sends(device: string, minute: number, second = 0): StoredEvent {
  return {
    body: { temperature: 20 },
    annotations: { "iothub-connection-device-id": device },
    enqueuedAtMs: NOON_MS + minute * 60_000 + second * 1_000,
  };
}

function times(count: number, device: string, minute: number): readonly StoredEvent[] {
  return Array.from({ length: count }, (_, at) => sends(device, minute, at));
}

interface At {
  readonly test: TestContext;
  readonly hub: string;
  readonly folder: string;
  readonly log: RecordingLog;
}

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`not within 15 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

describe("the fleet analyzer at an event hub", { timeout: 60_000, concurrency: 6 }, () => {
  const scratch = scratchFolder("analyze");
  let server: RemoteServer;
  let hubs = 0;

  before(async () => {
    server = await startRemoteServer(
      Array.from({ length: 12 }, (_, at) => ({
        name: `hub${at}`,
        partitions: 2,
        consumerGroups: ["gatewarden"],
      })),
    );
  });
  after(() => server.stop());

  /** A hub, a folder and a log of its own for each test, which stops what it started. */
  function place(test: TestContext): At {
    const hub = `hub${hubs}`;
    hubs += 1;
    return { test, hub, folder: mkdtempSync(join(scratch.path, "run-")), log: new RecordingLog() };
  }

  async function start(
    { test, hub, folder, log }: At,
    changes: Partial<RigForm> = {},
  ): Promise<Analyze> {
    const analyze = analyzeRig({
      folder,
      connectionString: server.connectionString(hub),
      eventHub: hub,
      log,
      ...changes,
    });
    test.after(() => analyze.stop());
    await analyze.start([]);
    return analyze;
  }

  const idsIn = (folder: string) => alertsIn(folder).map(({ id }) => id);
  const id = (device: string, minute: number) => `${device}@${NOON_MS + minute * 60_000}`;

  it("reads every partition to its end with --once, and judges the silence there", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, [...times(3, "a", 0), ...times(2, "b", 0)]);
    await server.append(at.hub, 1, times(5, "c", 1));
    const analyze = await start(at, { isOnce: true });
    assert.equal(await analyze.ended, undefined);
    await analyze.stop();
    assert.deepEqual(
      alertsIn(at.folder)
        .map(({ id, count }) => [id, count])
        .sort(),
      [
        [id("a", 0), 3],
        [id("c", 1), 5],
      ],
    );
    assert.equal(analyze.statistics().read, 10);
  });

  it("repeats nothing in a second run and goes on where it was", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, times(3, "a", 0));
    const first = await start(at, { isOnce: true });
    await first.ended;
    await first.stop();
    await server.append(at.hub, 0, times(4, "a", 5));
    const second = await start(at, { isOnce: true });
    await second.ended;
    await second.stop();
    assert.deepEqual(idsIn(at.folder), [id("a", 0), id("a", 5)]);
    assert.equal(second.statistics().read, 4);
  });

  it("keeps the events of an open window before the checkpoint, and counts them again after a restart", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, [...times(3, "a", 0), ...times(2, "b", 1)]);
    const first = await start(at, { analyzer: () => withoutEnd() });
    await until("the first alert", () => alertsIn(at.folder).length === 1);
    await first.stop();
    const saved = savedIn(at.folder, 0);
    assert.equal(saved["neededFrom"], 3);
    await server.append(at.hub, 0, [sends("b", 1, 30), sends("z", 2)]);
    await start(at, { analyzer: () => withoutEnd() });
    await until("the second alert", () => alertsIn(at.folder).length === 2);
    assert.deepEqual(
      alertsIn(at.folder).map(({ id, count }) => [id, count]),
      [
        [id("a", 0), 3],
        [id("b", 1), 3],
      ],
    );
  });

  it("counts a body that is no JSON and goes on", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, [
      { ...sends("a", 0), body: '{"torn":' },
      { ...sends("a", 0), body: '{"__proto__":{"x":1}}' },
      ...times(3, "a", 0),
    ]);
    const analyze = await start(at, { isOnce: true });
    await analyze.ended;
    assert.deepEqual(
      alertsIn(at.folder).map(({ count }) => count),
      [3],
    );
    assert.deepEqual(analyze.statistics().skipped, { malformed: 2 });
  });

  it("says which events were gone before it came", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, times(3, "a", 0));
    const first = await start(at, { isOnce: true });
    await first.ended;
    await first.stop();
    await server.append(at.hub, 0, times(6, "a", 1));
    await server.command({ do: "trim", hub: at.hub, partition: 0, below: 7 });
    const second = await start(at, { isOnce: true });
    await second.ended;
    assert.equal(second.statistics().lost, 4);
    assert.ok(
      at.log.lines.some(({ message }) => message === "events were gone before they were read"),
    );
  });

  it("begins with what comes from now on where it is told so, also after a restart", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, times(3, "old", 0));
    const first = await start(at, { start: "latest", isOnce: true });
    await first.stop();
    await server.append(at.hub, 0, times(3, "new", 1));
    const second = await start(at, { start: "latest", isOnce: true });
    await second.ended;
    await second.stop();
    assert.deepEqual(idsIn(at.folder), [id("new", 1)]);
  });

  it("shares the partitions with a second instance, which takes over when the first one leaves", async (test) => {
    const at = place(test);
    const first = await start(at);
    await until("one has all", () => first.statistics().partitions === 2);
    const second = await start(at);
    await until(
      "each has one",
      () => first.statistics().partitions === 1 && second.statistics().partitions === 1,
    );
    for (const partition of [0, 1])
      await server.append(at.hub, partition, times(3, `d${partition}`, 0));
    await until("two alerts", () => alertsIn(at.folder).length === 2);
    await first.stop();
    await until("the other has all", () => second.statistics().partitions === 2);
    for (const partition of [0, 1])
      await server.append(at.hub, partition, times(3, `d${partition}`, 9));
    await until("four alerts", () => alertsIn(at.folder).length === 4);
    await second.stop();
    assert.equal(new Set(idsIn(at.folder)).size, 4);
  });

  it("gets its partition back from a reader that stole the link, and misses nothing", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, times(2, "a", 0));
    const analyze = await start(at, { analyzer: () => withoutEnd() });
    await until("it reads", () => analyze.statistics().read === 2);
    const thief = new EventHubConsumerClient("gatewarden", server.connectionString(at.hub));
    let stolen = false;
    const theft = thief.subscribe(
      "0",
      {
        processEvents: async () => {
          stolen = true;
        },
        processError: async () => undefined,
      },
      { ownerLevel: 1, startPosition: { offset: "-1" }, maxWaitTimeInSeconds: 1 },
    );
    await until("the link is stolen", () => stolen);
    await server.append(at.hub, 0, [sends("a", 0, 40), sends("b", 1)]);
    await theft.close();
    // Its goodbye may never be answered: the client waits for an answer on a connection that is gone.
    await Promise.race([thief.close(), new Promise((resolve) => setTimeout(resolve, 500))]);
    await until("the alert", () => alertsIn(at.folder).length === 1);
    assert.deepEqual(
      alertsIn(at.folder).map(({ count }) => count),
      [3],
    );
  });

  it("waits for an event hub that is away and goes on when it is back", async (test) => {
    const at = place(test);
    const own = await startRemoteServer([
      { name: at.hub, partitions: 2, consumerGroups: ["gatewarden"] },
    ]);
    await own.append(at.hub, 0, times(2, "a", 0));
    const analyze = await start(at, {
      analyzer: () => withoutEnd(),
      connectionString: own.connectionString(at.hub),
    });
    test.after(() => own.stop());
    await until("it reads", () => analyze.statistics().read === 2);
    await own.command({ do: "pause" });
    await own.append(at.hub, 0, [sends("a", 0, 40), sends("b", 1)]);
    await until("it notices", () =>
      at.log.lines.some(({ message }) => message === "event hub not read"),
    );
    await own.command({ do: "resume" });
    await until("the alert", () => alertsIn(at.folder).length === 1);
    assert.deepEqual(
      alertsIn(at.folder).map(({ count }) => count),
      [3],
    );
  });

  it("takes a network that swallows everything for no silence", async (test) => {
    const at = place(test);
    const own = await startRemoteServer([
      { name: at.hub, partitions: 1, consumerGroups: ["gatewarden"] },
    ]);
    await own.append(at.hub, 0, [sends("a", 0), sends("z", 1)]);
    const analyze = await start(at, {
      analyzer: () => afterTheFirst(),
      connectionString: own.connectionString(at.hub),
    });
    test.after(() => own.stop());
    await until("it has judged", () => analyze.statistics().ticks > 0);
    await own.command({ do: "stall", isOn: true });
    const ticks = analyze.statistics().ticks;
    await own.append(at.hub, 0, times(3, "z", 1));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(analyze.statistics().ticks, ticks);
    await own.command({ do: "stall", isOn: false });
    await until("it judges again", () => analyze.statistics().ticks > ticks);
    assert.deepEqual(
      alertsIn(at.folder).map(({ count }) => count),
      [4],
    );
  });

  it("ends --once with the reason when its key is refused, and shows the key to nobody", async (test) => {
    const at = place(test);
    const key = "d3Jvbmcga2V5IHdyb25nIGtleQ==";
    const analyze = await start(at, {
      isOnce: true,
      connectionString: server.connectionString(at.hub, { key }),
    });
    const fault = await analyze.ended;
    assert.equal(fault?.kind, "refused");
    assert.doesNotMatch(JSON.stringify([fault, at.log.lines]), /d3Jvbmcg/);
  });

  it("reads a partition anew when its checkpoint is garbage, and repeats no alert", async (test) => {
    const at = place(test);
    await server.append(at.hub, 0, times(3, "a", 0));
    const first = await start(at, { isOnce: true });
    await first.ended;
    await first.stop();
    for (const name of readdirSync(join(at.folder, "state"))) {
      if (name.includes("saved-0")) writeFileSync(join(at.folder, "state", name), '{"version":1,');
    }
    const second = await start(at, { isOnce: true });
    await second.ended;
    assert.equal(second.statistics().read, 3);
    assert.equal(second.statistics().repeated, 1);
    assert.deepEqual(idsIn(at.folder), [id("a", 0)]);
  });

  function savedIn(folder: string, partition: number): Record<string, unknown> {
    const state = join(folder, "state");
    const name = readdirSync(state).find((one) => one.includes(`saved-${partition}`)) ?? "";
    assert.ok(existsSync(join(state, name)));
    return JSON.parse(readFileSync(join(state, name), "utf8")) as Record<string, unknown>;
  }
});
