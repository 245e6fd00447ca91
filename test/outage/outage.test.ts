/** Half an hour without a hub, on an accelerated clock, with the real spool, aggregator and sender. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { EventName, SecurityEvent } from "../../src/contract/event.ts";
import { DEFAULT_SETTINGS, type Settings } from "../../src/contract/settings.ts";
import { createSecretMask } from "../../src/parse/mask-secrets.ts";
import { createAggregator } from "../../src/pipeline/aggregate/aggregator.ts";
import { createLedger } from "../../src/pipeline/ledger.ts";
import { createPipeline } from "../../src/pipeline/pipeline.ts";
import { DEFAULT_FLUSH, openSpool } from "../../src/pipeline/spool/spool.ts";
import { systemRandom } from "../../src/system/random.ts";
import { FakeClock, settle } from "../support/fake-clock.ts";
import { RecordingLog } from "../support/recording-log.ts";

const OUTAGE_MS = 30 * 60_000;
const STEP_MS = 1_000;

function outageRig(test: TestContext, overrides: Partial<Settings>) {
  const folder = mkdtempSync(join(tmpdir(), "gatewarden-outage-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new FakeClock();
  const settings: Settings = {
    ...DEFAULT_SETTINGS,
    highPriorityIntervalMs: 60_000,
    lowPriorityIntervalMs: 300_000,
    ...overrides,
    aggregation: {
      ...DEFAULT_SETTINGS.aggregation,
      ProcessCreate: { isEnabled: false, intervalMs: 3_600_000 },
    },
  };
  const arrived: SecurityEvent[] = [];
  const spool = openSpool({
    folder,
    maxCacheBytes: settings.maxCacheBytes,
    clock,
    log: new RecordingLog(),
    flush: DEFAULT_FLUSH,
  });
  const pipeline = createPipeline({
    spool,
    ledger: createLedger(clock),
    clock,
    random: systemRandom,
    settings,
    envelope: { agentVersion: "0.0.0", agentId: "00000000-0000-4000-8000-000000000000" },
    mask: createSecretMask([]),
    payloadSchemas: new Map(),
    transportMaxBytes: 262_144,
    aggregator: (emit) =>
      createAggregator({
        journalPath: join(folder, "aggregation"),
        settings: settings.aggregation,
        clock,
        log: new RecordingLog(),
        emit,
      }),
    send: async (message) => {
      const body: { Events: SecurityEvent[] } = JSON.parse(Buffer.from(message.body).toString());
      arrived.push(...body.Events);
      return { status: "acknowledged" };
    },
    onSent: () => {},
    onQuarantined: (name, reason) => assert.fail(`${name} quarantined: ${reason}`),
    onRefused: (name, reason) => assert.fail(`${name} refused: ${reason}`),
    onFault: (reason) => assert.fail(reason),
  });
  let id = 0;
  function produce(name: "Login" | "ProcessCreate"): void {
    id += 1;
    const Executable = `/usr/bin/id-${id}`;
    const item =
      name === "Login"
        ? { ProcessId: id, UserId: "0", Operation: "test", Executable, Result: "Fail" }
        : { ProcessId: id, ParentProcessId: 1, UserId: "0", CommandLine: Executable, Executable };
    pipeline.submit([{ name, payload: [item] }]);
  }
  return { clock, spool, pipeline, arrived, produce };
}

function idsOf(arrived: readonly SecurityEvent[], name: EventName): readonly number[] {
  return arrived
    .filter((event) => event.Name === name)
    .flatMap((event) => event.Payload.map((item) => Number(item["ProcessId"])));
}

async function liveThroughOutage(rig: ReturnType<typeof outageRig>): Promise<{
  readonly logins: number;
  readonly processes: number;
}> {
  const made = { logins: 0, processes: 0 };
  rig.pipeline.setConnected(true);
  await rig.clock.advance(10_000);
  rig.pipeline.setConnected(false);
  for (let atMs = 0; atMs < OUTAGE_MS; atMs += STEP_MS) {
    rig.produce("ProcessCreate");
    made.processes += 1;
    if (atMs % 10_000 === 0) {
      rig.produce("Login");
      made.logins += 1;
    }
    if (atMs % 60_000 === 0) await rig.clock.advance(60_000);
  }
  rig.pipeline.setConnected(true);
  await settle();
  await rig.clock.advance(10 * 60_000);
  await rig.pipeline.stop();
  return made;
}

describe("half an hour without a hub", () => {
  it("loses nothing within the cache bound and keeps the order within a priority", async (test) => {
    const rig = outageRig(test, {});
    const made = await liveThroughOutage(rig);
    const processes = idsOf(rig.arrived, "ProcessCreate");
    const logins = idsOf(rig.arrived, "Login");
    assert.equal(made.processes, 1_800);
    assert.equal(new Set(processes).size, made.processes);
    assert.equal(new Set(logins).size, made.logins);
    for (const ids of [processes, logins]) {
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => a - b),
      );
    }
    const counts = rig.spool.takeCounts();
    assert.deepEqual(
      counts.map((count) => count.droppedEvents),
      [0, 0],
    );
    await rig.spool.close();
  });

  it("beyond the bound drops the oldest low ones, counts them exactly, and keeps the order", async (test) => {
    const rig = outageRig(test, { maxCacheBytes: 200_000, maxMessageBytes: 65_536 });
    const made = await liveThroughOutage(rig);
    const processes = idsOf(rig.arrived, "ProcessCreate");
    const logins = idsOf(rig.arrived, "Login");
    const [high, low] = rig.spool.takeCounts();
    assert.ok((low?.droppedEvents ?? 0) > 500, "the bound was reached");
    assert.equal(new Set(logins).size, made.logins, "high priority is spared while low can go");
    assert.equal(high?.droppedEvents, 0);
    assert.equal(processes.length + (low?.droppedEvents ?? 0), made.processes);
    assert.equal(low?.droppedByName["ProcessCreate"], low?.droppedEvents);
    assert.equal(low?.collectedEvents, made.processes);
    assert.deepEqual(
      processes,
      [...processes].sort((a, b) => a - b),
    );
    await rig.spool.close();
  });
});
