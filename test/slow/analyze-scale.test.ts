import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { StoredEvent } from "../eventhubs/partition-log.ts";
import { type RemoteServer, startRemoteServer } from "../eventhubs/remote-server.ts";
import { fleetTraffic, TRAFFIC_GROUPS } from "../fleet/fleet-traffic.ts";
import { type RunningBundle, startBundle, until } from "../support/bundle.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

const PARTITIONS = 8;
const EVENTS = 100_000;
const DEVICES = 1_000;
/** Slices in which the fleet's hour reaches the event hub. */
const SLICES = 25;
const LIMIT_MS = 240_000;

const scratch = scratchFolder("analyze-scale");
/** Tomorrow: the time of the machine then judges nothing, and every run sees the same. */
const startMs = Math.ceil(Date.now() / 86_400_000 + 1) * 86_400_000;
const traffic = fleetTraffic({
  devices: DEVICES,
  partitions: PARTITIONS,
  events: EVENTS,
  startMs,
  endMs: startMs + 3_600_000,
});
let server: RemoteServer;

before(async () => {
  server = await startRemoteServer([
    { name: "whole", partitions: PARTITIONS, consumerGroups: ["gatewarden"] },
    { name: "shared", partitions: PARTITIONS, consumerGroups: ["gatewarden"] },
  ]);
});
after(() => server.stop());

function configOf(hub: string): string {
  const groupsFile = scratch.file("groups.json", TRAFFIC_GROUPS);
  return scratch.file(`${hub}.json`, {
    hub: "fleet-hub",
    endpoint: {
      connectionStringFile: scratch.file(`${hub}.secret`, server.connectionString(hub)),
      eventHub: hub,
    },
    groupsFile,
    protocolProperty: "Protocol",
    completeInputs: ["messages", "twin-changes"],
    stateFolder: join(scratch.path, `${hub}-state`),
    checkpointSeconds: 1,
    idleSeconds: 1,
    statisticsSeconds: 1,
    balancing: { intervalSeconds: 1, expirySeconds: 3 },
    outputs: { jsonLines: { folder: join(scratch.path, `${hub}-alerts`) } },
  });
}

async function append(hub: string, slice: number): Promise<void> {
  for (const [partition, log] of traffic.entries()) {
    const size = Math.ceil(log.length / SLICES);
    const events: readonly StoredEvent[] = log.slice(slice * size, (slice + 1) * size);
    await server.append(hub, partition, events);
  }
}

interface Line {
  readonly id: string;
  readonly ruleType: string;
  readonly deviceId: string;
  readonly count: number;
  readonly partition: string;
}

function alertsOf(hub: string): readonly Line[] {
  const folder = join(scratch.path, `${hub}-alerts`);
  return readdirSync(folder)
    .filter((name) => name.includes("alerts-"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

/** How many partitions an instance says that it has, in its last line of statistics. */
function partitionsOf(running: RunningBundle): number {
  const lines = running
    .errors()
    .split("\n")
    .filter((line) => line.includes('"partitions"'));
  const last = lines.at(-1);
  return last === undefined ? 0 : (JSON.parse(last) as { partitions: number }).partitions;
}

function totalOf(running: RunningBundle, name: string): number {
  const lines = running
    .errors()
    .split("\n")
    .filter((line) => line.includes(`"${name}"`));
  return lines.length === 0
    ? 0
    : ((JSON.parse(lines.at(-1) ?? "{}") as Record<string, number>)[name] ?? 0);
}

it("two instances, one killed in mid-window, give the alerts of a single uninterrupted run, each once", {
  timeout: 2 * LIMIT_MS,
}, async (test) => {
  for (let slice = 0; slice < SLICES; slice += 1) await append("whole", slice);
  const single = startBundle(["analyze", "--config", configOf("whole"), "--once"]);
  assert.equal(await single.exit, 0, single.errors());
  const expected = alertsOf("whole");
  assert.equal(totalOf(single, "read"), EVENTS + PARTITIONS);
  assert.ok(expected.length > 1_000, `only ${expected.length} alerts`);
  assert.ok(new Set(expected.map(({ ruleType }) => ruleType)).size === 4);

  const config = configOf("shared");
  const victim = startBundle(["analyze", "--config", config]);
  const survivor = startBundle(["analyze", "--config", config]);
  const both = [victim, survivor];
  await until(() => both.every((one) => partitionsOf(one) === PARTITIONS / 2), "each has half");
  let killedWith = 0;
  for (let slice = 0; slice < SLICES; slice += 1) {
    await append("shared", slice);
    if (slice !== Math.floor(SLICES / 2)) continue;
    // In the middle of the hour, of windows, and of what it was just given.
    await until(() => totalOf(victim, "delivered") > 0, "it has delivered");
    await append("shared", slice + 1);
    victim.child.kill("SIGKILL");
    await victim.exit;
    killedWith = alertsOf("shared").length;
    slice += 1;
  }
  const wanted = new Set(expected.map(({ id }) => id)).size;
  const endMs = performance.now() + LIMIT_MS;
  while (new Set(alertsOf("shared").map(({ id }) => id)).size < wanted) {
    assert.ok(performance.now() < endMs, "the survivor has not judged everything");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  survivor.child.kill("SIGTERM");
  assert.equal(await survivor.exit, 0, survivor.errors());
  const { sentCount } = await server.command({ do: "facts" });
  const replayed = sentCount - 2 * (EVENTS + PARTITIONS);
  test.diagnostic(
    JSON.stringify({
      alerts: expected.length,
      deliveredAtTheKill: killedWith,
      replayedEvents: replayed,
      repeatedAndHeldBack: totalOf(survivor, "repeated"),
    }),
  );

  const found = alertsOf("shared");
  const key = ({ id, deviceId, ruleType, count }: Line) => `${id} ${ruleType} ${deviceId} ${count}`;
  assert.deepEqual(found.map(key).sort(), expected.map(key).sort());
  assert.equal(new Set(found.map(({ id }) => id)).size, found.length, "an alert was repeated");
  assert.ok(killedWith > 0 && killedWith < found.length, "it was not killed in the middle");
  assert.ok(replayed > 0, "no window was open when it was killed");
});
